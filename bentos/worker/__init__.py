"""What a worker holds while it serves."""
