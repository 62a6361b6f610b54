"""From labelled messages to a sealed bundle. Never imported by a server."""

import os

import frontdesk  # noqa: F401 - imported first: it switches off the usage reports of libraries

# OpenMP reads this when the first library that uses it is loaded, so it stands before every other import. Threads that
# spin while they wait take the core from the thread they wait for: on two busy cores a run took ten times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
