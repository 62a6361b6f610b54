"""The training run as a whole, on the tiny profile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from frontdesk.errors import ConfigurationError
from model_store.bundle import Bundle, open_bundle
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.warm_up import warm_up
from tests.support.profiles import with_small_encoders
from training.data.held_out import read_held_out
from training.data.withheld_intents import withhold
from training.evaluation.comparison import measure
from training.profiles.profile import PROFILES, read_profile
from training.progress import Progress
from training.run import TrainingRun


def test_an_interrupted_run_goes_on_with_the_first_stage_that_is_not_done(tiny_run: TrainingRun, tmp_path) -> None:
    class Interrupted(Exception):
        pass

    tiny_run = replace(tiny_run, profile=with_small_encoders(tiny_run.profile))
    run = replace(tiny_run, work=tmp_path / "work", bundles=tmp_path / "bundles")

    def stop_before_calibrating(progress: Progress) -> None:
        if progress.doing == "calibrating":
            raise Interrupted

    with pytest.raises(Interrupted):
        run.train(stop_before_calibrating)
    (run.work / run.key / "encoders.done").unlink()  # as if it had been stopped while roberta was fine-tuned
    (run.work / run.key / "roberta.json").unlink()
    finished = run.work / run.key / "bundle" / "members" / "distilbert.onnx"
    repeated = run.work / run.key / "bundle" / "members" / "roberta.onnx"
    before = finished.stat().st_mtime_ns, repeated.stat().st_mtime_ns

    again = replace(tiny_run, work=tmp_path / "work", bundles=tmp_path / "bundles")
    told: list[str] = []
    kept: list[tuple[int, int]] = []

    def look(progress: Progress) -> None:
        told.append(progress.doing)
        if progress.doing == "calibrating":
            kept.append((finished.stat().st_mtime_ns, repeated.stat().st_mtime_ns))

    bundle = again.train(look)
    assert told[0] == "fine-tuning distilbert and roberta"
    assert kept[0][0] == before[0]
    assert kept[0][1] > before[1]
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
    assert len({progress.done for progress in told if "fine-tuning" in progress.doing}) > 5
    assert bundle.manifest.members[-2:] == ("distilbert", "roberta")
    assert {"members/roberta.onnx", "members/roberta.fp16.onnx", "members/roberta.fp32.onnx"} < set(
        bundle.manifest.files
    )
    assert {"curves/distilbert.json", "curves/roberta.json"} < set(bundle.manifest.files)
    assert set(bundle.manifest.metrics["error_detection"]) == {
        "confidence", "member_disagreement", "head_dropout", "head_dropout_same_rows", "full_dropout"
    }  # fmt: skip
    assert set(bundle.manifest.metrics["ablation"]["intent"]) == {f"without_{name}" for name in bundle.manifest.members}
    assert set(bundle.manifest.metrics["cost_ms"]) == {*bundle.manifest.members, "ensemble"}
    warm_up(Ensemble.load(open_bundle(bundle.path)), bundle)


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
    assert not set(run.data.splits.train) & set(run.data.stacking)
    assert not run.data.out_of_fold
    assert tiny_run.data.out_of_fold
    assert (tiny_run.data.stacking == tiny_run.data.splits.train).all()


def test_encoders_without_rows_for_stacking_are_refused(tmp_path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((PROFILES / "starter.yaml").read_text().replace("stacking: 0.14", "stacking: 0"))
    with pytest.raises(ConfigurationError, match=r"split\.stacking above 0"):
        read_profile(str(wrong))


def test_data_without_sentiment_borrows_it_and_says_so(tiny_run: TrainingRun, tmp_path) -> None:
    chosen = [replace(row, sentiment=None) for row in tiny_run.examples if row.intent in ("review", "get_refund")]
    profile = tiny_run.profile.model_copy(update={"borrowed_sentiment_rows": 300})
    run = replace(tiny_run, examples=chosen, profile=profile, work=tmp_path / "w", bundles=tmp_path / "b")
    bundle = run.train(lambda progress: None)
    assert bundle.manifest.intents == ("get_refund", "review")
    assert bundle.manifest.metrics["borrowed_sentiment"] == {"rows": 300}
    assert bundle.manifest.metrics["sentiment"]["ensemble"]["accuracy"] > 0.5


def test_withheld_intents_ask_whether_what_is_near_is_noticed(tiny_run: TrainingRun, tmp_path) -> None:
    profile = tiny_run.profile.model_copy(update={"rows_per_intent": 12})
    examples = withhold(tiny_run.examples, ("get_refund", "review"))
    run = replace(tiny_run, examples=examples, profile=profile, work=tmp_path / "w", bundles=tmp_path / "b")
    bundle = run.train(lambda progress: None)
    scope = bundle.manifest.metrics["scope"]
    assert "review" not in bundle.manifest.intents
    assert scope["near_rows"] == 12
    assert scope["rows"] > 0
    assert 0 <= scope["near_recall"] <= 1
    assert sum(row.near for row in read_held_out(bundle)) == 12
    _, challenger = measure(None, bundle)
    assert challenger.truth.count("out_of_scope") == scope["rows"]


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
    assert sum(profile.split.model_dump(exclude={"most_held_out"}).values()) == pytest.approx(1)
    assert "random_forest.n_estimators" in profile.flat()


def test_an_unknown_profile_names_those_there_are(tmp_path) -> None:
    with pytest.raises(ConfigurationError, match="cpu, production, starter, tiny"):
        read_profile("huge")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((PROFILES / "tiny.yaml").read_text().replace("folds: 3", "folds: 1"))
    with pytest.raises(ConfigurationError, match="folds"):
        read_profile(str(wrong))
