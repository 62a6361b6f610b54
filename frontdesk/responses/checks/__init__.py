"""Checks of replies from a language model, one per file; `run.py` runs all of them."""
