"""Whole training runs on the tiny profile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from model_store.bundle import Bundle, open_bundle
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.warm_up import warm_up
from tests.support.profiles import with_small_encoders
from training.data.held_out import read_held_out
from training.data.withheld_intents import withhold_from_training
from training.evaluation.comparison import measure_for_promotion_gate
from training.progress import Progress
from training.training_run import TrainingRun

pytestmark = pytest.mark.timeout(600)


class Interrupted(Exception):
    pass


@dataclass(frozen=True)
class Resumed:
    """A run with encoders that was interrupted before calibration, and again while it fine-tuned the second encoder.

    `first` and `second` are the reports of progress before and after the interruption; `written` are the modification
    times of both encoders at the interruption and when they were used.
    """

    run: TrainingRun
    bundle: Bundle
    first: list[Progress]
    second: list[Progress]
    written: dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def resumed(tiny_run: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> Resumed:
    folder = tmp_path_factory.mktemp("resumed")
    profile = with_small_encoders(tiny_run.profile)
    run = replace(tiny_run, profile=profile, work=folder / "work", bundles=folder / "bundles")
    files = {name: run.work / run.key / "bundle" / "members" / f"{name}.onnx" for name in ("distilbert", "roberta")}
    first: list[Progress] = []
    second: list[Progress] = []
    at_use: dict[str, int] = {}

    def stop_before_calibrating(progress: Progress) -> None:
        first.append(progress)
        if progress.step == "calibrating":
            raise Interrupted

    def note_times(progress: Progress) -> None:
        second.append(progress)
        if progress.step == "calibrating":
            at_use.update((name, file.stat().st_mtime_ns) for name, file in files.items())

    with pytest.raises(Interrupted):
        run.train(stop_before_calibrating)
    (run.work / run.key / "encoders.done").unlink()  # as if it had been stopped while roberta was fine-tuned
    (run.work / run.key / "roberta.json").unlink()
    at_interruption = {name: file.stat().st_mtime_ns for name, file in files.items()}
    again = replace(tiny_run, profile=profile, work=folder / "work", bundles=folder / "bundles")
    bundle = again.train(note_times)
    return Resumed(again, bundle, first, second, {name: (at_interruption[name], at_use[name]) for name in files})


def test_an_interrupted_run_goes_on_with_the_first_stage_that_is_not_done(resumed: Resumed) -> None:
    assert resumed.second[0].step == "fine-tuning distilbert and roberta"
    before, used = resumed.written["distilbert"]
    assert used == before
    before, used = resumed.written["roberta"]
    assert used > before
    open_bundle(resumed.bundle.path)
    assert not (resumed.run.work / resumed.run.key).exists()


def test_progress_only_grows_and_ends_at_the_total(resumed: Resumed) -> None:
    for reports in (resumed.first, resumed.second):
        completed = [progress.completed for progress in reports]
        assert completed == sorted(completed)
        assert len({progress.total for progress in reports}) == 1
    assert resumed.first[0].completed == 0
    assert resumed.second[0].completed > 0
    assert resumed.second[-1].completed == pytest.approx(resumed.second[-1].total)
    assert resumed.second[-1].total == resumed.first[-1].total
    assert len({progress.completed for progress in resumed.first if "fine-tuning" in progress.step}) > 5


def test_a_bundle_with_encoders_has_their_graphs_curves_and_metrics(resumed: Resumed) -> None:
    bundle = resumed.bundle
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


def test_data_without_sentiment_borrows_it_and_says_so(tiny_run: TrainingRun, tmp_path: Path) -> None:
    selected = [replace(row, sentiment=None) for row in tiny_run.examples if row.intent in ("review", "get_refund")]
    profile = tiny_run.profile.model_copy(update={"borrowed_sentiment_rows": 300})
    run = replace(tiny_run, examples=selected, profile=profile, work=tmp_path / "w", bundles=tmp_path / "b")
    bundle = run.train(lambda progress: None)
    assert bundle.manifest.intents == ("get_refund", "review")
    assert bundle.manifest.metrics["borrowed_sentiment"] == {"rows": 300}
    assert bundle.manifest.metrics["sentiment"]["ensemble"]["accuracy"] > 0.5


def test_withheld_intents_ask_whether_what_is_near_is_noticed(tiny_run: TrainingRun, tmp_path: Path) -> None:
    profile = tiny_run.profile.model_copy(update={"rows_per_intent": 12})
    examples = withhold_from_training(tiny_run.examples, ("get_refund", "review"))
    run = replace(tiny_run, examples=examples, profile=profile, work=tmp_path / "w", bundles=tmp_path / "b")
    bundle = run.train(lambda progress: None)
    scope = bundle.manifest.metrics["scope"]
    assert "review" not in bundle.manifest.intents
    assert scope["near_rows"] == 12
    assert scope["rows"] > 0
    assert 0 <= scope["near_recall"] <= 1
    assert sum(row.near for row in read_held_out(bundle)) == 12
    _, challenger = measure_for_promotion_gate(None, bundle)
    assert challenger.truth.count("out_of_scope") == scope["rows"]


@pytest.fixture(scope="module")
def repeated(tiny_run: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, list[Progress]]:
    """The tiny bundle trained once more, without an interruption."""
    folder = tmp_path_factory.mktemp("repeated")
    reports: list[Progress] = []
    return replace(tiny_run, work=folder / "work", bundles=folder / "bundles").train(reports.append), reports


def test_the_same_data_profile_and_code_give_the_same_models(
    repeated: tuple[Bundle, list[Progress]], tiny_bundle: Bundle
) -> None:
    again, _ = repeated
    assert again.manifest.feature_fingerprint == tiny_bundle.manifest.feature_fingerprint
    assert again.manifest.metrics["intent"] == tiny_bundle.manifest.metrics["intent"]
    assert again.manifest.files == tiny_bundle.manifest.files


def test_progress_without_an_interruption_goes_from_zero_to_the_total(
    repeated: tuple[Bundle, list[Progress]],
) -> None:
    _, reports = repeated
    completed = [progress.completed for progress in reports]
    assert completed == sorted(completed)
    assert completed[0] == 0
    assert completed[-1] == pytest.approx(reports[-1].total)
