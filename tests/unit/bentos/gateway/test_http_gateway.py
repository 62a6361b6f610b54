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

from bentos.admission.errors import problem_response
from bentos.admission.routes import ROUTES
from bentos.gateway import request_context as exchange
from bentos.gateway.app import build_app
from bentos.gateway.http_gateway import Gateway
from bentos.gateway.request_state import AdmittedRequest, get_admitted
from bentos.worker.telemetry import Telemetry
from frontdesk.config import ServerSettings
from frontdesk.errors import FrontdeskError, Overloaded, Unauthenticated
from frontdesk.observability.logs import configure_logging
from frontdesk.observability.metrics import Metrics
from frontdesk.types import Caller
from tests.support.fakes import Unlimited

BODY = b'{"text": "Where is my parcel?"}'


@dataclass
class FakeWorker:
    """Admits every request with a token; the queue may be full."""

    full: bool = False
    metrics: Metrics = field(default_factory=lambda: Metrics(CollectorRegistry()))
    limits: Any = field(default_factory=Unlimited)

    @property
    def champion(self) -> FakeWorker:
        return self

    authenticator = models = security = champion

    @property
    def telemetry(self) -> Telemetry:
        return Telemetry(metrics=self.metrics, access_log=False)

    def check_room(self, *, bulk: bool = False) -> None:
        if self.full:
            raise Overloaded("Too much waits.", retry_after_s=3)

    async def authenticate(self, header: str | None, scope: str, place: str) -> Caller:
        if header is None:
            raise Unauthenticated("No token.")
        return Caller("acme", "agent", frozenset({scope}))

    def refuse(self, error: FrontdeskError) -> Response:
        return problem_response(error)


@dataclass
class Client:
    """One request through a gateway; `leaves` is set when the client disconnects."""

    gateway: Gateway
    leaves: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[dict[str, Any]] = field(default_factory=list)
    read: int = 0
    content: bytes = BODY

    async def receive(self) -> dict[str, Any]:
        self.read += 1
        if self.read == 1:
            return {"type": "http.request", "body": self.content, "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    async def post(self, path: str, **headers: str) -> None:
        await self.ask("POST", path, **headers)

    async def ask(self, method: str, path: str, **headers: str) -> None:
        fields = {
            "content-type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        raw = [(name.encode(), value.encode()) for name, value in fields.items()]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "headers": raw,
            "query_string": b"",
        }
        await self.gateway(scope, self.receive, self.send)

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.sent[1]["body"])


def client(worker: FakeWorker, application: Callable[..., Awaitable[None]] | None = None, **settings: Any) -> Client:
    answers = application or Response(b"{}")
    gateway = Gateway(
        api=answers,
        native=answers,
        open_inference=answers,
        worker=lambda: worker,
        settings=ServerSettings(**settings),
    )
    return Client(gateway)


async def test_while_too_much_waits_a_request_is_refused_before_its_token_and_body_are_read() -> None:
    call = client(FakeWorker(full=True))
    await call.post("/v1/understand")
    assert call.status == 503
    assert (b"retry-after", b"3") in call.sent[0]["headers"]
    assert call.read == 0


async def test_what_asks_no_model_is_answered_while_too_much_waits() -> None:
    call = client(FakeWorker(full=True))
    await call.post("/v2/repository/index", authorization="Bearer x")
    assert call.status == 200


async def test_errors_of_the_open_inference_protocol_are_its_own() -> None:
    for path, status in (("/v2/models/roberta/infer", 401), ("/v2/nothing", 404)):
        call = client(FakeWorker())
        await call.post(path)
        assert call.status == status
        assert list(call.body) == ["error"]


async def test_a_caller_may_bypass_caches() -> None:
    requests: list[AdmittedRequest] = []

    async def application(scope: Any, *_: object) -> None:
        requests.append(get_admitted(scope))

    for headers in ({}, {"cache_control": "No-Cache"}, {"cache_control": "max-age=0, no-store"}):
        await client(FakeWorker(), application).post("/v1/understand", authorization="Bearer x", **headers)
    assert [request.fresh for request in requests] == [False, True, True]


async def test_when_the_client_goes_away_the_work_for_it_is_cancelled() -> None:
    working, cancelled = asyncio.Event(), asyncio.Event()

    async def application(*_: object) -> None:
        working.set()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    worker = FakeWorker()
    call = client(worker, application)
    request = asyncio.create_task(call.post("/v1/understand", authorization="Bearer x"))
    await working.wait()
    call.leaves.set()
    await asyncio.wait_for(request, 2)
    assert cancelled.is_set()
    assert call.sent == []
    assert b'status="499"' in worker.metrics.render()[0]


