"""The stored and public names of the product, read from its code."""
