"""`python -m cli` is `frontdesk`."""

from cli.main import run

run()
