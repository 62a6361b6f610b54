"""`frontdesk config show`: print the settings in force."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer(help="Show the configuration.", no_args_is_help=True)


@app.callback()
def config() -> None:
    """Show the configuration."""


@app.command()
def show(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Print every setting in force and mark those that differ from the default. Secrets are not settings."""
    from rich.console import Console
    from rich.table import Table

    from frontdesk.config import Settings, load_settings

    settings = load_settings(trust_home=True)
    values = _hide_secrets(settings.model_dump(mode="json"))
    if as_json:
        typer.echo(json.dumps(values, indent=2))
        return
    defaults = Settings().model_dump(mode="json")
    table = Table("setting", "value", "", box=None, pad_edge=False)
    for section, content in values.items():
        for key, value in content.items() if isinstance(content, dict) else [("", content)]:
            name = f"{section}.{key}" if key else section
            default = defaults[section].get(key) if isinstance(content, dict) else defaults[section]
            changed = "" if name == "home" or section == "bentoml" or value == default else "[yellow]changed[/]"
            table.add_row(name, json.dumps(value), changed)
    Console().print(table)


def _hide_secrets(values: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """Replace URLs, which may contain passwords, by `(set)`."""
    for section, key in (("storage", "url"), ("training", "tracking_uri"), ("llm", "proxy")):
        if values[section][key] is not None:
            values[section][key] = "(set)"
    return values
