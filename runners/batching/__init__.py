"""Adaptive batching: the scheduler and the batcher."""
