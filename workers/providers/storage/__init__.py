"""Supabase Storage: where the bytes of attachments are kept."""
