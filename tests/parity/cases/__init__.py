"""One line per behaviour, by family."""
