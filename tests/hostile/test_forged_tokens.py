"""Forged and expired tokens are refused over HTTP and gRPC, and are not contained in responses or logs."""

from __future__ import annotations

import sys
import time

import grpc
from grpc import StatusCode

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub
from frontdesk.security.token_keys import load_signing_key
from tests.support.forged_tokens import Forger, forged_tokens
from tests.support.serving import Server, send_raw

BODY = b'{"text": "Where is my parcel?", "store": false}'
FEWEST = 60
LONG_ENOUGH_TO_BE_FOUND = 20


def over_http(server: Server, token: str) -> int:
    head = "POST /v1/understand HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n"
    head += f"content-length: {len(BODY)}\r\nauthorization: Bearer "
    return send_raw(server.port, head.encode() + token.encode("utf-8", "surrogatepass") + b"\r\n\r\n" + BODY).status


def over_grpc(stub: FrontdeskServiceStub, token: str) -> StatusCode:
    metadata = (("authorization", f"Bearer {token}"),)
    try:
        stub.Understand(pb.Query(text="Where is my parcel?", store=False), metadata=metadata, timeout=20)
    except grpc.RpcError as error:
        code: StatusCode = error.code()
        return code
    return StatusCode.OK


def test_no_forged_or_stale_token_is_admitted_at_either_door(server: Server) -> None:
    key, now = load_signing_key(server.home / "keys"), int(time.time())
    bad = forged_tokens(key, now, margin_s=300)
    http = {name: over_http(server, token) for name, token in bad.items()}
    sendable = {name: token for name, token in bad.items() if token.isascii() and token.isprintable()}
    with grpc.insecure_channel(server.grpc_address) as channel:
        stub = FrontdeskServiceStub(channel)
        rpc = {name: over_grpc(stub, token) for name, token in sendable.items()}
        good = Forger(key, now).forge()
        assert over_grpc(stub, good) is StatusCode.OK
        assert over_http(server, good) == 200
    sys.stdout.write(f"{len(http)} bad tokens over HTTP and {len(rpc)} over gRPC\n")

    malformed_http = (0, 400)  # refused as invalid HTTP before the token is checked
    assert {name: status for name, status in http.items() if status not in (401, *malformed_http)} == {}
    assert sum(status == 401 for status in http.values()) >= FEWEST
    assert {name: code for name, code in rpc.items() if code is not StatusCode.UNAUTHENTICATED} == {}
    assert len(rpc) >= FEWEST
    log = server.log()
    pieces = {piece for token in (*bad.values(), good) for piece in token.split(".")}
    assert [piece for piece in pieces if len(piece) >= LONG_ENOUGH_TO_BE_FOUND and piece in log] == []
