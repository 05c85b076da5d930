"""Supabase Auth as the receiver needs it: whose signature stands on a token."""
