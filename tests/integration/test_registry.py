"""A real MLflow, on SQLite, in a private folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from model_store import registry
from model_store.bundle import Bundle, open_bundle


@pytest.fixture
def places(tmp_path: Path, empty_mlflow: Path) -> dict[str, object]:
    shutil.copytree(empty_mlflow, tmp_path / "mlflow")
    return {
        "tracking_uri": f"sqlite:///{tmp_path}/mlflow/mlflow.db",
        "experiment": "frontdesk-test",
        "artifacts": tmp_path / "mlflow" / "artifacts",
        "parameters": {"profile": "tiny", "seed": 13},
    }


def test_a_bundle_becomes_a_run_and_a_registered_version_that_can_be_restored(
    tiny_bundle: Bundle, places: dict[str, object]
) -> None:
    from mlflow import MlflowClient

    number = registry.register_bundle(tiny_bundle, **places)
    here = {"tracking_uri": places["tracking_uri"], "experiment": "frontdesk-test"}
    assert registry.set_bundle_alias("champion", tiny_bundle.version, **here) == number
    client = MlflowClient(tracking_uri=places["tracking_uri"])
    version = client.get_model_version_by_alias("frontdesk-test", "champion")
    run = client.get_run(version.run_id).data
    assert version.tags["bundle"] == tiny_bundle.version
    assert run.params["data_sha256"] == tiny_bundle.manifest.data["sha256"]
    assert run.params["seed"] == "13"
    assert run.metrics["intent.ensemble.accuracy"] == tiny_bundle.manifest.metrics["intent"]["ensemble"]["accuracy"]
    restored = client.download_artifacts(version.run_id, "bundle")
    assert open_bundle(Path(restored)).version == tiny_bundle.version


def test_curves_keep_their_steps_and_pictures_lie_beside_the_bundle(
    tiny_bundle: Bundle, places: dict[str, object], tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    plots = tmp_path / "report"
    plots.mkdir()
    (plots / "report.html").write_text("<!doctype html>")
    (plots / "members.png").write_bytes(b"\x89PNG")
    more_than_one_call_takes = 1200
    curve = [("curves/roberta.loss", step, 1.0 / step) for step in range(1, more_than_one_call_takes + 1)]
    registry.register_bundle(tiny_bundle, **places, curves=curve, plots=plots)
    client = MlflowClient(tracking_uri=places["tracking_uri"])
    run_id = client.get_model_version("frontdesk-test", "1").run_id
    history = client.get_metric_history(run_id, "curves/roberta.loss")
    assert sorted((point.step, point.value) for point in history) == [(step, value) for _, step, value in curve]
    assert {file.path for file in client.list_artifacts(run_id)} == {"bundle", "plots"}
    assert {file.path for file in client.list_artifacts(run_id, "plots")} == {"plots/members.png", "plots/report.html"}
    assert not [file for file in client.list_artifacts(run_id, "bundle") if file.path.endswith(("png", "html"))]


def test_the_data_is_an_input_of_the_run(tiny_bundle: Bundle, places: dict[str, object]) -> None:
    from mlflow import MlflowClient

    registry.register_bundle(tiny_bundle, **places)
    client = MlflowClient(tracking_uri=places["tracking_uri"])
    (results,) = client.get_run(client.get_model_version("frontdesk-test", "1").run_id).inputs.dataset_inputs
    data = tiny_bundle.manifest.data
    assert results.dataset.name == data["source"]
    assert data["sha256"].startswith(results.dataset.digest)
    assert data["sha256"] in results.dataset.source
    assert json.loads(results.dataset.profile) == {
        "num_rows": data["rows"],
        "train": data["train"],
        "calibration": data["calibration"],
        "test": data["test"],
    }
    assert [(tag.key, tag.value) for tag in results.tags] == [("mlflow.data.context", "training")]


def test_a_second_record_is_the_next_version_of_the_same_model(tiny_bundle: Bundle, places: dict[str, object]) -> None:
    assert [registry.register_bundle(tiny_bundle, **places) for _ in range(2)] == ["1", "2"]


def test_a_challenger_that_becomes_champion_is_no_challenger_any_more(
    tiny_bundle: Bundle, places: dict[str, object]
) -> None:
    from mlflow import MlflowClient

    number = registry.register_bundle(tiny_bundle, **places)
    here = {"tracking_uri": places["tracking_uri"], "experiment": "frontdesk-test"}
    aliases = []
    for alias in ("challenger", "champion"):
        registry.set_bundle_alias(alias, tiny_bundle.version, **here)
        aliases.append(MlflowClient(tracking_uri=here["tracking_uri"]).get_registered_model("frontdesk-test").aliases)
    assert [{name: str(results) for name, results in of.items()} for of in aliases] == [
        {"challenger": number},
        {"champion": number},
    ]


def test_what_the_registry_does_not_know_is_said_by_name(
    tiny_bundle: Bundle, places: dict[str, object], tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "mlflow")
    here = {"tracking_uri": places["tracking_uri"], "experiment": "frontdesk-test"}
    with pytest.raises(registry.RegistryUnavailable, match="no MLflow database"):
        registry.set_bundle_alias("champion", tiny_bundle.version, **here)
    registry.register_bundle(tiny_bundle, **places)
    with pytest.raises(registry.RegistryUnavailable, match="20260101-none"):
        registry.set_bundle_alias("champion", "20260101-none", **here)
