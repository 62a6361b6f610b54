"""Statistics for training and evaluation."""
