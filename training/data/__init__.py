"""Labelled examples: reading, checking, splitting."""
