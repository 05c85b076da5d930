"""Google Places (New): suggestions and details of addresses; nothing of them is kept."""