async def test_a_request_that_is_cancelled_by_the_server_stays_cancelled() -> None:
    working = asyncio.Event()

    async def application(*_: object) -> None:
        working.set()
        await asyncio.sleep(10)

    request = asyncio.create_task(client(FakeWorker(), application).post("/v1/understand", authorization="Bearer x"))
    await working.wait()
    request.cancel()
    (outcome,) = await asyncio.gather(request, return_exceptions=True)
    assert isinstance(outcome, asyncio.CancelledError)


async def test_an_answer_that_takes_its_time_arrives_although_it_is_watched() -> None:
    async def application(scope: object, receive: object, send: Callable[..., Awaitable[None]]) -> None:
        await asyncio.sleep(exchange.DISCONNECT_WATCH_DELAY_S * 2)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    call = client(FakeWorker(), application)
    await call.post("/v1/understand", authorization="Bearer x")
    assert call.status == 200


class TestOtherOrigins:
    ALLOWED = "https://desk.example.com"

    def client(self, application: Callable[..., Awaitable[None]] | None = None) -> Client:
        return client(FakeWorker(), application, cors_origins=(self.ALLOWED,))

    async def test_a_listed_origin_may_ask_first_and_call(self) -> None:
        call = self.client()
        await call.ask("OPTIONS", "/v1/queries", origin=self.ALLOWED, access_control_request_method="POST")
        assert call.status == 204
        assert call.headers[b"access-control-allow-origin"] == self.ALLOWED.encode()
        assert b"POST" in call.headers[b"access-control-allow-methods"]
        called = self.client()
        await called.post("/v1/queries", authorization="Bearer x", origin=self.ALLOWED)
        assert called.headers[b"access-control-allow-origin"] == self.ALLOWED.encode()
        assert called.headers[b"vary"] == b"origin"

    async def test_any_other_origin_gets_no_cors_headers(self) -> None:
        for origin in ("https://evil.example", "null", "https://desk.example.com.evil.example", self.ALLOWED + "/"):
            call = self.client()
            await call.ask("OPTIONS", "/v1/queries", origin=origin, access_control_request_method="POST")
            assert call.status == 405
            assert b"access-control-allow-origin" not in call.headers

    async def test_without_a_list_no_origin_gets_cors_headers(self) -> None:
        call = client(FakeWorker())
        await call.ask("OPTIONS", "/v1/queries", origin=self.ALLOWED, access_control_request_method="POST")
        assert call.status == 405
        assert not any(name.startswith(b"access-control") for name in call.headers)


class TestCompression:
    LARGE = Response(b'{"x": "' + b"a" * 20_000 + b'"}', media_type="application/json")

    @pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*", "GZIP ; q=1"])
    async def test_a_large_answer_is_compressed_for_clients_that_accept_gzip(self, accepted: str) -> None:
        call = client(FakeWorker(), self.LARGE)
        await call.post("/v1/queries", authorization="Bearer x", accept_encoding=accepted)
        assert call.headers[b"content-encoding"] == b"gzip"
        assert gzip.decompress(call.sent[1]["body"]) == self.LARGE.body
        assert int(call.headers[b"content-length"]) == len(call.sent[1]["body"]) < 1000

    @pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip;q=0.0, br", "xgzip", "identity"])
    async def test_others_get_it_as_it_is(self, accepted: str) -> None:
        call = client(FakeWorker(), self.LARGE)
        await call.post("/v1/queries", authorization="Bearer x", accept_encoding=accepted)
        assert b"content-encoding" not in call.headers
        assert call.sent[1]["body"] == self.LARGE.body

    async def test_a_small_answer_is_left_alone(self) -> None:
        call = client(FakeWorker())
        await call.post("/v1/queries", authorization="Bearer x", accept_encoding="gzip")
        assert b"content-encoding" not in call.headers


async def test_too_many_requests_at_once_are_refused() -> None:
    working = asyncio.Event()

    async def application(*_: object) -> None:
        working.set()
        await asyncio.sleep(10)

    gateway = client(FakeWorker(), application, max_concurrent_requests=1).gateway
    first = asyncio.create_task(Client(gateway).post("/v1/understand", authorization="Bearer x"))
    await working.wait()
    second = Client(gateway)
    await second.post("/v1/understand", authorization="Bearer x")
    assert (second.status, second.headers[b"retry-after"]) == (503, b"1")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


