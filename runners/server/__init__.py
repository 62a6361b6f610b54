"""The model side of an API worker: caching, balancing, batching."""
