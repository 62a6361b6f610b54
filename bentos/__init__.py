"""The doors: one BentoML service with an HTTP gateway, wired to the pipeline. Never imports `training`."""
