"""A stand-in for Telnyx's API v2: numbers, messages, calls, records and signed webhooks."""
