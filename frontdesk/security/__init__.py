"""Guarding: what a caller may do, and what of a message may go further than this process."""
