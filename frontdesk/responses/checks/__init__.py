"""Checks of a reply that a language model wrote, one a file; `run.py` runs them all."""
