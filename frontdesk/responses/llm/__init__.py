"""The language model: port, transport, retries, timeouts, circuit breaker."""
