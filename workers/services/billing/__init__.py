"""Connext's own billing: what is paid, kept in step with Stripe."""
