"""Passes: each a function from network to network."""
