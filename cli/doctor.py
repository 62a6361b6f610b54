"""`frontdesk doctor`: check that this machine, the configuration and the champion can serve."""

from __future__ import annotations

import json
import os
import platform
import stat
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from frontdesk.config import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check. `state` is `good`, `warning` or `bad`. Field names are keys of `doctor --json`."""

    what: str
    state: str
    told: str  # vocabulary: key of `doctor --json`


def doctor(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Check runtime, champion, taxonomy, knowledge, database and keys. Exit code 1 if a check fails."""
    from rich.console import Console

    from frontdesk.config import load

    findings = list(check_setup(load(trust_home=True)))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        show_findings(findings, Console())
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)


def show_findings(findings: Iterable[Finding], console: Console) -> None:
    """Print one line for each finding."""
    signs = {"good": "[green]ok  [/]", "warning": "[yellow]note[/]", "bad": "[red]bad [/]"}
    for finding in findings:
        console.print(f"{signs[finding.state]} {finding.what}: ", end="")
        console.print(finding.told, highlight=False, soft_wrap=True, markup=False)


def check_setup(settings: Settings) -> Iterator[Finding]:
    """Run all checks. Changes nothing."""
    yield Finding(
        "machine", "good", f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}"
    )
    yield from _runtime(settings)
    yield from _champion(settings)
    yield from _language_model(settings)
    yield from _database(settings)
    yield from _home(settings)
    yield from _keys(settings)


def _runtime(settings: Settings) -> Iterator[Finding]:
    from frontdesk.errors import ConfigurationError
    from runners.models.onnx_session import check_runtime, find_provider

    try:
        runtime = check_runtime()
    except ConfigurationError as error:
        yield Finding("onnxruntime", "bad", str(error))
        return
    import onnxruntime

    providers = ", ".join(onnxruntime.get_available_providers())
    yield Finding("onnxruntime", "good", f"{runtime}; providers here: {providers}")
    try:
        provider = find_provider(settings.model.provider, settings.engines)
    except ConfigurationError as error:
        yield Finding("encoders", "bad", str(error))
        return
    yield Finding("encoders", "good", f"run on {provider.name} ({provider.because}); all other models run on the CPU")


def _champion(settings: Settings) -> Iterator[Finding]:
    from bentos.wiring.model import open_trusted_bundle
    from frontdesk.errors import FrontdeskError
    from frontdesk.responses.knowledge_base.articles import STARTER_KNOWLEDGE, Knowledge
    from runners.ensemble.warm_up import load_warm_ensemble

    try:
        bundle = open_trusted_bundle(settings)
        ensemble = load_warm_ensemble(bundle, threads=1)
    except FrontdeskError as error:
        yield Finding("champion", "bad", str(error))
        return
    yield Finding(
        "champion", "good", f"{bundle.version}, golden rows reproduced, {len(bundle.manifest.files)} files verified"
    )
    if intents_without_policy := ensemble.taxonomy.intents_without_policy():
        yield Finding(
            "taxonomy", "warning", f"no policy for {', '.join(intents_without_policy)}: never automated, medium urgency"
        )
    else:
        yield Finding("taxonomy", "good", f"{len(ensemble.taxonomy.labels)} intents, each with a policy")
    if ensemble.calibration.automation_threshold is None:
        yield Finding("automation", "warning", "no threshold could be certified for this bundle: nothing is automated")
    try:
        uncovered_intents = Knowledge.read(settings.responses.knowledge or STARTER_KNOWLEDGE).uncovered_intents(
            ensemble.taxonomy.labels
        )
    except FrontdeskError as error:
        yield Finding("knowledge", "bad", str(error))
        return
    if uncovered_intents:
        yield Finding("knowledge", "warning", f"no passage for {', '.join(uncovered_intents)}: a person must answer")
    else:
        yield Finding("knowledge", "good", "every intent has a passage")


def _language_model(settings: Settings) -> Iterator[Finding]:
    from bentos.wiring.replies import llm_settings
    from cli.llm import probe

    if (llm := llm_settings(settings)) is None:
        return
    state, message = probe(llm)
    if state == "bad" and settings.responses.provider == "local":
        state, message = "warning", f"{message}. `frontdesk serve` starts it"
    yield Finding("language model", state, message)


def _database(settings: Settings) -> Iterator[Finding]:
    from sqlalchemy.exc import SQLAlchemyError

    from frontdesk.errors import FrontdeskError
    from frontdesk.storage.database import begin_reading, open_database
    from frontdesk.storage.sql.records import ping

    kind = settings.database_url.partition(":")[0]
    if kind == "sqlite" and not (settings.home / "frontdesk.db").exists() and settings.storage.url is None:
        yield Finding("database", "good", "SQLite, created at the first start")
        return
    try:
        engine = open_database(settings.database_url)
        with begin_reading(engine) as connection:
            ping(connection)
    except (FrontdeskError, SQLAlchemyError) as error:
        yield Finding("database", "bad", f"{kind} does not answer ({type(error).__name__})")
        return
    engine.dispose()
    yield Finding("database", "good", f"{kind} answers")


def _home(settings: Settings) -> Iterator[Finding]:
    """Check that other users cannot enter the home, which holds customers' messages."""
    from frontdesk.private_files import is_trusted_owner, path_problem

    if not settings.home.exists():
        yield Finding("home", "good", "created at the first start")
        return
    status = settings.home.stat()
    mode = stat.S_IMODE(status.st_mode)
    repair = f"run: chmod -R go-rwx {settings.home}"
    if not is_trusted_owner(status.st_uid):
        yield Finding("home", "bad", f"{settings.home} belongs to another user (uid {status.st_uid})")
    elif mode & 0o022:
        yield Finding("home", "bad", f"other users can write to {settings.home} ({mode:o}); {repair}")
    elif (problem := path_problem(settings.home)) is not None:
        yield Finding("home", "bad", problem)
    elif mode & 0o077:
        yield Finding("home", "warning", f"other users can read files in {settings.home} ({mode:o}); {repair}")
    else:
        yield Finding("home", "good", f"{settings.home} is not accessible to other users")


def _keys(settings: Settings) -> Iterator[Finding]:
    """Check the key folder, the keys in use and the other keys in it; each is read in the same way as by a server."""
    from frontdesk.private_files import folder_problem

    folder = settings.keys
    if not (folder / "signing.key").exists():
        yield Finding("signing key", "good", "created at the first start")
        return
    if (problem := folder_problem(folder)) is not None:
        yield Finding("keys", "bad", f"{problem}; run: chmod 700 {folder}, and check each key in it")
        return
    problems = {path: problem for path in sorted(folder.glob("*.key")) if (problem := _key_problem(path))}
    in_use = problems.pop(folder / "signing.key", "")
    yield Finding("signing key", "bad" if in_use else "good", in_use or "readable only by its owner")
    if problems:
        yield Finding("other keys", "bad", "; ".join(problems.values()))
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077 and settings.security.keys is None:
        yield Finding("keys", "warning", f"other users can list {folder} ({mode:o}); run: chmod 700 {folder}")


def _key_problem(path: Path) -> str:
    """Return the reason why a key file cannot be used, or ''."""
    from frontdesk.errors import ConfigurationError
    from frontdesk.security.key_store import read_secret

    try:
        read_secret(path)
    except ConfigurationError as error:
        return str(error)
    except OSError as error:
        return f"The key {path} cannot be read ({error.strerror})."
    return ""
