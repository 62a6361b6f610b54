"""Data in Redis: cached replies, and the contact history of customers."""
