"""One attacker process: `python -m tests.hostile.flood.attacker KIND PORT CONNECTIONS ADDRESSES SECONDS`.

A separate process, so that it does not slow down the clients whose latency is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.hostile.flood.attacks import attack_with
from tests.support.serving import PROJECT


def addresses(count: int) -> list[str]:
    """Addresses of 127.0.0.0/8 that ordinary clients do not use."""
    return [f"127.9.0.{index + 1}" for index in range(count)]


@contextmanager
def attacking(kind: str, port: int, *, connections: int, address_count: int, longest_s: float) -> Iterator[None]:
    """Attack a port of 127.0.0.1 within the context, for at most `longest_s` seconds."""
    arguments = (kind, str(port), str(connections), str(address_count), str(longest_s))
    process = subprocess.Popen([sys.executable, "-m", __name__, *arguments], cwd=PROJECT)
    try:
        yield
        assert process.poll() is None, f"the attacker ended early with {process.returncode}"
    finally:
        process.kill()
        process.wait()


async def _main(kind: str, port: str, connections: str, address_count: str, longest_s: str) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(float(longest_s)):
            await attack_with(kind, ("127.0.0.1", int(port)), int(connections), addresses(int(address_count)))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
