"""The audit log of a worker: entries, counts, targets and checkpoints."""
