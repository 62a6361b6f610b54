"""Metrics and logs for operators, without text of customers."""
