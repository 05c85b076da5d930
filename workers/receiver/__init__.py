"""The webhook receiver: proves, parses, stores and answers; no business rule runs here."""
