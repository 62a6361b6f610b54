"""An ensemble with remote models gives the same results. Only the sockets are fake; `tests/e2e` tests them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from frontdesk.errors import Overloaded
from model_store.bundle import Bundle
from runners.ensemble.ensemble import Ensemble, load_meta_learner_scorers
from runners.ensemble.remote_ports import RemoteServices
from runners.ensemble.warm_up import warm_up
from runners.models.onnx_encoder import ENCODER_MEMBERS
from runners.remote.placement import MEMBERS, TREES
from runners.remote.remote_members import RemoteMembers, RemoteMetaLearner
from runners.remote.tensor_codec import (
    Arrays,
    pack,
    rows_from_arrays,
    rows_to_arrays,
    texts_from_arrays,
    texts_to_arrays,
    unpack,
)
from runners.services.meta_learner_service import build_meta_learner_handler
from runners.services.runner_service import load_member_handler
from training.data.examples import Example


class Loopback:
    """A connection to a runner in this process; counts calls."""

    def __init__(self, answer: Callable[[Arrays], Arrays]) -> None:
        self._answer = answer
        self.calls = 0
        self.away = False

    def is_up(self) -> bool:
        return not self.away

    def send(self, body: bytes) -> None:
        if self.away:
            raise Overloaded("away", retry_after_s=5.0)
        self.calls += 1
        self._body = body

    def receive(self) -> bytes:
        return pack(self._answer(unpack(self._body)))


def lines_of(bundle: Bundle, services: tuple[str, ...]) -> dict[str, Loopback]:
    return {
        service: Loopback(
            load_member_handler(bundle, MEMBERS[service], rows_from_arrays if service == TREES else texts_from_arrays)
        )
        for service in services
    }


def members_over(lines: dict[str, Loopback]) -> tuple[RemoteMembers, ...]:
    return tuple(
        RemoteMembers(service, line, MEMBERS[service], rows_to_arrays if service == TREES else texts_to_arrays)
        for service, line in lines.items()
    )


@pytest.fixture
def texts(starter_examples: tuple[Example, ...]) -> list[str]:
    return [example.text for example in starter_examples[::60]]


@pytest.mark.parametrize("services", [("encoders",), ("distilbert", "roberta", "trees")])
def test_the_answers_are_those_of_embedded_with_one_call_a_batch(
    encoder_bundle: Bundle, texts: list[str], services: tuple[str, ...]
) -> None:
    lines = lines_of(encoder_bundle, services)
    meta_learner = Loopback(build_meta_learner_handler(*load_meta_learner_scorers(encoder_bundle, 1)))
    remote_services = RemoteServices(
        members_over(lines), RemoteMetaLearner(meta_learner) if "trees" in services else None
    )
    spread = Ensemble.load(encoder_bundle, remote_services=remote_services)
    here = Ensemble.load(encoder_bundle).predict(texts)
    there = spread.predict(texts)

    np.testing.assert_allclose(there.intent, here.intent, rtol=0, atol=1e-6)
    np.testing.assert_allclose(there.sentiment, here.sentiment, rtol=0, atol=1e-6)
    for remote, local in zip(there.members, here.members, strict=True):
        np.testing.assert_allclose(remote.intent, local.intent, rtol=0, atol=1e-6)
        np.testing.assert_allclose(remote.sentiment, local.sentiment, rtol=0, atol=1e-6)
        assert (remote.sampled is None) == (local.sampled is None)
        if remote.sampled is not None and local.sampled is not None:
            np.testing.assert_array_equal(remote.sampled.mean, local.sampled.mean)
            np.testing.assert_array_equal(remote.sampled.entropy, local.sampled.entropy)
    assert [line.calls for line in (*lines.values(), meta_learner)] == [1] * len(services) + ["trees" in services]
    assert [member.name for member in spread.members] == list(encoder_bundle.manifest.members)


@pytest.mark.parametrize(
    ("away", "reserve"), [(("distilbert",), "without_distilbert"), (("distilbert", "roberta"), "without_encoders")]
)
def test_answers_of_fallback_ensembles_are_the_same_in_all_placements(
    encoder_bundle: Bundle, texts: list[str], away: tuple[str, ...], reserve: str
) -> None:
    lines = lines_of(encoder_bundle, ("distilbert", "roberta", "trees"))
    meta_learner = Loopback(build_meta_learner_handler(*load_meta_learner_scorers(encoder_bundle, 1)))
    spread = Ensemble.load(
        encoder_bundle, remote_services=RemoteServices(members_over(lines), RemoteMetaLearner(meta_learner))
    )
    for service in away:
        lines[service].away = True

    answers = spread.understand(texts)

    assert answers == [
        replace(answer, skipped=away) for answer in Ensemble.load(encoder_bundle).reserves[reserve].understand(texts)
    ]
    for service in away:
        lines[service].away = False
    assert spread.understand(texts) == Ensemble.load(encoder_bundle).understand(texts)


@pytest.mark.parametrize("model", ["ensemble", "xgboost", "distilbert", "roberta"])
@pytest.mark.parametrize("services", [("encoders",), ("distilbert", "roberta", "trees")])
def test_the_scores_of_each_model_are_those_of_embedded(
    encoder_bundle: Bundle, texts: list[str], services: tuple[str, ...], model: str
) -> None:
    spread = Ensemble.load(
        encoder_bundle, remote_services=RemoteServices(members_over(lines_of(encoder_bundle, services)))
    )
    here, there = Ensemble.load(encoder_bundle).scores(model, texts), spread.scores(model, texts)

    np.testing.assert_allclose(there.intent, here.intent, rtol=0, atol=1e-6)
    np.testing.assert_allclose(there.sentiment, here.sentiment, rtol=0, atol=1e-6)


def test_remote_encoders_sample_only_on_request(encoder_bundle: Bundle, texts: list[str]) -> None:
    spread = Ensemble.load(
        encoder_bundle, remote_services=RemoteServices(members_over(lines_of(encoder_bundle, ("encoders",))))
    )
    for sampling, expected in ((True, ENCODER_MEMBERS), (False, ())):
        judged = spread.predict(texts, sampling=sampling).members
        sampled = {member.name for member, scores in zip(spread.members, judged, strict=True) if scores.sampled}
        assert sampled == set(expected)


def test_remote_models_are_not_loaded_locally(encoder_bundle: Bundle, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(encoder_bundle.path, tmp_path / encoder_bundle.version))
    remote_services = RemoteServices(members_over(lines_of(encoder_bundle, ("encoders",))))
    for file in (file for name in ENCODER_MEMBERS for file in (folder / "members").glob(f"{name}.*")):
        file.unlink()
    without_graphs = Bundle(folder, encoder_bundle.manifest)
    warm_up(Ensemble.load(without_graphs, remote_services=remote_services), without_graphs)
