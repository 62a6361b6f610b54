"""The `frontdesk` command. Each command has its own module and imports its dependencies only when it runs."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as installed_version
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from cli import (
    ask,
    audit,
    build,
    classify,
    compare,
    config,
    data,
    doctor,
    evaluate,
    explain,
    features,
    gpu_check,
    keys,
    knowledge,
    llm,
    models,
    promote,
    retention,
    serve,
    spool,
    token,
    train,
)
from frontdesk.child_processes import drop_cwd_from_sys_path
from frontdesk.errors import FrontdeskError
from frontdesk.private_files import PRIVATE_UMASK

app = typer.Typer(
    name="frontdesk",
    help="Understand customers' messages and answer them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _show_version(requested: bool) -> None:
    if requested:
        typer.echo(f"frontdesk {installed_version('frontdesk')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[  # noqa: ARG001 - typer acts on it through the callback
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Understand customers' messages and answer them."""
    os.umask(PRIVATE_UMASK)


app.command()(ask.ask)
app.command()(explain.explain)
app.command()(serve.serve)
app.command()(train.train)
app.command()(models.models)
app.command()(promote.promote)
app.command()(promote.rollback)
app.command()(compare.compare)
app.command()(build.build)
app.command()(doctor.doctor)
app.command()(gpu_check.gpu_check)
app.command()(evaluate.evaluate)
app.command()(classify.classify)
app.add_typer(data.app, name="data")
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(config.app, name="config")
app.add_typer(features.app, name="features")
app.add_typer(llm.app, name="llm")
app.add_typer(token.app, name="token")
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")
app.add_typer(spool.app, name="spool")
app.add_typer(retention.app, name="retention")


def _write_keys_from_environment() -> None:
    """Write the keys that the environment holds to the key folder, before any key is read or created."""
    if any(name.startswith("FRONTDESK_") and name.endswith("_KEY") and "__" not in name for name in os.environ):
        from frontdesk.config import load_settings
        from frontdesk.security.keys_from_env import install_keys_from_env

        install_keys_from_env(load_settings(trust_home=True).keys, os.environ)


def run() -> None:
    """Run the command line. A FrontdeskError is printed as one line with exit code 1, without a traceback."""
    os.umask(PRIVATE_UMASK)
    drop_cwd_from_sys_path()
    try:
        _write_keys_from_environment()
        app()
    except FrontdeskError as error:
        console = Console(stderr=True)
        console.print(f"[bold red]error[/] {escape(error.message)}", highlight=False, soft_wrap=True)
        if error.hint:
            console.print(f"[dim]{escape(error.hint)}[/]", highlight=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
