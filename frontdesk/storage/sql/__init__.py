"""Every SQL statement of the product, one concept per file. Each function works in its caller's transaction.

Functions take and return values. They neither begin nor commit transactions.
"""
