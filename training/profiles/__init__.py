"""Training profiles: YAML files and their schema."""
