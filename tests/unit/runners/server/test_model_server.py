from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from frontdesk.deadline import Deadline
from frontdesk.errors import Overloaded, StorageUnavailable
from runners.server.model_server import ModelServer


class Layers:
    """Both the outermost and the innermost layer; can be full."""

    waiting = 3
    is_full = False

    def check_room(self, *, bulk: bool = False) -> None:
        if self.is_full:
            raise Overloaded("Too much waits.", retry_after_s=1)

    def __getattr__(self, name: str) -> str:
        return f"{name} of the layers"


@pytest.fixture
def layers() -> Layers:
    return Layers()


@pytest.fixture
def server(layers: Any) -> ModelServer:
    ensemble: Any = SimpleNamespace(
        version="v1",
        taxonomy=SimpleNamespace(labels=("refund", "cancel")),
        sentiments=("negative", "positive"),
        models=("ensemble", "roberta"),
        is_up=lambda model: model == "roberta",
    )
    return ModelServer(ensemble, layers, layers)


def test_properties_are_those_of_the_ensemble(server: ModelServer) -> None:
    assert server.version == "v1"
    assert server.taxonomy.labels == server.labels == ("refund", "cancel")
    assert (server.sentiments, server.models) == (("negative", "positive"), ("ensemble", "roberta"))
    assert [server.is_up(model) for model in server.models] == [False, True]


def test_requests_enter_the_layers_directly(server: ModelServer) -> None:
    assert server.waiting == 3
    for name in ("understand", "close", "scores"):
        assert getattr(server, name) == f"{name} of the layers"


def test_there_is_no_room_while_the_queue_is_full(server: ModelServer, layers: Layers) -> None:
    server.check_room()
    layers.is_full = True
    with pytest.raises(Overloaded):
        server.check_room()


def test_a_batch_is_checked_with_the_share_that_other_workers_leave() -> None:
    checked: list[tuple[list[int], float]] = []
    ensemble: Any = SimpleNamespace(
        version="v1", taxonomy=SimpleNamespace(labels=()), sentiments=(), models=(), is_up=bool
    )
    batched: Any = SimpleNamespace(
        scores=None, check_batch=lambda lengths, _, share: checked.append((list(lengths), share))
    )
    cached: Any = SimpleNamespace(understand=None, close=None)
    balanced: Any = SimpleNamespace(local_share=lambda texts: 1 / texts)
    ModelServer(ensemble, batched, cached).check_batch([7, 8], Deadline.after(1))
    ModelServer(ensemble, batched, cached, balanced).check_batch([7, 8], Deadline.after(1))
    assert checked == [([7, 8], 1.0), ([7, 8], 0.5)]


def test_there_is_no_room_if_the_answer_could_not_be_stored(server: ModelServer) -> None:
    disk_is_full = True

    def check() -> None:
        if disk_is_full:
            raise StorageUnavailable("The disk is nearly full.")

    server.set_disk_check(check)
    with pytest.raises(StorageUnavailable):
        server.check_room()
    disk_is_full = False
    server.check_room()
