"""Benchmarks: our figures beside those of others, taken in the same run."""
