"""Measurements as documents: each says what it measures, how, and under which load."""

import frontdesk  # noqa: F401 - first, because it switches off the usage reports of libraries
