"""The doors: one BentoML service with an HTTP gateway, wired to the pipeline. Never imports `training`."""

import frontdesk  # noqa: F401 - first, because it switches off the usage reports of libraries
