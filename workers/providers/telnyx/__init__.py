"""Telnyx: the API of a company's own account, and the webhooks it sends."""
