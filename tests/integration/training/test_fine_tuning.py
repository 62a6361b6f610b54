"""Fine-tuning on a toy task that a one-layer encoder can learn, and export of its graphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from frontdesk.errors import BundleError
from frontdesk.features.extractor import FeatureBatch
from frontdesk.scores import Scores
from runners.models.base_model import ModelBatch
from runners.models.onnx_encoder import Encoder, Precision, dropout_masks
from training.data.labels import MISSING, EncodedLabels
from training.models.encoder_export import (
    check_fp32_difference,
    check_int8_agreement,
    export_encoder,
    largest_difference,
)
from training.models.fine_tuning import (
    FittedEncoder,
    _batches,
    _dropout_inconsistency,
    _split_batch_by_tokens,
    fit_encoder,
)
from training.profiles.profile import EncoderSettings

SETTINGS = EncoderSettings(
    architecture="distilbert", weights="minilm", layers=1, epochs=6, batch=8, learning_rate=5e-4, pooled_layers=(1, 0),
    seed=3,
)  # fmt: skip
FRUIT = ["apples please", "a ripe pear", "bananas and plums", "oranges", "two lemons", "sweet cherries"]
TOOLS = ["a hammer", "screws and nails", "this drill is loud", "a new saw", "pliers please", "the wrench"]
TEXTS = FRUIT * 4 + TOOLS * 4
NO_ROWS = FeatureBatch((), np.empty((0, 0), dtype=np.float32))


@pytest.fixture(scope="module")
def fitted() -> FittedEncoder:
    intent = np.array([0] * 24 + [1] * 24)
    sentiment = np.array([MISSING] * 40 + [2] * 8)
    return fit_encoder(TEXTS, EncodedLabels(intent, sentiment), 2, 3, SETTINGS)


def test_the_learning_curve_has_every_step_and_falls(fitted: FittedEncoder) -> None:
    losses = [step.loss for step in fitted.curve]
    assert [step.step for step in fitted.curve] == list(range(1, 6 * 48 // 8 + 1))
    assert np.mean(losses[-6:]) < np.mean(losses[:6]) / 2


def test_an_encoder_learns_the_task_that_has_labels(fitted: FittedEncoder) -> None:
    scores = fitted.scores([*FRUIT, *TOOLS])
    assert (scores.intent.argmax(1) == [0] * 6 + [1] * 6).all()
    assert scores.sentiment[:, 2].min() > 0.4
    np.testing.assert_allclose(scores.intent.sum(1), 1, atol=1e-5)


def test_rows_without_any_label_of_a_task_leave_its_head_without_a_gradient_that_breaks() -> None:
    labels = EncodedLabels(np.array([0] * 24 + [1] * 24), np.full(48, MISSING))
    one_epoch = SETTINGS.model_copy(update={"epochs": 1})
    assert np.isfinite(fit_encoder(TEXTS, labels, 2, 3, one_epoch).scores(FRUIT).sentiment).all()


def test_an_encoder_that_is_to_agree_with_itself_learns_the_task_too(fitted: FittedEncoder) -> None:
    labels = EncodedLabels(np.array([0] * 24 + [MISSING] * 4 + [1] * 20), np.full(48, MISSING))
    consistent = fit_encoder(TEXTS, labels, 2, 3, SETTINGS.model_copy(update={"consistency": 0.5}))
    assert (consistent.scores([*FRUIT, *TOOLS]).intent.argmax(1) == [0] * 6 + [1] * 6).all()
    assert consistent.curve[0].loss != fitted.curve[0].loss


def test_the_inconsistency_of_two_equal_passes_is_nothing_and_rows_without_intent_do_not_count() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [2.0, 0.0], [3.0, 0.0]])
    assert _dropout_inconsistency(logits, np.array([True, False])).item() == pytest.approx(0)
    assert _dropout_inconsistency(logits, np.array([True, True])).item() > 0.1
    assert _dropout_inconsistency(logits, np.array([False, False])).item() == 0


def test_full_dropout_is_more_uncertain_about_unfamiliar_texts(fitted: FittedEncoder) -> None:
    familiar = fitted.intents_under_dropout([*FRUIT, *TOOLS], seed=1)
    strange = fitted.intents_under_dropout(["what is the weather in Oslo", "pears with hammers"], seed=1)
    np.testing.assert_allclose(familiar.mean.sum(1), 1, atol=1e-4)
    assert strange.entropy.mean() > familiar.entropy.mean()
    assert not fitted.model.training
    again = fitted.intents_under_dropout([*FRUIT, *TOOLS], seed=1)
    np.testing.assert_allclose(again.mean, familiar.mean, atol=1e-6)


def test_the_same_seed_gives_the_same_encoder(fitted: FittedEncoder) -> None:
    labels = EncodedLabels(np.array([0] * 24 + [1] * 24), np.array([MISSING] * 40 + [2] * 8))
    again = fit_encoder(TEXTS, labels, 2, 3, SETTINGS)
    np.testing.assert_allclose(again.scores(FRUIT).intent, fitted.scores(FRUIT).intent, atol=1e-4)


def test_embeddings_and_lower_layers_stay_as_they_were(fitted: FittedEncoder) -> None:
    trainable = {name for name, parameter in fitted.model.named_parameters() if parameter.requires_grad}
    assert not any("embeddings" in name for name in trainable)
    frozen = fit_encoder(
        TEXTS[:8], EncodedLabels(np.zeros(8, dtype=int), np.zeros(8, dtype=int)), 2, 3,
        SETTINGS.model_copy(update={"frozen_layers": 1, "epochs": 1}),
    )  # fmt: skip
    assert {name for name, parameter in frozen.model.named_parameters() if parameter.requires_grad} == {
        "intent.weight", "intent.bias", "sentiment.weight", "sentiment.bias"
    }  # fmt: skip


@pytest.fixture(scope="module")
def exported(fitted: FittedEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export_encoder(fitted, "distilbert", folder)
    return folder


def test_the_int8_graph_agrees_and_does_not_depend_on_the_batch(fitted: FittedEncoder, exported: Path) -> None:
    member = Encoder("distilbert", exported, threads=1)
    texts = [*FRUIT, *TOOLS, "a much longer message about a hammer that came with three pears instead of nails"]
    together = member.scores(ModelBatch(texts, NO_ROWS))
    native = fitted.scores(texts)
    assert check_int8_agreement("distilbert", native, together, least=0.9) >= 0.9
    assert largest_difference(native, together) < 0.05
    for row, text in enumerate(texts):
        np.testing.assert_allclose(
            member.scores(ModelBatch([text], NO_ROWS)).intent[0], together.intent[row], atol=1e-6
        )


def test_the_larger_graphs_equal_the_trained_model(exported: Path, fitted: FittedEncoder) -> None:
    native = fitted.scores(TEXTS)
    for precision, bound in (("fp32", 1e-5), ("fp16", 1e-2)):
        scores = Encoder("distilbert", exported, threads=1, precision=precision).scores(ModelBatch(TEXTS, NO_ROWS))
        assert largest_difference(native, scores) < bound


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_samples_follow_their_masks(exported: Path, precision: Precision) -> None:
    member = Encoder("distilbert", exported, threads=1, precision=precision)
    certain = member.scores(ModelBatch(TEXTS, NO_ROWS)).intent
    sampled = member.scores(ModelBatch(TEXTS, NO_ROWS, sampling=True)).sampled
    assert sampled is not None
    assert sampled.mean.shape == certain.shape
    assert np.abs(sampled.mean - certain).max() > 1e-6  # the toy task is learned so well that no mask changes much
    alone = member.scores(ModelBatch(TEXTS[3:4], NO_ROWS, sampling=True)).sampled
    assert alone is not None
    np.testing.assert_allclose(alone.mean[0], sampled.mean[3], atol=1e-6)
    member._masks[True] = member._graph.copy_to_device(
        np.ones((2, member.width), dtype=np.float32)
    )  # masks that mask nothing
    unmasked = member.scores(ModelBatch(TEXTS, NO_ROWS, sampling=True)).sampled
    assert unmasked is not None
    np.testing.assert_allclose(unmasked.mean, certain, atol=1e-6)


def test_masks_come_from_their_seed_and_keep_the_mean() -> None:
    masks = dropout_masks(5, 64, 400, 0.2)
    assert (masks == dropout_masks(5, 64, 400, 0.2)).all()
    assert (masks != dropout_masks(6, 64, 400, 0.2)).any()
    assert masks.mean() == pytest.approx(1, abs=0.02)
    assert (masks == 0).mean() == pytest.approx(0.2, abs=0.02)


def test_an_fp32_graph_that_differs_is_refused() -> None:
    one = Scores(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32))
    with pytest.raises(BundleError, match="fp32 graph of roberta"):
        check_fp32_difference("roberta", one, Scores(one.intent * np.float32(0.999), one.sentiment))


def test_too_little_agreement_is_refused_with_the_share() -> None:
    one = Scores(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32))
    other = Scores(np.eye(2, dtype=np.float32)[::-1], np.eye(2, dtype=np.float32))
    with pytest.raises(BundleError, match=r"0\.0%"):
        check_int8_agreement("roberta", one, other, least=0.97)


def test_long_texts_are_learned_from_in_pieces() -> None:
    rows = [[1] * 10, [1] * 100, [1] * 40]
    assert list(_split_batch_by_tokens([0, 1, 2], rows, 2048)) == [[0, 1, 2]]
    assert list(_split_batch_by_tokens([0, 1, 2], rows, 250)) == [[0, 1], [2]]
    assert list(_split_batch_by_tokens([0, 1, 2], rows, 50)) == [[0], [1], [2]]


def test_batches_hold_every_row_once_and_texts_of_similar_length() -> None:
    rows = [[1] * length for length in np.random.default_rng(0).integers(1, 60, size=500)]
    parts = list(_batches(rows, 16, np.random.default_rng(1)))
    assert sorted(row for part in parts for row in part) == list(range(500))
    spread = [max(len(rows[r]) for r in part) - min(len(rows[r]) for r in part) for part in parts]
    assert np.mean(spread) < 10
