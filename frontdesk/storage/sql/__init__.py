"""Every SQL statement of the product, one concept a file. Each function works inside its caller's transaction.

Knows nothing of when a transaction begins or commits, nor of what asks: values in, values out.
"""
