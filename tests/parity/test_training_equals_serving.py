"""Training and serving compute the same results, in any batch."""

from __future__ import annotations

import numpy as np
import pytest

from frontdesk.features.extractor import FeatureExtractor
from frontdesk.masking import MASKING_VERSION, mask
from model_store.bundle import Bundle, open_bundle
from runners.ensemble.ensemble import Ensemble
from runners.ensemble.warm_up import GOLDEN_TOLERANCE, warm_up
from runners.models.base_model import ModelBatch
from training.data.examples import Example
from training.models.base_models import CPU_BASE_MODELS, NativeBaseModel, fit_base_model
from training.models.feature_fitting import fit_features
from training.models.onnx_export import MAX_DIFFERENCE, check_parity
from training.training_run import TrainingRun


@pytest.fixture(scope="module")
def ensemble(tiny_bundle: Bundle) -> Ensemble:
    return Ensemble.load(open_bundle(tiny_bundle.path))


@pytest.fixture(scope="module")
def unseen(starter_examples: tuple[Example, ...]) -> list[str]:
    """Messages of every intent and length, most of them unknown to the tiny bundle."""
    return [example.text for example in starter_examples[::13]]


def test_rows_of_training_equal_rows_of_serving(tiny_run: TrainingRun, ensemble: Ensemble, unseen: list[str]) -> None:
    """Features fitted in this process from the same texts, compared with those loaded from the bundle."""
    texts = [tiny_run.data.rows[row].text for row in tiny_run.data.splits.train]
    trained = fit_features(texts, tiny_run.profile.features, tiny_run.profile.seed)
    assert trained.fingerprint() == ensemble.features.fingerprint()
    ours, theirs = trained.extract(unseen), ensemble.features.extract(unseen)
    assert (ours.dense == theirs.dense).all()
    for one, other in zip(ours.terms, theirs.terms, strict=True):
        assert (one.ids == other.ids).all()
        assert (one.weights == other.weights).all()


def test_training_masks_as_serving_does(starter_examples: tuple[Example, ...], tiny_bundle: Bundle) -> None:
    assert tiny_bundle.manifest.masking_version == MASKING_VERSION
    assert all(mask(example.text).text == example.text for example in starter_examples)


@pytest.mark.parametrize("name", CPU_BASE_MODELS)
def test_onnx_members_equal_native_ones(
    name: str, tiny_run: TrainingRun, ensemble: Ensemble, unseen: list[str]
) -> None:
    features: FeatureExtractor = ensemble.features
    train = tiny_run.data.splits.train
    rows = features.extract([tiny_run.data.rows[row].text for row in train])
    native: NativeBaseModel = fit_base_model(
        name, rows, tiny_run.data.labels(train), features.vectoriser.size, tiny_run.profile
    )
    unseen_rows = features.extract(unseen)
    expected = native.scores(unseen_rows, features.vectoriser.size)
    (member,) = (member for member in ensemble.members if member.name == name)
    exported = member.scores(ModelBatch(unseen, unseen_rows))
    assert check_parity(name, expected.intent, exported.intent) <= MAX_DIFFERENCE
    assert check_parity(name, expected.sentiment, exported.sentiment) <= MAX_DIFFERENCE


def test_parity_of_a_model_with_itself_is_not_enough_to_hide_a_difference() -> None:
    same = np.full((2, 3), 1 / 3, dtype=np.float32)
    with pytest.raises(Exception, match="differs"):
        check_parity("any", same, same + np.float32(2e-5))


def test_a_batch_of_n_equals_n_batches_of_one(ensemble: Ensemble, unseen: list[str]) -> None:
    together = ensemble.predict(unseen)
    for row, text in enumerate(unseen[:60]):
        alone = ensemble.predict([text])
        np.testing.assert_allclose(alone.intent[0], together.intent[row], atol=1e-5)
        np.testing.assert_allclose(alone.sentiment[0], together.sentiment[row], atol=1e-5)
        for one, many in zip(alone.members, together.members, strict=True):
            np.testing.assert_allclose(one.intent[0], many.intent[row], atol=1e-6)


def test_understanding_does_not_depend_on_the_batch(ensemble: Ensemble, unseen: list[str]) -> None:
    together = ensemble.understand(unseen[:40])
    assert [item.intent.label for item in together] == [
        ensemble.understand([text])[0].intent.label for text in unseen[:40]
    ]


def test_the_golden_rows_are_reproduced_and_a_wrong_one_is_detected(tiny_bundle: Bundle, ensemble: Ensemble) -> None:
    from dataclasses import replace

    from frontdesk.errors import BundleError
    from runners.models.calibration import Platt

    warm_up(ensemble, tiny_bundle)
    slope, offset = ensemble.calibration.intent.slope, ensemble.calibration.intent.offset
    bent = replace(ensemble, calibration=replace(ensemble.calibration, intent=Platt(slope, offset + 0.5)))
    with pytest.raises(BundleError, match="golden"):
        warm_up(bent, tiny_bundle)
    assert GOLDEN_TOLERANCE["int8"] < 0.01
