"""The composition root: opens the parts of a worker from the settings."""
