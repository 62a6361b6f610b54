"""Reads of stored queries and of customer histories."""
