"""The BentoML service with its HTTP and gRPC servers, connected to the pipeline. Must not import `training`."""

import frontdesk  # noqa: F401 - imported first, because it disables the telemetry of libraries
