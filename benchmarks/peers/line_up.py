"""Who is compared: how each server is started, where it takes a text, and what is said of it in the table.

All take POST {"text": ...} and answer with the whole understanding as JSON. Only Frontdesk also checks a token, masks,
decides, and keeps metrics and an access log: that favours the others. It has no command here, since
`benchmarks/server.py` starts it as users do.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.peers.model import CORES

FRONTDESK = "frontdesk"
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Peer:
    """A server of the comparison; `{port}` stands in its command.

    `fp32` says that it runs the encoders in fp32 whatever the run's precision is: its answers are checked against
    the fp32 graphs.
    """

    name: str
    title: str
    path: str
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    fp32: bool = False

    def command_on(self, port: int) -> list[str]:
        """To be run by this interpreter."""
        return [sys.executable, "-m", *(part.format(port=port) for part in self.command)]


def _bentoml(gateway: str) -> tuple[str, ...]:
    service = f"benchmarks.peers.bentoml_composition:{gateway}"
    return ("bentoml", "serve", service, "--host", HOST, "--port", "{port}")


_FASTAPI = (
    "uvicorn", "benchmarks.peers.fastapi_unbatched:app", "--host", HOST, "--port", "{port}",
    "--workers", str(CORES), "--no-access-log", "--log-level", "warning",
)  # fmt: skip

LINE_UP = (
    Peer(FRONTDESK, "Frontdesk", "/v1/understand"),
    Peer("bentoml", "BentoML, a service a member", "/understand", _bentoml("EachMember")),
    Peer("bentoml-joined", "BentoML, light members in one", "/understand", _bentoml("LightTogether")),
    Peer("mosec", "mosec", "/inference", (
        "benchmarks.peers.mosec_batching", "--address", HOST, "--port", "{port}",
        "--timeout", "60000", "--log-level", "warning",
    )),
    Peer("litserve", "LitServe", "/predict", ("benchmarks.peers.litserve_batching", "{port}")),
    Peer("fastapi-onnx", "FastAPI, same graphs, no batching", "/understand", _FASTAPI, {"PEER_ENCODERS": "onnx"}),
    Peer(
        "fastapi-torch",
        "FastAPI, torch fp32 eager, no batching",
        "/understand",
        _FASTAPI,
        {"PEER_ENCODERS": "torch"},
        fp32=True,
    ),
)  # fmt: skip


def chosen(names: str | None) -> tuple[Peer, ...]:
    """The peers of a comma-separated list, in the order of the line-up; all of them for None.

    Raises:
        ValueError: naming those that there are, when one is not among them.
    """
    if names is None:
        return LINE_UP
    wanted = set(names.split(","))
    if unknown := wanted - {peer.name for peer in LINE_UP}:
        known = ", ".join(peer.name for peer in LINE_UP)
        raise ValueError(f"There is no peer {', '.join(sorted(unknown))}; there are: {known}.")
    return tuple(peer for peer in LINE_UP if peer.name in wanted)


def in_turn(peers: tuple[Peer, ...], turn: int) -> tuple[Peer, ...]:
    """The order of a round: each round begins with the next one, so that none is always first or last."""
    first = turn % len(peers)
    return peers[first:] + peers[:first]
