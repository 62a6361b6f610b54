"""State of a worker."""
