"""What the workers do, one use case per module; each owns its transactions and gets its clients."""
