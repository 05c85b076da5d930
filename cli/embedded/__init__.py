"""The embedded Supabase stack: PostgreSQL, Auth, REST and Storage as plain child processes."""
