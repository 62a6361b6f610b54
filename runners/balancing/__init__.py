"""Forwards work between the API workers of one server."""