async def test_requests_without_a_token_do_not_count_as_under_way() -> None:
    """Regression: 1,025 clients without a token that did not read a page blocked all callers of a worker."""
    never = asyncio.Event()

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] == "/docs":
            await never.wait()
        await Response(b"{}")(scope, receive, send)

    gateway = client(FakeWorker(), application, max_concurrent_requests=1).gateway
    strangers = [asyncio.create_task(Client(gateway).ask("GET", "/docs")) for _ in range(3)]
    await asyncio.sleep(0)
    for headers, status in (({}, 401), ({"authorization": "Bearer x"}, 200), ({"authorization": "Bearer x"}, 200)):
        call = Client(gateway)
        await call.post("/v1/understand", **headers)
        assert call.status == status
    never.set()
    await asyncio.gather(*strangers)


async def test_over_tls_responses_have_strict_transport_security() -> None:
    for scheme, is_sent in (("http", False), ("https", True)):
        call = client(FakeWorker())
        scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "headers": [], "scheme": scheme}
        await call.gateway(scope, call.receive, call.send)
        assert (b"strict-transport-security" in call.headers) is is_sent


class TestHosts:
    HOSTS = ("desk.example.com", "*.shop.example", "10.0.0.7", "[2001:db8::1]")

    @pytest.mark.parametrize(
        "host",
        ["desk.example.com", "DESK.example.com.:3000", "a.shop.example", "a.b.shop.example:80", "10.0.0.7:3000",
         "[2001:db8::1]:3000"],
    )  # fmt: skip
    async def test_our_own_are_answered(self, host: str) -> None:
        call = client(FakeWorker(), hosts=self.HOSTS)
        await call.ask("GET", "/", host=host)
        assert call.status == 200

    @pytest.mark.parametrize(
        "headers",
        [{}, {"host": ""}, {"host": "evil.example"}, {"host": "shop.example"}, {"host": "evilshop.example"},
         {"host": "desk.example.com.evil.example"}, {"host": "10.0.0.8"}, {"host": "127.0.0.1:3000"}],
    )  # fmt: skip
    async def test_others_are_refused_but_for_health(self, headers: dict[str, str]) -> None:
        for path, status in (("/", 400), ("/metrics", 400), ("/v1/queries", 400), ("/livez", 200), ("/readyz", 200)):
            call = client(FakeWorker(), hosts=self.HOSTS)
            await call.ask("GET", path, **headers)
            assert call.status == status, path

    async def test_any_is_answered_where_none_is_configured(self) -> None:
        call = client(FakeWorker())
        await call.ask("GET", "/", host="anything.example")
        assert call.status == 200


async def test_a_client_that_leaves_is_no_defect_however_the_framework_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "DISCONNECT_WATCH_DELAY_S", 0.0)

    def application(begins: bool) -> Any:
        async def answers(scope: dict[str, Any], receive: Any, send: Any) -> None:
            if begins:
                await send({"type": "http.response.start", "status": 200, "headers": []})
            try:
                await asyncio.sleep(0.05 if begins else 5)
            finally:
                raise ExceptionGroup("several", [RuntimeError("No response returned.")])

        return answers

    for begins in (False, True):
        call = client(FakeWorker(), application(begins))
        call.leaves.set()
        await call.ask("GET", "/docs")
        assert len(call.sent) == begins
    assert "failure" not in capsys.readouterr().out


async def test_a_web_socket_is_closed() -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    await client(FakeWorker()).gateway({"type": "websocket", "path": "/v1/queries"}, receive, send)
    assert sent == [{"type": "websocket.close"}]


def problem_of(call: Client) -> dict[str, Any]:
    assert call.headers[b"content-type"] == b"application/problem+json"
    assert call.headers[b"x-request-id"]
    assert len([message for message in call.sent if message["type"] == "http.response.start"]) == 1
    return call.body


@pytest.fixture
def logged() -> None:
    """Log defects like a server."""
    configure_logging("INFO")


@pytest.mark.usefixtures("logged")
async def test_a_defect_of_any_application_leaves_as_a_problem() -> None:
    async def broken(*_: object) -> None:
        raise OverflowError("secret")

    for path in ("/v1/understand", "/understand", "/v2/models/ensemble/infer", "/v1/queries/stream"):
        call = client(FakeWorker(), broken)
        await call.post(path, authorization="Bearer x")
        assert problem_of(call)["type"] == "urn:frontdesk:defect"
        assert "secret" not in str(call.sent)


