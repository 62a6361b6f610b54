"""The limit of file descriptors is raised, and gRPC does not exceed its share."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import grpc
import pytest

from bentos.http.descriptors import MIN_GRPC_CONNECTIONS, grpc_connection_cap
from tests.support.serving import PROJECT

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"


@pytest.mark.parametrize(("soft", "hard"), [(256, 256), (256, 2000), (1024, 1024)])
def test_the_soft_limit_becomes_the_hard_one(soft: int, hard: int) -> None:
    script = (
        "import resource\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "from bentos.http.descriptors import raise_descriptor_limit\n"
        "print(raise_descriptor_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))\n"
    )
    process = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert process.stdout.split() == [str(hard)] * 3


def test_grpc_may_use_an_eighth() -> None:
    assert grpc_connection_cap(1024) == 128
    assert grpc_connection_cap(256) == MIN_GRPC_CONNECTIONS


async def test_grpc_accepts_no_connection_above_its_cap() -> None:
    server = grpc.aio.server(options=[("grpc.max_allowed_incoming_connections", 5)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    writers: list[asyncio.StreamWriter] = []

    async def is_accepted() -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        writer.write(PREFACE)
        try:
            return bool(await asyncio.wait_for(reader.read(100), 5.0))
        except ConnectionResetError:
            return False

    try:
        assert [await is_accepted() for _ in range(8)] == [True] * 5 + [False] * 3
    finally:
        for writer in writers:
            writer.close()
        await server.stop(0)
