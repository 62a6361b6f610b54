"""What is read back: stored messages, and the history of customers."""
