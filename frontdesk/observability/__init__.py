"""What operators see: numbers and log lines, never a customer's words."""
