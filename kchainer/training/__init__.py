"""Training: networks that run, chains of them with their optimizer."""
