"""What is kept in Redis: results of messages, and the events of customers."""
