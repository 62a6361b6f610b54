"""What HTTP and gRPC share: errors, headers, routes with their scopes, callers."""
