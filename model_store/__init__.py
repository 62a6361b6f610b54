"""Bundles: the directory that is trained, gated, promoted, served and rolled back, and the record of them."""

import frontdesk  # noqa: F401 - imported first: it switches off the usage reports of libraries