@pytest.mark.usefixtures("logged")
async def test_a_defect_behind_the_framework_leaves_as_a_problem() -> None:
    """The framework answers first with its own text, before the gateway sees the exception."""
    app = build_app(lambda: None)  # type: ignore[arg-type, return-value]  # the worker has no pipeline

    for path in ("/v1/understand", "/v1/understand/batch", "/v1/queries", "/v1/queries/stream"):
        call = client(FakeWorker(), app)
        call.content = b'{"queries": [{"text": "x"}]}' if path.endswith("batch") else BODY
        await call.post(path, authorization="Bearer x")
        assert call.status == 500, path
        assert problem_of(call)["type"] == "urn:frontdesk:defect"


async def test_a_defect_that_bentoml_answers_itself_leaves_as_a_problem() -> None:
    broken = Response(b'{"error":"An unexpected error has occurred"}', status_code=500, media_type="application/json")
    call = client(FakeWorker(), broken)
    await call.post("/understand", authorization="Bearer x")
    assert problem_of(call)["type"] == "urn:frontdesk:defect"


async def test_a_refusal_of_ours_passes_bentoml_as_it_is() -> None:
    call = client(FakeWorker(), problem_response(Overloaded("Too much waits.", retry_after_s=3)))
    await call.post("/understand", authorization="Bearer x")
    assert (call.status, problem_of(call)["type"]) == (503, "urn:frontdesk:overloaded")


@pytest.mark.usefixtures("logged")
async def test_a_defect_behind_a_response_that_waits_for_compression_leaves_as_a_problem() -> None:
    async def broken(scope: Any, _: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"9000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        raise OverflowError

    call = client(FakeWorker(), broken, gzip_min_bytes=1000)
    await call.post("/v1/understand", authorization="Bearer x", accept_encoding="gzip")
    assert (call.status, problem_of(call)["status"]) == (500, 500)


async def test_the_application_knows_that_only_the_head_is_asked_for() -> None:
    is_head: list[bool] = []

    async def application(scope: Any, *_: object) -> None:
        is_head.append(get_admitted(scope).is_head)

    for method in ("HEAD", "GET"):
        await client(FakeWorker(), application).ask(method, "/v1/queries", authorization="Bearer x")
    assert is_head == [True, False]


PATHS_WITH_BODY = sorted(
    {route.template.replace("{", "").replace("}", "") for route in ROUTES if "POST" in route.methods}
)


@pytest.mark.parametrize("path", PATHS_WITH_BODY)
@pytest.mark.parametrize("coding", ["gzip", "br", "x-anything", "identity, gzip"])
async def test_a_compressed_body_is_refused_before_it_is_read(path: str, coding: str) -> None:
    call = client(FakeWorker())
    await call.post(path, authorization="Bearer x", content_encoding=coding)
    assert (call.status, call.headers[b"accept-encoding"], call.read) == (415, b"identity", 0)
    assert b"Content-Encoding" in call.sent[1]["body"]


@pytest.mark.parametrize("coding", ["", "identity", "Identity", "identity, identity"])
async def test_a_body_without_a_coding_is_read(coding: str) -> None:
    call = client(FakeWorker())
    await call.post("/v1/understand", authorization="Bearer x", content_encoding=coding)
    assert (call.status, call.read) == (200, 1)


@pytest.mark.parametrize("path", ["/v1/understand", "/v1/understand/batch", "/v1/queries/stream", "/understand"])
async def test_applications_receive_a_body_without_its_byte_order_mark(path: str) -> None:
    bodies: list[tuple[bytes, bytes]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        bodies.append((get_admitted(scope).body, (await receive())["body"]))
        await Response(b"{}")(scope, receive, send)

    call = client(FakeWorker(), application)
    call.content = b"\xef\xbb\xbf" + BODY
    await call.post(path, authorization="Bearer x")
    assert (call.status, bodies) == (200, [(BODY, BODY)])


async def test_a_body_in_utf16_is_refused_by_name() -> None:
    call = client(FakeWorker())
    call.content = BODY.decode().encode("utf-16")
    await call.post("/v1/understand/batch", authorization="Bearer x")
    assert call.status == 400
    assert "UTF-16" in problem_of(call)["detail"]


async def test_the_body_of_a_batch_has_the_time_of_other_bodies() -> None:
    call = client(FakeWorker(), request_timeout_s=0.05, batch_timeout_s=60)

    async def never() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    call.receive = never  # type: ignore[method-assign]
    await call.post("/v1/understand/batch", authorization="Bearer x")
    assert call.status == 408
