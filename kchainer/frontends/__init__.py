"""Readers of formats: each turns its own into the IR."""
