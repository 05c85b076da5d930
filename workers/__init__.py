"""The workers: what a database cannot do itself, done beside it."""
