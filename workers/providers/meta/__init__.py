"""Meta: the Graph API, Messenger webhooks, and the shapes of both."""
