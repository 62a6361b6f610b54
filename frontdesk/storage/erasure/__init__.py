"""Removal of rows: erasure on request, and retention."""
