"""The doors: one BentoML service with an HTTP gateway, wired to the pipeline. Never imports `training`."""

import frontdesk  # noqa: F401 - imported first: it disables the telemetry of libraries
