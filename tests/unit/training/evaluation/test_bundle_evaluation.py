from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model_store.bundle import Bundle
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.prediction import EnsemblePrediction
from training.data.examples import Example
from training.data.labels import MISSING
from training.evaluation.bundle_evaluation import evaluate_bundle, list_confusions, measure_intent_accuracy

LABELS = ("apple", "pear", "plum")
CHOSEN = np.array([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.8, 0.2, 0.0], [0.1, 0.9, 0.0], [0.0, 0.3, 0.7]])
TRUTH = np.array([0, 1, 1, 2, MISSING])
TEXTS = ["a", "unsure", "sure", "c", "d"]


@pytest.fixture(scope="module")
def ensemble(tiny_bundle: Bundle) -> Ensemble:
    return Ensemble.load(tiny_bundle)


def test_the_most_confused_pair_comes_first_with_the_message_on_which_the_bundle_was_surest() -> None:
    result = list_confusions(EnsemblePrediction((), CHOSEN, CHOSEN), TRUTH, LABELS, TEXTS)
    assert [(of.intent, of.taken_for, of.rows, of.example) for of in result] == [
        ("pear", "apple", 2, "sure"),
        ("plum", "pear", 1, "c"),
    ]


def test_intents_are_listed_worst_first_and_those_without_rows_not_at_all() -> None:
    result = measure_intent_accuracy(EnsemblePrediction((), CHOSEN[:3], CHOSEN[:3]), TRUTH[:3], LABELS)
    assert [(of.intent, of.rows, of.accuracy) for of in result] == [("pear", 2, 0.0), ("apple", 1, 1.0)]


def test_labels_that_the_bundle_lacks_are_counted_and_left_out(ensemble: Ensemble) -> None:
    rows = [
        Example("where is my parcel", "track_order", "neutral", "1"),
        Example("my card was swallowed", "card_swallowed", None, "2"),
        Example("my card was eaten", "card_swallowed", None, "3"),
    ]
    result = evaluate_bundle(ensemble, rows)
    assert result.unknown == {"card_swallowed": 2}
    assert [(of.intent, of.rows) for of in result.intents] == [("track_order", 1)]
    assert result.figures["scope"]["recall"] == 0.0
    assert result.latency.p95_ms >= result.latency.p50_ms > 0


def test_labels_that_the_bundle_lacks_can_count_as_out_of_scope(ensemble: Ensemble) -> None:
    rows = [Example("zxq wvu", "card_swallowed", None, str(number)) for number in range(3)]
    result = evaluate_bundle(ensemble, rows, unknown_is_out_of_scope=True)
    prediction = ensemble.predict(["zxq wvu"])
    flagged = 1.0 - prediction.intent.sum() > ensemble.calibration.out_of_scope_threshold
    assert result.figures["scope"]["recall"] == float(flagged)
    assert (result.figures["intent"], result.figures["sentiment"], result.intents) == ({}, {}, ())


def test_examples_of_confusions_are_masked(ensemble: Ensemble, tmp_path: Path) -> None:
    from training.data.column_mapping import ColumnMapping
    from training.data.examples import read_examples

    file = tmp_path / "a.csv"
    file.write_text("text,category\nwrite to tom@example.com,review\nwrite to tom@example.com,complaint\n")
    result = evaluate_bundle(ensemble, read_examples(file, ColumnMapping(intent="category")))
    assert result.confused
    assert all(of.example == "write to [EMAIL_1]" for of in result.confused)
