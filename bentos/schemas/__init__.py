"""Models of request bodies and query parameters, and structural limits that are checked before parsing."""
