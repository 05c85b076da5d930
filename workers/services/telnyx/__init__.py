"""Texts and calls over a company's own Telnyx account."""
