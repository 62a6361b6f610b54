"""`python -m cli` runs the `frontdesk` command."""

from cli.main import run

run()
