"""The command line, one file a verb; the only package that sees all the others."""

import frontdesk  # noqa: F401 - first, because it switches off the usage reports of libraries
