"""Checks before a training run, its rows, and the manifest. Nothing is trained here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from frontdesk.errors import ConfigurationError
from model_store.bundle import Bundle
from tests.support.profiles import with_small_encoders
from training.profiles.profile import PROFILES, read_profile
from training.training_run import TrainingRun


def test_a_missing_library_is_named_before_any_work(
    tiny_run: TrainingRun, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.profiles.profile.ENCODER_LIBRARIES", ("torch", "a_library_nobody_has"))
    run = replace(tiny_run, profile=with_small_encoders(tiny_run.profile), work=tmp_path / "w", bundles=tmp_path / "b")
    with pytest.raises(ConfigurationError, match="need a_library_nobody_has"):
        run.train(lambda progress: None)
    assert not (tmp_path / "w").exists()


def test_no_member_learns_from_the_rows_that_the_meta_learner_learns_from(tiny_run: TrainingRun) -> None:
    run = replace(tiny_run, profile=with_small_encoders(tiny_run.profile))
    assert not set(run.data.splits.train) & set(run.data.stacking_rows)
    assert not run.data.stacks_out_of_fold
    assert tiny_run.data.stacks_out_of_fold
    assert (tiny_run.data.stacking_rows == tiny_run.data.splits.train).all()


def test_encoders_without_rows_for_stacking_are_refused(tmp_path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((PROFILES / "starter.yaml").read_text().replace("stacking: 0.14", "stacking: 0"))
    with pytest.raises(ConfigurationError, match=r"split\.stacking above 0"):
        read_profile(str(wrong))


def test_the_manifest_says_what_the_bundle_was_made_of(tiny_bundle: Bundle) -> None:
    manifest = tiny_bundle.manifest
    data = manifest.data
    assert data["rows"] == data["train"] + data["calibration"] + data["test"]
    assert len(manifest.intents) == 27
    assert set(manifest.metrics["intent"]) == {*manifest.members, "soft_vote", "ensemble"}
    assert manifest.metrics["intent"]["ensemble"]["accuracy"] > 0.3  # 27 intents: guessing gives 0.04


@pytest.mark.parametrize("path", sorted(PROFILES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_profile_can_be_read(path) -> None:
    profile = read_profile(path.stem)
    assert sum(profile.split.model_dump(exclude={"most_held_out"}).values()) == pytest.approx(1)
    assert "random_forest.n_estimators" in profile.flatten_settings()


def test_an_unknown_profile_names_those_there_are(tmp_path) -> None:
    with pytest.raises(ConfigurationError, match="cpu, production, starter, tiny"):
        read_profile("huge")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((PROFILES / "tiny.yaml").read_text().replace("folds: 3", "folds: 1"))
    with pytest.raises(ConfigurationError, match="folds"):
        read_profile(str(wrong))
