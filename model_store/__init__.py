"""Bundles: the directory that is trained, gated, promoted, served and rolled back, and the record of them."""
