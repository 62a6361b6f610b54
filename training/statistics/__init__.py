"""Statistics that both fitting and evaluation use."""
