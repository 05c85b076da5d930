"""A stand-in for Google Places (New): autocomplete and details of a few made-up addresses."""
