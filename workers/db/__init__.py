"""SQL, and nothing of the business: connections, calls, notifications."""
