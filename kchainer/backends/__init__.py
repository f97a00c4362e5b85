"""Writers of targets: each carries out or prints a plan."""
