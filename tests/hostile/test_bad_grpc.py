"""Invalid gRPC input is refused with a status, is not logged, and does not affect later calls.

Every message contains a unique word, so that traces in the log are found.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from grpc_status import rpc_status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bentos.admission.routes import RPCS
from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub
from tests.support.serving import Server

MARK = "zqxgrpcmark"
METHODS = [rpc.path for rpc in RPCS if not rpc.foreign]
CALLERS_FAULT = {
    StatusCode.INVALID_ARGUMENT,
    StatusCode.NOT_FOUND,
    StatusCode.RESOURCE_EXHAUSTED,
}
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.fixture(scope="module")
def channel(server: Server) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.grpc_address) as opened:
        yield opened


def outcome(channel: grpc.Channel, method: str, content: bytes, metadata: Any) -> StatusCode:
    """The status of a call of any method; OK once its first message has arrived."""
    call = channel.unary_stream(method)(content, metadata=metadata, timeout=20)
    with contextlib.suppress(grpc.RpcError):
        next(call, None)
        call.cancel()
        return StatusCode.OK
    code: StatusCode = call.code()
    assert MARK not in f"{call.details()}{rpc_status.from_call(call)}"
    return code


@pytest.fixture(scope="module")
def metadata(server: Server) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {server.token()}"),)


@pytest.fixture(scope="module", autouse=True)
def afterwards(server: Server, channel: grpc.Channel, metadata: Any) -> Iterator[None]:
    """Both workers are alive, without defects and traces in the log, and answer a valid call."""
    before = server.workers()
    yield
    assert server.workers() == before
    assert FrontdeskServiceStub(channel).Understand(pb.Query(text="Where is it?"), metadata=metadata).query_id
    log = server.log()
    assert MARK not in log
    assert '"event": "failure"' not in log
    assert "Traceback" not in log


class TestMessages:
    @settings(
        max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(method=st.sampled_from(METHODS), content=st.binary(max_size=300))
    def test_no_bytes_make_the_server_fail(
        self, channel: grpc.Channel, metadata: Any, method: str, content: bytes
    ) -> None:
        assert outcome(channel, method, content, metadata) in CALLERS_FAULT | {StatusCode.OK}

    @pytest.mark.parametrize(
        "query",
        [
            pb.Query(text=f"{MARK}\x00"),
            pb.Query(text=MARK * 400),
            pb.Query(text=" \t\n", customer_id=MARK),
            pb.Query(text="x", customer_id=MARK * 5),
            pb.Query(text="x", session_id=""),
            pb.Query(text="x", language=f"{MARK}!"),
            pb.Query(text="x", customer_id=f"{MARK}\x00"),
            pb.Query(text="x", channel=1234, session_id=MARK),
            pb.Query(text="x", customer_tier=-1, session_id=MARK),
        ],
        ids=range(9),
    )
    @pytest.mark.parametrize("method", ["Understand", "Answer"])
    def test_what_the_rules_forbid_is_refused(
        self, channel: grpc.Channel, metadata: Any, method: str, query: pb.Query
    ) -> None:
        content = query.SerializeToString()
        path = f"/frontdesk.v1.FrontdeskService/{method}"
        assert outcome(channel, path, content, metadata) is StatusCode.INVALID_ARGUMENT

    def test_a_text_that_is_not_utf8_is_refused(self, channel: grpc.Channel, metadata: Any) -> None:
        content = b"\x0a\x0f" + MARK.encode() + b"\xff\xfe\xfd\xc0"
        assert outcome(channel, METHODS[0], content, metadata) is StatusCode.INVALID_ARGUMENT

    def test_a_message_that_is_too_large_is_refused(self, channel: grpc.Channel, metadata: Any) -> None:
        for size in (270_000, 9_000_000):
            content = pb.Query(text=MARK, customer_id="c" * size).SerializeToString()
            assert outcome(channel, METHODS[0], content, metadata) is StatusCode.RESOURCE_EXHAUSTED


class TestMetadata:
    @pytest.mark.parametrize(
        "value", ["Bearer", "Bearer ", f"Basic {MARK}", f"Bearer {MARK}.{MARK}.{MARK}", "x" * 8000]
    )
    def test_a_bad_token_is_no_token(self, channel: grpc.Channel, value: str) -> None:
        content = pb.Query(text=MARK).SerializeToString()
        assert outcome(channel, METHODS[0], content, (("authorization", value),)) is StatusCode.UNAUTHENTICATED

    @pytest.mark.parametrize("value", ["-1", MARK, "1e9", "9" * 50])
    def test_a_bad_deadline_is_refused(self, channel: grpc.Channel, metadata: Any, value: str) -> None:
        content = pb.Query(text=MARK).SerializeToString()
        pairs = (*metadata, ("x-request-deadline-ms", value))
        assert outcome(channel, METHODS[0], content, pairs) is StatusCode.INVALID_ARGUMENT

    def test_binary_metadata_is_not_looked_at(self, channel: grpc.Channel, metadata: Any) -> None:
        content = pb.Query(text="x", store=False).SerializeToString()
        assert outcome(channel, METHODS[0], content, (*metadata, ("x-bin", bytes(range(256))))) is StatusCode.OK

    def test_more_than_the_limit_is_refused(self, channel: grpc.Channel, metadata: Any) -> None:
        pairs = (*metadata, ("x-much", MARK * 2000))
        assert outcome(channel, METHODS[0], b"", pairs) is StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 64,
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)),
        PREFACE,
        PREFACE + b"\xff" * 200,
        PREFACE + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + b"\x00\x40\x00\x01\x05\x00\x00\x00\x01" + b"\x82" * 100,
    ],
    ids=["nothing", "zeros", "HTTP/1.1", "TLS", "a preface", "no frames", "a frame cut short"],
)
def test_what_is_not_http2_harms_nobody(server: Server, channel: grpc.Channel, metadata: Any, content: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.grpc_port), timeout=5) as connection:
        connection.sendall(content + MARK.encode())
        query = pb.Query(text="Where is it?", store=False).SerializeToString()
        assert outcome(channel, METHODS[0], query, metadata) is StatusCode.OK


FRAME = st.builds(
    lambda payload, kind, flags, stream: (
        len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
    ),
    payload=st.binary(max_size=80),
    kind=st.integers(0, 12),
    flags=st.integers(0, 255),
    stream=st.sampled_from([0, 1, 3, 2, 2**31 - 1, 2**32 - 1]),
)


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=st.lists(FRAME, min_size=1, max_size=12))
def test_no_frames_of_http2_harm_anybody(server: Server, frames: list[bytes]) -> None:
    """Any type, flags and stream, in any order. The effect on other calls is checked when the module ends."""
    with (
        contextlib.suppress(ConnectionError, TimeoutError),
        socket.create_connection(("127.0.0.1", server.grpc_port), timeout=5) as connection,
    ):
        connection.sendall(PREFACE + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + b"".join(frames))
        connection.settimeout(0.02)
        while connection.recv(65_536):
            pass
