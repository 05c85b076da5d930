"""Everything that talks to a vendor over HTTP; one folder per vendor, no database here."""
