"""Replies: by template, by the language model, and which of the two."""
