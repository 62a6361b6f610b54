"""A server on a nearly full disk: it runs and answers reads, erasure works, and new work is refused."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import grpc
import pytest
from httpx2 import Client, HTTPError

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub
from model_store.bundle import Bundle
from tests.support.serving import POLL_S, READY_TIMEOUT_S, Server, home_with

NEVER = 1 << 60
QUERY = {"text": "Where is my parcel?"}


class NeverReady(Server):
    """Waits until /readyz reports the full disk instead of readiness."""

    def _wait_until_ready(self) -> None:
        give_up = time.monotonic() + READY_TIMEOUT_S
        with Client(timeout=5.0) as client:
            while time.monotonic() < give_up:
                assert self.process.poll() is None, self.log()
                with contextlib.suppress(HTTPError):
                    if "nearly full" in client.get(f"{self.url}/readyz").text:
                        return
                time.sleep(POLL_S)
        raise AssertionError(f"the server did not say that its disk is nearly full:\n{self.log()}")


def test_below_the_floor_of_free_disk_new_work_is_refused_and_erasure_is_not(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    home = home_with(tiny_bundle, tmp_path / "home")
    with NeverReady(home, workers=1, storage__min_free_bytes=NEVER) as server, server.client() as client:
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "the disk is nearly full")
        assert 0 < ready.json()["disk_free_bytes"] < NEVER
        for path in ("/v1/queries", "/v1/understand", "/v1/queries/stream", "/answer"):
            refused = client.post(path, json=QUERY)
            assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json"), path
            assert (refused.json()["type"], int(refused.headers["retry-after"]) > 0) == (
                "urn:frontdesk:storage-unavailable",
                True,
            )
        assert client.post("/v1/queries/0190-abc/feedback", json={"satisfaction": 1}).status_code == 503
        assert client.get("/v1/queries").status_code == 200
        assert client.delete("/v1/customers/ada").status_code == 200
        assert b"frontdesk_disk_free_bytes" in client.get("/metrics").content
        with grpc.insecure_channel(server.grpc_address) as channel:
            metadata = (("authorization", f"Bearer {server.token()}"),)
            with pytest.raises(grpc.RpcError) as error:
                FrontdeskServiceStub(channel).Answer(pb.Query(text="Where is it?"), metadata=metadata, timeout=20.0)
            assert error.value.code() is grpc.StatusCode.UNAVAILABLE
