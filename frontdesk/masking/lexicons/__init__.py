"""Word lists that masking compares with. Lower case."""
