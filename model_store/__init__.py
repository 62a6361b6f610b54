"""Bundles: verification, signatures, promotion, and their record in MLflow."""

import frontdesk  # noqa: F401 - import first: it disables the usage reports of libraries
