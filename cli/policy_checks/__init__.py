"""The checks behind the claims of the privacy page: small questions to the running system."""
