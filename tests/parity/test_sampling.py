"""Uncertainty from dropout samples is the same for a text in any batch and any process."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from model_store.bundle import Bundle
from runners.ensemble.ensemble import Ensemble
from runners.models.onnx_encoder import ENCODER_MEMBERS, HEAD_DROPOUT
from training.data.examples import Example
from training.profiles.profile import EncoderSettings

ANOTHER_PROCESS = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from model_store.bundle import open_bundle
from runners.ensemble.ensemble import Ensemble
found = Ensemble.load(open_bundle(Path(sys.argv[1]))).understand(json.load(sys.stdin))
print(json.dumps([asdict(one.uncertainty) for one in found]))
"""


@pytest.fixture(scope="module")
def ensemble(encoder_bundle: Bundle) -> Ensemble:
    return Ensemble.load(encoder_bundle)


@pytest.fixture(scope="module")
def texts(starter_examples: tuple[Example, ...]) -> list[str]:
    return [example.text for example in starter_examples[::90]]


def test_a_text_has_the_same_samples_alone_and_in_a_batch(ensemble: Ensemble, texts: list[str]) -> None:
    together = ensemble.predict(texts).members
    for row, text in enumerate(texts[:20]):
        for one, many in zip(ensemble.predict([text]).members, together, strict=True):
            if one.sampled is not None and many.sampled is not None:
                np.testing.assert_allclose(one.sampled.mean[0], many.sampled.mean[row], rtol=0, atol=1e-6)
                np.testing.assert_allclose(one.sampled.entropy[0], many.sampled.entropy[row], rtol=0, atol=1e-5)


def test_only_encoders_are_sampled_and_only_on_request(ensemble: Ensemble, texts: list[str]) -> None:
    for sampling, expected in ((True, set(ENCODER_MEMBERS)), (False, set())):
        members = ensemble.predict(texts, sampling=sampling).members
        assert {member.name for member, of in zip(ensemble.members, members, strict=True) if of.sampled} == expected


def test_sampling_changes_no_probability(ensemble: Ensemble, texts: list[str]) -> None:
    with_samples, without = ensemble.predict(texts), ensemble.predict(texts, sampling=False)
    np.testing.assert_array_equal(with_samples.intent, without.intent)
    np.testing.assert_array_equal(with_samples.sentiment, without.sentiment)


def test_another_process_computes_the_same_uncertainty(
    encoder_bundle: Bundle, ensemble: Ensemble, texts: list[str]
) -> None:
    here = [one.uncertainty for one in ensemble.understand(texts)]
    process = subprocess.run(
        [sys.executable, "-c", ANOTHER_PROCESS, str(encoder_bundle.path)],
        input=json.dumps(texts), capture_output=True, text=True, check=True,
    )  # fmt: skip
    there = json.loads(process.stdout)
    assert {one["method"] for one in there} == {"head_dropout"}
    assert [(one["score"], one["epistemic"]) for one in there] == [(one.score, one.epistemic) for one in here]
    assert len({one.score for one in here}) > 1


def test_serving_and_training_have_the_same_dropout_rate() -> None:
    assert EncoderSettings.model_fields["dropout"].default == HEAD_DROPOUT
