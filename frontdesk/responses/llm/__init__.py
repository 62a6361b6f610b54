"""The language model: port, transport, retries and timeouts."""
