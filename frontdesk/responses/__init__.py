"""Replies: written from templates or by a language model, checked, and backed by knowledge articles."""
