"""`frontdesk train`: train a bundle on labelled messages, register it and run the promotion gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import column_options as flags

if TYPE_CHECKING:
    from rich.console import Console

    from cli.training_input import TrainingInput
    from frontdesk.config import Settings
    from model_store.bundle import Bundle


@flags.with_column_options
def train(
    *,
    data: Annotated[Path | None, typer.Option(help=f"{flags.PATH_HELP} Default: the starter corpus.")] = None,
    profile: Annotated[str, typer.Option(help="A profile of training/profiles, or a path.")] = "starter",
    taxonomy: Annotated[
        Path | None,
        typer.Option(help="A taxonomy file. Default: the starter taxonomy; with --data, its labels without policies."),
    ] = None,
    columns: flags.ColumnNames,
    label_map: flags.LabelMapFile = None,
    withhold: Annotated[
        list[str] | None,
        typer.Option(
            metavar="INTENT", help="Leave an intent out of training and test whether it is out of scope; repeatable."
        ),
    ] = None,
    withhold_share: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Withhold this share of the intents, drawn with the seed.")
    ] = None,
    promote: Annotated[
        bool, typer.Option(help="Make the new version the champion if it passes the promotion gate.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest instead of tables.")] = False,
) -> None:
    """Train a bundle, log it in MLflow and run the promotion gate.

    The first bundle becomes champion; a later one that passes becomes challenger, or champion with --promote.
    An interrupted run can be resumed. Metrics are those of messages that were not used in training.
    """
    from rich.console import Console

    from cli.training_input import IntentsWithheldFromTraining, OwnData, read_training_input
    from frontdesk.config import load_settings
    from frontdesk.masking.masker import load_masker
    from training.data.column_mapping import ColumnMapping
    from training.profiles.profile import read_profile

    settings, console = load_settings(), Console(stderr=True)
    withheld = IntentsWithheldFromTraining(tuple(withhold or ()), withhold_share)
    own_data = OwnData(data, ColumnMapping(**columns), label_map) if data else None
    mask = load_masker(settings.masking.name_tagger).mask
    training_input = read_training_input(own_data, taxonomy, withheld, read_profile(profile).seed, console, mask)
    bundle = run_training(settings, console, training_input, profile)
    if as_json:
        typer.echo(json.dumps(json.loads(bundle.manifest.canonical()), indent=2))
    else:
        show_bundle_metrics(bundle, Console())
    report = report_path(settings, bundle)
    # Printed before the promotion gate, which may end the command.
    console.print(f"Look at: {report}", highlight=False, markup=False, soft_wrap=True)
    promote_or_challenge(settings, console, bundle, promote=promote)


def run_training(settings: Settings, console: Console, training_input: TrainingInput, profile: str) -> Bundle:
    """Train, write the report, register the bundle in MLflow and store its metrics."""
    from cli.progress import progress_display
    from frontdesk.masking.masker import masking_version
    from model_store import registry
    from training.models.curves import metric_points, read_curves
    from training.profiles.profile import read_profile
    from training.report.page import write_report
    from training.training_run import TrainingRun

    loaded_profile = read_profile(profile)
    run = TrainingRun(
        examples=training_input.examples,
        profile=loaded_profile,
        profile_name=profile,
        taxonomy=training_input.taxonomy,
        source=training_input.source,
        work=settings.home / "training",
        bundles=settings.bundles,
        masking_version=masking_version(settings.masking.name_tagger),
    )
    with progress_display(console) as show:
        bundle = run.train(lambda progress: show(progress.step, progress.completed / (progress.total + 1)))
        show("writing the report", 0.99)
        write_report(bundle, report_path(settings, bundle).parent)
        show("recording in MLflow", 0.99)
        number = registry.register_bundle(
            bundle,
            tracking_uri=settings.tracking_uri,
            experiment=settings.training.experiment,
            artifacts=settings.home / "mlflow" / "artifacts",
            parameters={"profile": profile, **loaded_profile.flatten_settings()},
            curves=metric_points(read_curves(bundle.path)),
            plots=report_path(settings, bundle).parent,
        )
        store_metrics(settings, bundle)
        show("done", 1.0)
    console.print(f"Bundle [bold]{bundle.version}[/], registered in MLflow as {settings.training.experiment} {number}.")
    return bundle


def report_path(settings: Settings, bundle: Bundle) -> Path:
    """Path of the report of a bundle. It is outside of the bundles, so that plots are not sealed into one."""
    from training.report.page import FILE_NAME

    return settings.home / "reports" / bundle.version / FILE_NAME


def promote_or_challenge(settings: Settings, console: Console, bundle: Bundle, *, promote: bool) -> None:
    """Run the promotion gate on a new bundle.

    A bundle that passes becomes champion if `promote` is set or there is no champion, else challenger.

    Raises:
        BundleError: the gate refuses a bundle that should become champion; the message has the failed checks.
    """
    from cli.audit import audit_if_possible
    from cli.promotion_report import create_console_gate_evaluation, refusal_message, show_registry_update
    from frontdesk.errors import BundleError
    from model_store.promote import promote_bundle, promote_to_challenger
    from model_store.promotion import POINTER

    evaluation = create_console_gate_evaluation(console)
    if promote or not (settings.bundles / POINTER).exists():
        result = promote_bundle(settings, bundle, evaluation, audit_if_possible, origin="trained; ")
        if result.failed_verdict:
            hint = f"To override, with a reason: frontdesk promote {bundle.version} --force REASON"
            raise BundleError(refusal_message(result.failed_verdict), field="gate", hint=hint)
        show_registry_update(settings, result, console)
        console.print("It is the champion now; the next server start will serve it.")
        return
    result = promote_to_challenger(settings, bundle, evaluation)
    if result.failed_verdict:
        console.print(
            f"{refusal_message(result.failed_verdict)}\nThe champion does not change.",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
        return
    show_registry_update(settings, result, console)
    console.print(f"The champion does not change; to serve this bundle: frontdesk promote {bundle.version}")


def store_metrics(settings: Settings, bundle: Bundle) -> None:
    """Store the held-out metrics of the ensemble in the table `model_performance`, which analytics read."""
    from datetime import UTC, datetime

    from frontdesk.storage.database import migrate, open_database
    from frontdesk.storage.sql.records import insert_performance

    migrate(settings.database_url)
    engine = open_database(settings.database_url)
    metrics = {
        f"{task}_{name}": value
        for task in ("intent", "sentiment")
        for name, value in bundle.manifest.metrics.get(task, {}).get("ensemble", {}).items()
    }
    with engine.begin() as connection:
        insert_performance(connection, "default", "ensemble", bundle.version, metrics, datetime.now(UTC))
    engine.dispose()


def show_bundle_metrics(bundle: Bundle, console: Console) -> None:
    """Print the metrics of a bundle on held-out messages."""
    from cli.metric_summary import show_metrics

    metrics: dict[str, Any] = dict(bundle.manifest.metrics)
    console.print(f"{metrics['rows']} held-out messages", highlight=False)
    show_metrics(metrics, console)
