from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.responses import Response

from bentos.errors import problem_response
from bentos.gateway import exchange
from bentos.gateway.door import Admitted, Door, admitted
from frontdesk.config import ServerSettings
from frontdesk.errors import FrontdeskError, Overloaded, Unauthenticated
from frontdesk.observability.metrics import Metrics
from frontdesk.types import Caller
from tests.fakes import Unlimited

BODY = b'{"text": "Where is my parcel?"}'


@dataclass
class FakeDesk:
    """Admits everybody who has a token, and may be full."""

    full: bool = False
    metrics: Metrics = field(default_factory=lambda: Metrics(CollectorRegistry()))
    limits: Any = field(default_factory=Unlimited)

    @property
    def champion(self) -> FakeDesk:
        return self

    gate = champion

    def check_room(self) -> None:
        if self.full:
            raise Overloaded("Too much waits.", retry_after_s=3)

    async def admit(self, header: str | None, scope: str, place: str) -> Caller:
        if header is None:
            raise Unauthenticated("No token.")
        return Caller("acme", "agent", frozenset({scope}))

    def refuse(self, error: FrontdeskError) -> Response:
        return problem_response(error)


@dataclass
class Client:
    """One request through a door; `leaves` is set when the client goes away."""

    door: Door
    leaves: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[dict[str, Any]] = field(default_factory=list)
    read: int = 0

    async def receive(self) -> dict[str, Any]:
        self.read += 1
        if self.read == 1:
            return {"type": "http.request", "body": BODY, "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    async def post(self, path: str, **headers: str) -> None:
        await self.ask("POST", path, **headers)

    async def ask(self, method: str, path: str, **headers: str) -> None:
        given = {
            "content-type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        raw = [(name.encode(), value.encode()) for name, value in given.items()]
        scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": raw}
        await self.door(scope, self.receive, self.send)

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.sent[1]["body"])


def client(desk: FakeDesk, application: Callable[..., Awaitable[None]] | None = None, **settings: Any) -> Client:
    answers = application or Response(b"{}")
    door = Door(
        gateway=answers,
        native=answers,
        open_inference=answers,
        desk=lambda: desk,
        settings=ServerSettings(**settings),
        access_log=False,
    )
    return Client(door)


async def test_while_too_much_waits_a_request_is_refused_before_its_token_and_body_are_read() -> None:
    asked = client(FakeDesk(full=True))
    await asked.post("/v1/understand")
    assert asked.status == 503
    assert (b"retry-after", b"3") in asked.sent[0]["headers"]
    assert asked.read == 0


async def test_what_asks_no_model_is_answered_while_too_much_waits() -> None:
    asked = client(FakeDesk(full=True))
    await asked.post("/v2/repository/index", authorization="Bearer x")
    assert asked.status == 200


async def test_errors_of_the_open_inference_protocol_are_its_own() -> None:
    for path, status in (("/v2/models/roberta/infer", 401), ("/v2/nothing", 404)):
        asked = client(FakeDesk())
        await asked.post(path)
        assert asked.status == status
        assert list(asked.body) == ["error"]


async def test_a_caller_may_ask_for_an_answer_out_of_no_cache() -> None:
    seen: list[Admitted] = []

    async def application(*_: object) -> None:
        seen.append(admitted.get())

    for headers in ({}, {"cache_control": "No-Cache"}, {"cache_control": "max-age=0, no-store"}):
        await client(FakeDesk(), application).post("/v1/understand", authorization="Bearer x", **headers)
    assert [request.fresh for request in seen] == [False, True, True]


async def test_when_the_client_goes_away_the_work_for_it_is_cancelled() -> None:
    working, cancelled = asyncio.Event(), asyncio.Event()

    async def application(*_: object) -> None:
        working.set()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    desk = FakeDesk()
    asked = client(desk, application)
    request = asyncio.create_task(asked.post("/v1/understand", authorization="Bearer x"))
    await working.wait()
    asked.leaves.set()
    await asyncio.wait_for(request, 2)
    assert cancelled.is_set()
    assert asked.sent == []
    assert b'status="499"' in desk.metrics.render()[0]


async def test_a_request_that_is_cancelled_by_the_server_stays_cancelled() -> None:
    working = asyncio.Event()

    async def application(*_: object) -> None:
        working.set()
        await asyncio.sleep(10)

    request = asyncio.create_task(client(FakeDesk(), application).post("/v1/understand", authorization="Bearer x"))
    await working.wait()
    request.cancel()
    (outcome,) = await asyncio.gather(request, return_exceptions=True)
    assert isinstance(outcome, asyncio.CancelledError)


async def test_an_answer_that_takes_its_time_arrives_although_it_is_watched() -> None:
    async def application(scope: object, receive: object, send: Callable[..., Awaitable[None]]) -> None:
        await asyncio.sleep(exchange.PATIENCE_S * 2)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    asked = client(FakeDesk(), application)
    await asked.post("/v1/understand", authorization="Bearer x")
    assert asked.status == 200


class TestOtherOrigins:
    ALLOWED = "https://desk.example.com"

    def client(self, application: Callable[..., Awaitable[None]] | None = None) -> Client:
        return client(FakeDesk(), application, cors_origins=(self.ALLOWED,))

    async def test_a_listed_origin_may_ask_first_and_call(self) -> None:
        asked = self.client()
        await asked.ask("OPTIONS", "/v1/queries", origin=self.ALLOWED, access_control_request_method="POST")
        assert asked.status == 204
        assert asked.headers[b"access-control-allow-origin"] == self.ALLOWED.encode()
        assert b"POST" in asked.headers[b"access-control-allow-methods"]
        called = self.client()
        await called.post("/v1/queries", authorization="Bearer x", origin=self.ALLOWED)
        assert called.headers[b"access-control-allow-origin"] == self.ALLOWED.encode()
        assert called.headers[b"vary"] == b"origin"

    async def test_any_other_origin_is_told_nothing(self) -> None:
        for origin in ("https://evil.example", "null", "https://desk.example.com.evil.example", self.ALLOWED + "/"):
            asked = self.client()
            await asked.ask("OPTIONS", "/v1/queries", origin=origin, access_control_request_method="POST")
            assert asked.status == 405
            assert b"access-control-allow-origin" not in asked.headers

    async def test_without_a_list_nobody_is_told_anything(self) -> None:
        asked = client(FakeDesk())
        await asked.ask("OPTIONS", "/v1/queries", origin=self.ALLOWED, access_control_request_method="POST")
        assert asked.status == 405
        assert not any(name.startswith(b"access-control") for name in asked.headers)


class TestCompression:
    LARGE = Response(b'{"x": "' + b"a" * 20_000 + b'"}', media_type="application/json")

    @pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*", "GZIP ; q=1"])
    async def test_a_large_answer_is_compressed_for_who_reads_gzip(self, accepted: str) -> None:
        asked = client(FakeDesk(), self.LARGE)
        await asked.post("/v1/queries", authorization="Bearer x", accept_encoding=accepted)
        assert asked.headers[b"content-encoding"] == b"gzip"
        assert gzip.decompress(asked.sent[1]["body"]) == self.LARGE.body
        assert int(asked.headers[b"content-length"]) == len(asked.sent[1]["body"]) < 1000

    @pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip;q=0.0, br", "xgzip", "identity"])
    async def test_others_get_it_as_it_is(self, accepted: str) -> None:
        asked = client(FakeDesk(), self.LARGE)
        await asked.post("/v1/queries", authorization="Bearer x", accept_encoding=accepted)
        assert b"content-encoding" not in asked.headers
        assert asked.sent[1]["body"] == self.LARGE.body

    async def test_a_small_answer_is_left_alone(self) -> None:
        asked = client(FakeDesk())
        await asked.post("/v1/queries", authorization="Bearer x", accept_encoding="gzip")
        assert b"content-encoding" not in asked.headers


async def test_too_many_requests_at_once_are_refused_but_health_is_told() -> None:
    working = asyncio.Event()

    async def application(*_: object) -> None:
        working.set()
        await asyncio.sleep(10)

    door = client(FakeDesk(), application, max_concurrent_requests=1).door
    first = asyncio.create_task(Client(door).post("/v1/understand", authorization="Bearer x"))
    await working.wait()
    second = Client(door)
    await second.post("/v1/understand", authorization="Bearer x")
    assert (second.status, second.headers[b"retry-after"]) == (503, b"1")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


async def test_a_web_socket_is_closed_at_the_door() -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    await client(FakeDesk()).door({"type": "websocket", "path": "/v1/queries"}, receive, send)
    assert sent == [{"type": "websocket.close"}]
