"""Text analysis for replies and their checks."""
