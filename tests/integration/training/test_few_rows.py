"""Data without errors in `frontdesk data check` trains, also with the fewest rows that it accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.ensemble.ensemble import Ensemble
from training.data.data_check import find_row_issues
from training.data.examples import Example, read_examples, read_rows
from training.data.taxonomy_scaffold import build_taxonomy
from training.profiles.profile import Profile, read_profile
from training.training_run import TrainingRun

pytestmark = pytest.mark.timeout(600)

MESSAGES = {
    "billing": "Invoice {0} shows the amount of order {0} twice",
    "delivery": "The courier left parcel {0} at the door of house {0}",
    "returns": "I want to send back kettle {0}, it leaks since day {0}",
}
SIDES = ("from Monday", "since the sale", "for my mother", "in blue", "by card", "at noon")


def write_rows(path: Path, count: int, *more: str) -> Path:
    rows = [f'"{text.format(n)} {SIDES[n]}",{label},' for label, text in MESSAGES.items() for n in range(count)]
    path.write_text("\n".join(["text,intent,sentiment", *rows, *more]))
    return path


def profiles() -> dict[str, Profile]:
    """The tiny profile, with out-of-fold stacking and with rows for stacking as in the default profile."""
    tiny, starter = read_profile("tiny"), read_profile("starter")
    return {"out of fold": tiny, "stacking rows": tiny.model_copy(update={"split": starter.split, "folds": 5})}


@pytest.mark.parametrize("profile", ["stacking rows", pytest.param("out of fold", marks=pytest.mark.nightly)])
def test_five_messages_of_each_intent_and_one_row_of_sentiment_only_train(tmp_path: Path, profile: str) -> None:
    path = write_rows(tmp_path / "a.csv", 5, '"So good, all of it",,positive')
    assert [issue.message for issue in find_row_issues(read_rows(path)) if issue.kind == "error"] == []
    examples: tuple[Example, ...] = read_examples(path)
    run = TrainingRun(
        examples=examples,
        profile=profiles()[profile],
        profile_name="tiny",
        taxonomy=build_taxonomy(examples),
        source="a.csv",
        work=tmp_path / "training",
        bundles=tmp_path / "bundles",
    )
    (understanding,) = Ensemble.load(run.train(lambda _: None)).understand(["Invoice 7 shows the amount twice"])
    assert understanding.intent.label in MESSAGES
