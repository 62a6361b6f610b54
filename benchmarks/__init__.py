"""Benchmarks. The docstring of each module states what is measured, how, and under which load."""

import frontdesk  # noqa: F401 - first, because it disables the usage reports of libraries
