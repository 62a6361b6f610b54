"""Measurements as documents: each says what it measures, how, and under which load."""
