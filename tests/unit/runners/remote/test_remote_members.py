from __future__ import annotations

import numpy as np
import pytest

from frontdesk.errors import Overloaded
from frontdesk.features.extractor import FeatureBatch
from frontdesk.scores import Scores
from runners.models.base_model import ModelBatch
from runners.remote.remote_members import RemoteMembers, RemoteMetaLearner
from runners.remote.tensor_codec import pack, scores_to_arrays, texts_to_arrays, unpack


class Line:
    """Answers calls with the given responses, in order; None is an unavailable runner."""

    def __init__(self, *answers: bytes | None) -> None:
        self.sent: list[bytes] = []
        self._answers = list(answers)

    def is_up(self) -> bool:
        return self._answers[0] is not None

    def send(self, body: bytes) -> None:
        if self._answers[0] is None:
            del self._answers[0]
            raise Overloaded("away", retry_after_s=1)
        self.sent.append(body)

    def receive(self) -> bytes:
        answer = self._answers.pop(0)
        assert answer is not None
        return answer


def scored(value: float) -> bytes:
    scores = Scores(np.full((1, 2), value, np.float32), np.full((1, 3), value, np.float32))
    return pack(scores_to_arrays({"distilbert": scores, "roberta": scores}))


BATCH = ModelBatch(["a text"], FeatureBatch((), np.empty((0, 0), np.float32)))


def test_members_of_one_service_share_one_call() -> None:
    line = Line(scored(0.25))
    service = RemoteMembers("encoders", line, ["distilbert", "roberta"], texts_to_arrays)
    service.send(BATCH)
    assert [member.scores(BATCH).intent[0, 0] for member in service.members] == [0.25, 0.25]
    assert [bytes(unpack(body)["texts"]) for body in line.sent] == [b"a text"]


def test_a_call_has_the_requested_members() -> None:
    line = Line(scored(0.25), scored(0.5))
    service = RemoteMembers("encoders", line, ["distilbert", "roberta"], texts_to_arrays)
    service.send(BATCH)
    service.send(BATCH, only="roberta")
    assert [unpack(body)["wanted"].tolist() for body in line.sent] == [[1, 1], [0, 1]]


def test_a_service_is_up_while_its_connection_is() -> None:
    assert RemoteMembers("encoders", Line(scored(0.25)), ["roberta"], texts_to_arrays).is_up()
    assert not RemoteMembers("encoders", Line(None), ["roberta"], texts_to_arrays).is_up()
    assert not RemoteMetaLearner(Line(None)).is_up()


def test_each_batch_gets_its_own_scores() -> None:
    service = RemoteMembers("encoders", Line(scored(0.25), scored(0.5)), ["roberta"], texts_to_arrays)
    (roberta,) = service.members
    probabilities = []
    for _ in range(2):
        service.send(BATCH)
        probabilities.append(float(roberta.scores(BATCH).intent[0, 0]))
    assert probabilities == [0.25, 0.5]


def test_after_a_refused_call_there_are_no_scores_of_an_earlier_one() -> None:
    service = RemoteMembers("encoders", Line(scored(0.25), None, scored(0.5)), ["roberta"], texts_to_arrays)
    (roberta,) = service.members
    service.send(BATCH)
    roberta.scores(BATCH)
    with pytest.raises(Overloaded):
        service.send(BATCH)
    assert roberta.scores(BATCH).intent[0, 0] == 0.5


def test_both_tasks_of_the_meta_learner_share_one_call() -> None:
    members, statistics = np.ones((2, 1, 2), np.float32), np.ones((1, 4), np.float32)
    line = Line(pack({"intent": np.array([[0.75, 0.25]]), "sentiment": np.array([[1.0]])}))
    service = RemoteMetaLearner(line)
    service.send(members, members, statistics)
    intent, sentiment = (scorer.probabilities(members, statistics) for scorer in service.scorers)
    assert (intent.tolist(), sentiment.tolist()) == ([[0.75, 0.25]], [[1.0]])
    assert len(line.sent) == 1
