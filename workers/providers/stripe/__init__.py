"""Stripe: the only place that knows its SDK, its objects and its webhooks."""
