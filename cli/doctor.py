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
class SetupFinding:
    """Result of one check. `state` is `good`, `warning` or `bad`. Field names are keys of `doctor --json`."""

    what: str
    state: str
    told: str  # vocabulary: key of `doctor --json`


def doctor(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Check runtime, champion, taxonomy, knowledge, database and keys. Exit code 1 if a check fails."""
    from rich.console import Console

    from frontdesk.config import load_settings

    findings = list(check_setup(load_settings(trust_home=True)))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        show_findings(findings, Console())
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)


def show_findings(findings: Iterable[SetupFinding], console: Console) -> None:
    """Print one line for each finding."""
    signs = {"good": "[green]ok  [/]", "warning": "[yellow]note[/]", "bad": "[red]bad [/]"}
    for finding in findings:
        console.print(f"{signs[finding.state]} {finding.what}: ", end="")
        console.print(finding.told, highlight=False, soft_wrap=True, markup=False)


def check_setup(settings: Settings) -> Iterator[SetupFinding]:
    """Run all checks. Changes nothing."""
    yield SetupFinding(
        "machine", "good", f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}"
    )
    yield from _check_onnxruntime(settings)
    yield from _check_champion(settings)
    yield from _check_language_model(settings)
    yield from _check_database(settings)
    yield from _check_home(settings)
    yield from _check_key_files(settings)


def _check_onnxruntime(settings: Settings) -> Iterator[SetupFinding]:
    from frontdesk.errors import ConfigurationError
    from runners.models.onnx_session import find_execution_provider, find_onnxruntime_build

    try:
        runtime = find_onnxruntime_build()
    except ConfigurationError as error:
        yield SetupFinding("onnxruntime", "bad", str(error))
        return
    import onnxruntime

    providers = ", ".join(onnxruntime.get_available_providers())
    yield SetupFinding("onnxruntime", "good", f"{runtime}; providers here: {providers}")
    try:
        provider = find_execution_provider(settings.model.provider, settings.engines)
    except ConfigurationError as error:
        yield SetupFinding("encoders", "bad", str(error))
        return
    yield SetupFinding(
        "encoders", "good", f"run on {provider.name} ({provider.because}); all other models run on the CPU"
    )


def _check_champion(settings: Settings) -> Iterator[SetupFinding]:
    from bentos.wiring.model import open_trusted_bundle
    from frontdesk.errors import FrontdeskError
    from frontdesk.responses.knowledge_base.articles import STARTER_KNOWLEDGE, Knowledge
    from runners.ensemble.warm_up import load_warm_ensemble

    try:
        bundle = open_trusted_bundle(settings)
        ensemble = load_warm_ensemble(bundle, threads=1)
    except FrontdeskError as error:
        yield SetupFinding("champion", "bad", str(error))
        return
    yield SetupFinding(
        "champion", "good", f"{bundle.version}, golden rows reproduced, {len(bundle.manifest.files)} files verified"
    )
    if intents_without_policy := ensemble.taxonomy.intents_without_policy():
        yield SetupFinding(
            "taxonomy", "warning", f"no policy for {', '.join(intents_without_policy)}: never automated, medium urgency"
        )
    else:
        yield SetupFinding("taxonomy", "good", f"{len(ensemble.taxonomy.labels)} intents, each with a policy")
    if ensemble.calibration.automation_threshold is None:
        yield SetupFinding(
            "automation", "warning", "no threshold could be certified for this bundle: nothing is automated"
        )
    try:
        uncovered_intents = Knowledge.read(settings.responses.knowledge or STARTER_KNOWLEDGE).uncovered_intents(
            ensemble.taxonomy.labels
        )
    except FrontdeskError as error:
        yield SetupFinding("knowledge", "bad", str(error))
        return
    if uncovered_intents:
        yield SetupFinding(
            "knowledge", "warning", f"no passage for {', '.join(uncovered_intents)}: a person must answer"
        )
    else:
        yield SetupFinding("knowledge", "good", "every intent has a passage")


def _check_language_model(settings: Settings) -> Iterator[SetupFinding]:
    from bentos.wiring.replies import llm_settings
    from cli.llm import probe

    if (llm := llm_settings(settings)) is None:
        return
    state, message = probe(llm)
    if state == "bad" and settings.responses.provider == "local":
        state, message = "warning", f"{message}. `frontdesk serve` starts it"
    yield SetupFinding("language model", state, message)


def _check_database(settings: Settings) -> Iterator[SetupFinding]:
    from sqlalchemy.exc import SQLAlchemyError

    from frontdesk.errors import FrontdeskError
    from frontdesk.storage.database import begin_reading, open_database
    from frontdesk.storage.sql.records import ping

    kind = settings.database_url.partition(":")[0]
    if kind == "sqlite" and not (settings.home / "frontdesk.db").exists() and settings.storage.url is None:
        yield SetupFinding("database", "good", "SQLite, created at the first start")
        return
    try:
        engine = open_database(settings.database_url)
        with begin_reading(engine) as connection:
            ping(connection)
    except (FrontdeskError, SQLAlchemyError) as error:
        yield SetupFinding("database", "bad", f"{kind} does not answer ({type(error).__name__})")
        return
    engine.dispose()
    yield SetupFinding("database", "good", f"{kind} answers")


def _check_home(settings: Settings) -> Iterator[SetupFinding]:
    """Check that other users cannot enter the home, which holds customers' messages."""
    from frontdesk.private_files import explain_unsafe_path, is_trusted_owner

    if not settings.home.exists():
        yield SetupFinding("home", "good", "created at the first start")
        return
    status = settings.home.stat()
    mode = stat.S_IMODE(status.st_mode)
    repair = f"run: chmod -R go-rwx {settings.home}"
    if not is_trusted_owner(status.st_uid):
        yield SetupFinding("home", "bad", f"{settings.home} belongs to another user (uid {status.st_uid})")
    elif mode & 0o022:
        yield SetupFinding("home", "bad", f"other users can write to {settings.home} ({mode:o}); {repair}")
    elif (problem := explain_unsafe_path(settings.home)) is not None:
        yield SetupFinding("home", "bad", problem)
    elif mode & 0o077:
        yield SetupFinding("home", "warning", f"other users can read files in {settings.home} ({mode:o}); {repair}")
    else:
        yield SetupFinding("home", "good", f"{settings.home} is not accessible to other users")


def _check_key_files(settings: Settings) -> Iterator[SetupFinding]:
    """Check the key folder, the keys in use and the other keys in it; each is read in the same way as by a server."""
    from frontdesk.private_files import explain_unsafe_folder

    folder = settings.keys
    if not (folder / "signing.key").exists():
        yield SetupFinding("signing key", "good", "created at the first start")
        return
    if (problem := explain_unsafe_folder(folder)) is not None:
        yield SetupFinding("keys", "bad", f"{problem}; run: chmod 700 {folder}, and check each key in it")
        return
    problems = {path: problem for path in sorted(folder.glob("*.key")) if (problem := _key_problem(path))}
    in_use = problems.pop(folder / "signing.key", "")
    yield SetupFinding("signing key", "bad" if in_use else "good", in_use or "readable only by its owner")
    if problems:
        yield SetupFinding("other keys", "bad", "; ".join(problems.values()))
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077 and settings.security.keys is None:
        yield SetupFinding("keys", "warning", f"other users can list {folder} ({mode:o}); run: chmod 700 {folder}")


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
