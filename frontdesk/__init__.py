"""Frontdesk's own vocabulary and its one use case: understand a customer's message and answer it.

This package imports none of the others (`runners`, `model_store`, `training`, `bentos`, `cli`).
"""

__version__ = "0.1.0"
