"""Kinds of jobs: each parses its payload and calls one service."""
