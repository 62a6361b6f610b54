"""Record training runs in MLflow: the data, metrics, curves, plots and files of each run.

MLflow is imported in this module only, and only to record something: a server does not need it. The aliases `champion`
and `challenger` follow the local pointer; they have no effect on serving.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from model_store.bundle import Bundle

if TYPE_CHECKING:
    from mlflow import MlflowClient

DIGEST_CHARACTERS = 36


class RegistryUnavailable(Exception):
    """MLflow could not be updated; the changes on this machine remain."""


def register_bundle(
    bundle: Bundle,
    *,
    tracking_uri: str,
    experiment: str,
    artifacts: Path,
    parameters: Mapping[str, Any],
    curves: Iterable[tuple[str, int, float]] = (),
    plots: Path | None = None,
) -> str:
    """Log the bundle as an MLflow run and register it as a version of `experiment`.

    Args:
        artifacts: where MLflow stores files; used when the experiment is created.
        parameters: the profile's settings, flattened to dotted names.
        curves: (metric, step, value) during the training.
        plots: a folder of pictures, stored under `plots/`.

    Returns:
        The number of the registered version in MLflow.
    """
    with _quiet_mlflow():
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        artifacts.mkdir(parents=True, exist_ok=True)
        if tracking_uri.startswith("sqlite:///"):
            Path(tracking_uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
        existing = client.get_experiment_by_name(experiment)
        experiment_id = existing.experiment_id if existing else client.create_experiment(experiment, artifacts.as_uri())
        run = client.create_run(experiment_id, run_name=bundle.version)
        _log_parameters_and_metrics(client, run.info.run_id, bundle, parameters, curves)
        _log_dataset(client, run.info.run_id, bundle)
        client.log_artifacts(run.info.run_id, str(bundle.path), "bundle")
        if plots is not None:
            client.log_artifacts(run.info.run_id, str(plots), "plots")
        client.set_terminated(run.info.run_id)
        try:
            client.create_registered_model(experiment)
        except MlflowException:
            client.get_registered_model(experiment)  # it exists already; another error is raised again here
        registered = client.create_model_version(
            experiment,
            source=f"{run.info.artifact_uri}/bundle",
            run_id=run.info.run_id,
            tags={"bundle": bundle.version},
        )
        return str(registered.version)


def _log_parameters_and_metrics(
    client: MlflowClient,
    run_id: str,
    bundle: Bundle,
    parameters: Mapping[str, Any],
    curves: Iterable[tuple[str, int, float]],
) -> None:
    """Log parameters, final metrics and curves, in as few calls as MLflow's limits allow."""
    from mlflow.entities import Metric, Param
    from mlflow.utils.validation import MAX_METRICS_PER_BATCH, MAX_PARAMS_TAGS_PER_BATCH

    values = {**parameters, "data_sha256": bundle.manifest.data["sha256"]}
    params = [Param(name, str(value)) for name, value in values.items()]
    for first in range(0, len(params), MAX_PARAMS_TAGS_PER_BATCH):
        client.log_batch(run_id, params=params[first : first + MAX_PARAMS_TAGS_PER_BATCH])
    now = time.time_ns() // 1_000_000
    metrics = [Metric(name, value, now, 0) for name, value in _flatten(_overall_metrics(bundle))]
    metrics += [Metric(name, value, now, step) for name, step, value in curves]
    for first in range(0, len(metrics), MAX_METRICS_PER_BATCH):
        client.log_batch(run_id, metrics=metrics[first : first + MAX_METRICS_PER_BATCH])


def _log_dataset(client: MlflowClient, run_id: str, bundle: Bundle) -> None:
    """Log the data as an MLflow dataset, which MLflow lists with the run.

    MLflow stores 36 characters of a digest; the whole SHA-256 is in the source and in the parameter `data_sha256`.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data = bundle.manifest.data
    source = {"tags": {"source": data["source"], "sha256": data["sha256"]}}
    profile = {"num_rows": data["rows"], **{part: data[part] for part in ("train", "calibration", "test")}}
    dataset = Dataset(
        name=data["source"],
        digest=data["sha256"][:DIGEST_CHARACTERS],
        source_type="code",
        source=json.dumps(source),
        profile=json.dumps(profile),
    )
    client.log_inputs(run_id, datasets=[DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])


def set_bundle_alias(
    alias: Literal["champion", "challenger"], bundle: str, *, tracking_uri: str, experiment: str
) -> str:
    """Give `alias` to the registered version of the bundle `bundle` and return the version's number.

    A challenger that becomes champion loses the alias `challenger`.

    Raises:
        RegistryUnavailable: MLflow is not installed or unavailable, or has no record of this bundle.
    """
    database = tracking_uri.removeprefix("sqlite:///")
    if database != tracking_uri and not Path(database).exists():
        raise RegistryUnavailable("there is no MLflow database yet")
    try:
        with _quiet_mlflow():
            from mlflow import MlflowClient
            from mlflow.exceptions import MlflowException

            client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
            try:
                versions = client.search_model_versions(f"name = '{experiment}'")
                matching = [version for version in versions if version.tags.get("bundle") == bundle]
                if not matching:
                    raise RegistryUnavailable(f"MLflow has no record of {bundle}")
                number = str(max(int(version.version) for version in matching))
                client.set_registered_model_alias(experiment, alias, number)
                challenger = client.get_registered_model(experiment).aliases.get("challenger")
                if alias == "champion" and str(challenger) == number:
                    client.delete_registered_model_alias(experiment, "challenger")
            except MlflowException as error:
                raise RegistryUnavailable(f"MLflow answered: {error}") from error
    except ModuleNotFoundError as error:
        raise RegistryUnavailable(f"{error.name} is not installed here") from None
    return number


def _overall_metrics(bundle: Bundle) -> Mapping[str, Any]:
    """The metrics without those per intent: there are hundreds, and MLflow rejects some characters of the labels."""
    return {name: value for name, value in bundle.manifest.metrics.items() if name != "per_intent"}


def _flatten(metrics: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, (int, float)):
            yield f"{prefix}{name}", float(value)


@contextmanager
def _quiet_mlflow() -> Iterator[None]:
    """Suppress MLflow's telemetry, and the output of its migrations."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    import mlflow  # sets its log levels on import, so it must be first

    loggers = [logging.getLogger(name) for name in (mlflow.__name__, "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
