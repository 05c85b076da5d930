"""The operators' console: `connext`, one noun per file."""
