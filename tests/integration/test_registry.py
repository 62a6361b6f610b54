"""A real MLflow, on SQLite, in a private folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_store import registry
from model_store.bundle import Bundle, open_bundle


@pytest.fixture
def places(tmp_path: Path) -> dict[str, object]:
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

    number = registry.record(tiny_bundle, **places)
    registry.mark_champion(number, tracking_uri=places["tracking_uri"], experiment="frontdesk-test")
    client = MlflowClient(tracking_uri=places["tracking_uri"])
    version = client.get_model_version_by_alias("frontdesk-test", "champion")
    run = client.get_run(version.run_id).data
    assert version.tags["bundle"] == tiny_bundle.version
    assert run.params["data_sha256"] == tiny_bundle.manifest.data["sha256"]
    assert run.params["seed"] == "13"
    assert run.metrics["intent.ensemble.accuracy"] == tiny_bundle.manifest.metrics["intent"]["ensemble"]["accuracy"]
    restored = client.download_artifacts(version.run_id, "bundle")
    assert open_bundle(Path(restored)).version == tiny_bundle.version


def test_a_second_record_is_the_next_version_of_the_same_model(tiny_bundle: Bundle, places: dict[str, object]) -> None:
    assert [registry.record(tiny_bundle, **places) for _ in range(2)] == ["1", "2"]
