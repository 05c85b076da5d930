"""A stateful stand-in for Stripe's billing, written from its public documentation."""
