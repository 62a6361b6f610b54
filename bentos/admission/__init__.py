"""Admission control, errors, headers, and routes with their scopes; shared by HTTP and gRPC."""
