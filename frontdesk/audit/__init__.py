"""The audit log: chains of entries, their verification, checkpoints and counters of frequent events."""
