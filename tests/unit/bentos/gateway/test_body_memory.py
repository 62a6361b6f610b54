"""Bodies that are being received share one memory limit, and release it when their request ends for any reason."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from bentos.gateway.http_gateway import Gateway
from tests.support.http_listener import listening
from tests.unit.bentos.gateway.test_http_gateway import FakeWorker, client

LIMIT = 8192
ENDS = ("complete", "leaves", "silent", "defect", "cancelled", "refused", "declared", "too large")


def gateway(worker: FakeWorker, application: Callable[..., Awaitable[None]] | None = None, **settings: Any) -> Gateway:
    """A gateway whose bodies may have LIMIT bytes in total, and 4096 each."""
    limits = {"max_body_bytes": 4096, "max_batch_body_bytes": 4096, "max_body_memory_bytes": LIMIT, **settings}
    return client(worker, application, **limits).gateway


async def send_request(gateway: Gateway, end: str, sizes: list[int], statuses: list[int]) -> None:
    """Send one request whose body has chunks of `sizes`; `end` is how it ends."""
    pieces = [*sizes, 8192] if end == "too large" else sizes
    sent = 0

    async def receive() -> dict[str, Any]:
        nonlocal sent
        await asyncio.sleep(0)
        if sent == len(pieces):
            if end == "silent" or end == "cancelled":
                await asyncio.sleep(10)
            return {"type": "http.disconnect"}
        sent += 1
        more = end in ("leaves", "silent", "cancelled") or sent < len(pieces)
        return {"type": "http.request", "body": b"x" * pieces[sent - 1], "more_body": more}

    async def send(message: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    headers = [(b"content-type", b"application/json"), (b"x-end", end.encode())]
    if end != "refused":
        headers.append((b"authorization", b"Bearer x"))
    if end == "declared":
        headers.append((b"content-length", b"%d" % sum(sizes)))
    scope = {"type": "http", "method": "POST", "path": "/v1/understand", "raw_path": b"/v1/understand",
             "query_string": b"", "headers": headers}  # fmt: skip
    request = asyncio.create_task(gateway(scope, receive, send))
    if end == "cancelled":
        await asyncio.sleep(0.001)
        request.cancel()
    await asyncio.gather(request, return_exceptions=True)


async def slow_or_broken(scope: Any, receive: Any, send: Any) -> None:
    """An application that takes a short time, and fails if the request has the header `x-end: defect`."""
    await asyncio.sleep(0.001)
    if (b"x-end", b"defect") in scope["headers"]:
        raise OverflowError
    await Response(b"{}")(scope, receive, send)


@given(
    st.lists(
        st.tuples(st.sampled_from(ENDS), st.lists(st.integers(0, 3000), min_size=1, max_size=4)),
        min_size=1,
        max_size=30,
    )
)
def test_whatever_the_requests_nothing_is_reserved_in_the_end(requests: list[tuple[str, list[int]]]) -> None:
    most = 0

    async def run() -> tuple[int, list[int]]:
        nonlocal most
        ours, statuses = gateway(FakeWorker(), slow_or_broken, request_timeout_s=0.02), []

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, ours._body_memory.used_bytes)
                await asyncio.sleep(0)

        watching = asyncio.create_task(watch())
        await asyncio.gather(*(send_request(ours, end, sizes, statuses) for end, sizes in requests))
        watching.cancel()
        return ours._body_memory.used_bytes, statuses

    left, statuses = asyncio.run(run())
    assert left == 0
    assert most <= LIMIT
    assert set(statuses) <= {200, 400, 401, 408, 413, 500, 503}


async def test_a_request_beyond_the_limit_is_refused_and_counted_until_others_have_ended() -> None:
    finish = asyncio.Event()

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        await finish.wait()
        await Response(b"{}")(scope, receive, send)

    worker = FakeWorker()
    ours = gateway(worker, waits)
    statuses: list[int] = []
    first = [asyncio.create_task(send_request(ours, "complete", [4000], statuses)) for _ in range(2)]
    await asyncio.sleep(0.01)
    assert ours._body_memory.used_bytes == 8000
    for end in ("complete", "declared"):
        await send_request(ours, end, [100, 93], statuses)
    assert statuses == [503, 503]
    assert b"frontdesk_body_memory_refusals_total 2.0" in worker.metrics.render()[0]
    finish.set()
    await asyncio.gather(*first)
    await send_request(ours, "complete", [4000], statuses)
    assert statuses == [503, 503, 200, 200, 200]


@pytest.mark.parametrize("declared", [True, False])
async def test_a_client_that_sends_its_whole_body_first_reads_the_refusal(declared: bool) -> None:
    size = 8 * 1024 * 1024
    worker = FakeWorker()
    ours = gateway(worker, max_batch_body_bytes=size, max_body_memory_bytes=size)
    ours._body_memory.used_bytes = size - 1000  # for bodies that are still being received

    def post(port: int) -> tuple[int, str | None, dict[str, Any]]:
        body = b"x" * size
        headers = {"authorization": "Bearer x", "content-type": "application/json"}
        content: Any = body if declared else iter([body[at : at + 65_536] for at in range(0, size, 65_536)])
        request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/understand/batch", content, headers)
        try:
            urllib.request.urlopen(request, timeout=10)
        except urllib.error.HTTPError as error:
            return error.code, error.headers["retry-after"], json.loads(error.read())
        raise AssertionError("it was not refused")

    async with listening(ours, header_timeout_s=2.0, max_header_bytes=16_384) as listener:
        status, retry_after, problem = await asyncio.to_thread(post, listener.port)
    assert (status, retry_after, problem["type"]) == (503, "1", "urn:frontdesk:overloaded")
    assert ours._body_memory.used_bytes == size - 1000


async def test_a_body_that_does_not_arrive_in_time_is_answered_with_408_and_the_connection_closes() -> None:
    ours = gateway(FakeWorker(), request_timeout_s=0.2)
    head = b"POST /v1/understand HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\ncontent-type: application/json\r\n"
    async with listening(ours, request_timeout_s=0.2, discard_s=0.2) as listener:
        for rest, status in ((b"", b"408"), (b"x-request-deadline-ms: 50\r\n", b"504")):
            seconds, response = await listener.seconds_until_closed(head + rest + b"content-length: 100\r\n\r\n{")
            assert response.startswith(b"HTTP/1.1 " + status), response
            assert seconds < 2
        assert b"connection: close" not in response
