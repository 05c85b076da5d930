"""Stand-ins for the vendors' APIs, written from their documentation; test use only."""
