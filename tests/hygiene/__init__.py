"""What `make lint` looks for in the tree: secrets that slipped in, and dependencies we would not ship."""
