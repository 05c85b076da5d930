"""Supabase Realtime, for workers whose connections cannot LISTEN."""
