"""The command line, one file a verb; the only package that sees all the others."""

import frontdesk  # noqa: F401 - imported first: it switches off the usage reports of libraries
