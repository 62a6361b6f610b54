"""The command line, one module per command; the only package that imports all others."""

import frontdesk  # noqa: F401 - imported first, because it disables the usage reports of libraries
