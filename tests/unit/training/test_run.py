"""The training run as a whole, on the tiny profile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from frontdesk.errors import ConfigurationError
from model_store.bundle import Bundle, open_bundle
from runners.ensemble import Ensemble
from runners.warm_up import warm_up
from tests.profiles import with_small_encoders
from training.profile import PROFILES, read_profile
from training.run import TrainingRun
from training.stages import Progress


def test_an_interrupted_run_goes_on_with_the_first_stage_that_is_not_done(tiny_run: TrainingRun, tmp_path) -> None:
    class Interrupted(Exception):
        pass

    tiny_run = replace(tiny_run, profile=with_small_encoders(tiny_run.profile))
    run = replace(tiny_run, work=tmp_path / "work", bundles=tmp_path / "bundles")
    told: list[str] = []

    def stop_before_roberta(progress: Progress) -> None:
        told.append(progress.doing)
        if progress.doing == "fine-tuning roberta":
            raise Interrupted

    with pytest.raises(Interrupted):
        run.train(stop_before_roberta)
    finished = {path.name: path.stat().st_mtime_ns for path in (run.work / run.key).glob("*.npz")}
    assert set(finished) == {"fold-0.npz", "blend-distilbert.npz"}

    again = replace(tiny_run, work=tmp_path / "work", bundles=tmp_path / "bundles")
    kept: dict[str, int] = {}

    def look(progress: Progress) -> None:
        if progress.doing == "calibrating":
            kept.update({path.name: path.stat().st_mtime_ns for path in (again.work / again.key).glob("*.npz")})

    bundle = again.train(look)
    assert {name: kept[name] for name in finished} == finished
    open_bundle(bundle.path)
    assert not (again.work / again.key).exists()


def test_progress_only_grows_and_ends_at_the_total(tiny_run: TrainingRun, tmp_path) -> None:
    told: list[Progress] = []
    run = replace(tiny_run, profile=with_small_encoders(tiny_run.profile), work=tmp_path / "w", bundles=tmp_path / "b")
    bundle = run.train(told.append)
    done = [progress.done for progress in told]
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == pytest.approx(told[-1].total)
    assert len({progress.done for progress in told if progress.doing == "fine-tuning roberta"}) > 5
    assert bundle.manifest.members[-2:] == ("distilbert", "roberta")
    assert {"members/roberta.onnx", "members/roberta.fp16.onnx", "members/roberta.fp32.onnx"} < set(
        bundle.manifest.files
    )
    assert {"curves/distilbert.json", "curves/roberta.json"} < set(bundle.manifest.files)
    assert set(bundle.manifest.metrics["error_detection"]) == {"confidence", "member_disagreement", "head_dropout"}
    warm_up(Ensemble.load(open_bundle(bundle.path)), bundle)


def test_a_missing_library_is_named_before_any_work(
    tiny_run: TrainingRun, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.profile.ENCODER_LIBRARIES", ("torch", "a_library_nobody_has"))
    run = replace(tiny_run, profile=with_small_encoders(tiny_run.profile), work=tmp_path / "w", bundles=tmp_path / "b")
    with pytest.raises(ConfigurationError, match="need a_library_nobody_has"):
        run.train(lambda progress: None)
    assert not (tmp_path / "w").exists()


def test_the_meta_learner_learns_of_encoders_on_rows_that_they_did_not_see(tiny_run: TrainingRun) -> None:
    run = replace(tiny_run, profile=with_small_encoders(tiny_run.profile))
    assert not set(run.data.beside_blend) & set(run.data.stacking)
    assert sorted([*run.data.beside_blend, *run.data.stacking]) == sorted(run.data.splits.train)


def test_the_same_data_profile_and_code_give_the_same_models(
    tiny_run: TrainingRun, tiny_bundle: Bundle, tmp_path
) -> None:
    again = replace(tiny_run, work=tmp_path / "w", bundles=tmp_path / "b").train(lambda progress: None)
    assert again.manifest.feature_fingerprint == tiny_bundle.manifest.feature_fingerprint
    assert again.manifest.metrics["intent"] == tiny_bundle.manifest.metrics["intent"]
    assert again.manifest.files == tiny_bundle.manifest.files


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
    assert sum(profile.split.model_dump().values()) == pytest.approx(1)
    assert "random_forest.n_estimators" in profile.flat()


def test_an_unknown_profile_names_those_there_are(tmp_path) -> None:
    with pytest.raises(ConfigurationError, match="cpu, production, starter, tiny"):
        read_profile("huge")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((PROFILES / "tiny.yaml").read_text().replace("folds: 3", "folds: 1"))
    with pytest.raises(ConfigurationError, match="folds"):
        read_profile(str(wrong))
