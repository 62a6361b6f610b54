"""Training: labelled messages in, a sealed bundle out. Servers never import this package."""

import os

import frontdesk  # noqa: F401 - imported first: it switches off the usage reports of libraries

# OpenMP reads this variable when the first library that uses OpenMP is loaded, so it is set before all other imports.
# Waiting threads that spin take CPU time from working threads: on two busy cores a run took ten times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
