"""A stand-in for Meta's Graph API: Facebook Login for Business, Pages and Messenger."""
