"""Fine-tuning on a toy task that a one-layer encoder can learn, and the graph that comes out of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from frontdesk.errors import BundleError
from frontdesk.features.row import FeatureRows
from frontdesk.scores import Scores
from runners.models.encoder import Encoder
from runners.models.member import Batch
from training.encoder import FittedEncoder, _batches, fit_encoder
from training.export_encoder import check_agreement, export_encoder, largest_difference
from training.members import MISSING, Labels
from training.profile import EncoderSettings

SETTINGS = EncoderSettings(
    architecture="distilbert", weights="minilm", layers=1, epochs=6, batch=8, learning_rate=5e-4, pooled_layers=(1, 0),
    seed=3,
)  # fmt: skip
FRUIT = ["apples please", "a ripe pear", "bananas and plums", "oranges", "two lemons", "sweet cherries"]
TOOLS = ["a hammer", "screws and nails", "this drill is loud", "a new saw", "pliers please", "the wrench"]
TEXTS = FRUIT * 4 + TOOLS * 4
NO_ROWS = FeatureRows((), np.empty((0, 0), dtype=np.float32))


@pytest.fixture(scope="module")
def fitted() -> FittedEncoder:
    intent = np.array([0] * 24 + [1] * 24)
    sentiment = np.array([MISSING] * 40 + [2] * 8)
    return fit_encoder(TEXTS, Labels(intent, sentiment), 2, 3, SETTINGS)


def test_an_encoder_learns_the_task_that_has_labels(fitted: FittedEncoder) -> None:
    scores = fitted.scores([*FRUIT, *TOOLS])
    assert (scores.intent.argmax(1) == [0] * 6 + [1] * 6).all()
    assert scores.sentiment[:, 2].min() > 0.4
    np.testing.assert_allclose(scores.intent.sum(1), 1, atol=1e-5)


def test_rows_without_any_label_of_a_task_leave_its_head_without_a_gradient_that_breaks() -> None:
    labels = Labels(np.array([0] * 24 + [1] * 24), np.full(48, MISSING))
    one_epoch = SETTINGS.model_copy(update={"epochs": 1})
    assert np.isfinite(fit_encoder(TEXTS, labels, 2, 3, one_epoch).scores(FRUIT).sentiment).all()


def test_the_same_seed_gives_the_same_encoder(fitted: FittedEncoder) -> None:
    labels = Labels(np.array([0] * 24 + [1] * 24), np.array([MISSING] * 40 + [2] * 8))
    again = fit_encoder(TEXTS, labels, 2, 3, SETTINGS)
    np.testing.assert_allclose(again.scores(FRUIT).intent, fitted.scores(FRUIT).intent, atol=1e-4)


def test_embeddings_and_lower_layers_stay_as_they_were(fitted: FittedEncoder) -> None:
    trainable = {name for name, parameter in fitted.model.named_parameters() if parameter.requires_grad}
    assert not any("embeddings" in name for name in trainable)
    frozen = fit_encoder(
        TEXTS[:8], Labels(np.zeros(8, dtype=int), np.zeros(8, dtype=int)), 2, 3,
        SETTINGS.model_copy(update={"frozen_layers": 1, "epochs": 1}),
    )  # fmt: skip
    assert {name for name, parameter in frozen.model.named_parameters() if parameter.requires_grad} == {
        "intent.weight", "intent.bias", "sentiment.weight", "sentiment.bias"
    }  # fmt: skip


def test_the_int8_graph_agrees_and_company_changes_nothing(fitted: FittedEncoder, tmp_path: Path) -> None:
    export_encoder(fitted, "distilbert", tmp_path)
    member = Encoder("distilbert", tmp_path, threads=1)
    texts = [*FRUIT, *TOOLS, "a much longer message about a hammer that came with three pears instead of nails"]
    together = member.scores(Batch(texts, NO_ROWS))
    native = fitted.scores(texts)
    assert check_agreement("distilbert", native, together, least=0.9) >= 0.9
    assert largest_difference(native, together) < 0.2
    for row, text in enumerate(texts):
        assert (member.scores(Batch([text], NO_ROWS)).intent[0] == together.intent[row]).all()


def test_too_little_agreement_is_refused_with_the_figure() -> None:
    one = Scores(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32))
    other = Scores(np.eye(2, dtype=np.float32)[::-1], np.eye(2, dtype=np.float32))
    with pytest.raises(BundleError, match=r"0\.0%"):
        check_agreement("roberta", one, other, least=0.97)


def test_batches_hold_every_row_once_and_texts_of_similar_length() -> None:
    rows = [[1] * length for length in np.random.default_rng(0).integers(1, 60, size=500)]
    parts = list(_batches(rows, 16, np.random.default_rng(1)))
    assert sorted(row for part in parts for row in part) == list(range(500))
    spread = [max(len(rows[r]) for r in part) - min(len(rows[r]) for r in part) for part in parts]
    assert np.mean(spread) < 10
