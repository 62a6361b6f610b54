"""Training profiles: their YAML files, and how these are read."""
