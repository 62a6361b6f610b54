"""Decompression bombs and inputs with a high processing cost are refused or processed quickly.

Memory is the peak of the workers (VmHWM), so memory that was allocated and freed also counts.
"""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from grpc import StatusCode

from bentos.admission.routes import ROUTES
from bentos.grpc import frontdesk_pb2 as pb
from tests.support.serving import Server, send_raw

MEGABYTE = 1_000_000
ZEROS = bytes(40 * MEGABYTE)
MOST_BYTES_MORE = 32 * MEGABYTE
"""Decompression stops at the limit of a batch, 8.4 MB. zlib doubles its buffer, so one message takes up to 17 MB, and
the next one another 10 MB (measured: 26.9). Complete decompression takes at least the 40 MB of `ZEROS`."""
POSTED = [
    route.template.replace("{model}", "ensemble")
    for route in ROUTES
    if route.models and "{version}" not in route.template
]
BOMBS = {
    "gzip": gzip.compress(b'{"text": "' + ZEROS + b'"}'),
    "deflate": zlib.compress(b'{"text": "' + ZEROS + b'"}'),
    "x-gzip": gzip.compress(ZEROS),
    "gzip, gzip": gzip.compress(gzip.compress(ZEROS)),
    "br": b"\x81" * 1000,
    "zstd": b"\x28\xb5\x2f\xfd" * 1000,
}
METHODS = ("/frontdesk.v1.FrontdeskService/Understand", "/inference.GRPCInferenceService/ModelInfer",
           "/inference.GRPCInferenceService/ServerLive", "/grpc.health.v1.Health/Check")  # fmt: skip
"""Methods with a smaller and a larger limit, and methods without a token, ours and gRPC's own."""


def highest(server: Server) -> int:
    """The largest peak memory of the workers in bytes."""
    statuses = (Path(f"/proc/{pid}/status").read_text() for pid in server.workers().values())
    return max(int(status.partition("VmHWM:")[2].split()[0]) * 1024 for status in statuses)


@contextmanager
def little_memory(server: Server) -> Iterator[None]:
    before = highest(server)
    yield
    assert highest(server) - before < MOST_BYTES_MORE


def post(server: Server, path: str, body: bytes, *more: str) -> tuple[int, float]:
    """The status and the time in seconds."""
    named = (f"POST {path} HTTP/1.1", "host: x", f"authorization: Bearer {server.token()}", "connection: close")
    head = "\r\n".join([*named, "content-type: application/json", f"content-length: {len(body)}", *more])
    started = time.perf_counter()
    return send_raw(server.port, head.encode() + b"\r\n\r\n" + body).status, time.perf_counter() - started


@pytest.mark.parametrize("encoding", BOMBS)
def test_a_body_that_would_grow_is_not_opened(server: Server, encoding: str) -> None:
    with little_memory(server):
        for path in POSTED:
            status, took_s = post(server, path, BOMBS[encoding], f"content-encoding: {encoding}")
            assert status in (400, 413, 415), path
            assert took_s < 2.0


def test_a_message_that_would_grow_is_not_opened(server: Server) -> None:
    """All compressions of gRPC; the compressed message is within the size limit."""
    metadata = (("authorization", f"Bearer {server.token()}"),)
    query = pb.Query(text="x", store=False).SerializeToString()
    with grpc.insecure_channel(server.grpc_address) as channel:
        channel.unary_unary(METHODS[0])(query, metadata=metadata)  # memory that any first call takes is not counted
    with little_memory(server), grpc.insecure_channel(server.grpc_address) as channel:
        for path in METHODS:
            for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
                call = channel.unary_unary(path).future(ZEROS, metadata=metadata, timeout=20, compression=compression)
                assert call.code() in (StatusCode.UNIMPLEMENTED, StatusCode.RESOURCE_EXHAUSTED), path
        good = channel.unary_unary(METHODS[0])(query, metadata=metadata)
    assert pb.Answer.FromString(good).query_id


PIECES = (
    "a", "A ", "1", "1 ", "a@", "@a.", "+49 ", "http://a/", "://", "(", "[ORDER_1] ", "{{", "Dear A ", "\u0301",
    "\u200d", "\U0001f600", "no not never ", "!?", ". ", "\n", "\t", "urgent ", "99.99 EUR ", "1970-01-01T", "-", "_",
    "&amp;", "<a>", "0x", "DE89 3704 ", "\u202e", "\u0130", "\ufdfa", "ß", "\x7f", "'\"",
)  # fmt: skip


@pytest.mark.parametrize("path", ["/v1/understand", "/v1/queries"])
def test_no_text_of_four_thousand_characters_takes_long(server: Server, path: str) -> None:
    """The text passes masking, features, models, priority and reply. A quadratic pattern would take many seconds."""
    slow = []
    for piece in PIECES:
        text = ("x " + piece * 4000)[:4000]
        status, took_s = post(server, path, json.dumps({"text": text, "store": False}).encode())
        if status != 200 or took_s > 1.0:
            slow.append((piece, status, round(took_s, 2)))
    assert slow == []


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000,
        b'{"text":' * 8_000,
        b'{"text": "' + b"\\ud83d" * 10_000 + b'"}',
        b'{"text": "x", "store": 1e' + b"9" * 60_000 + b"}",
        b'{"text": "x", "store": ' + b"9" * 60_000 + b"}",
        b"{" + b",".join(b'"a%d":1' % number for number in range(5_000)) + b"}",
        b'{"text": "x"' + b', "text": "x"' * 4_000 + b', "y": 1}',
        b'{"waiting_since": "' + b"2026-01-01T" * 5_000 + b'", "text": "x"}',
        b" " * 65_000 + b"{",
    ],
    ids=["lists", "objects", "surrogates", "exponent", "digits", "names", "one name again", "a date", "blanks"],
)
def test_no_body_takes_long_to_parse(server: Server, body: bytes) -> None:
    for path in POSTED:
        status, took_s = post(server, path, body)
        assert (status, took_s < 1.0) == (400, True), (path, took_s)


@pytest.mark.parametrize("size", [100, 200, 3_000])
def test_no_query_string_takes_long_to_parse(server: Server, size: int) -> None:
    for query in ("intent=" + "a" * size, "&".join(["intent=a"] * (size // 10)), "cursor=" + "A" * size, "%61" * size):
        head = f"GET /v1/queries?{query} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {server.token()}\r\n"
        started = time.perf_counter()
        status = send_raw(server.port, f"{head}connection: close\r\n\r\n".encode()).status
        assert status in (200, 400), query[:50]
        assert time.perf_counter() - started < 1.0
