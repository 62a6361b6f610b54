"""Where the parts of an ensemble live, by the setting `model.placement`, and how those elsewhere are reached.

    embedded      everything in each API worker
    dedicated     the encoders in one process that all API workers share (the single owner of a GPU)
    distributed   every part in a service of its own, to be scaled apart

Answers are the same in all three. Knows the services by their names alone: they are BentoML services in files of their
own, and `bentos/service.py` declares those of a placement as its dependencies.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from frontdesk.errors import ConfigurationError
from model_store.manifest import Manifest
from runners.ensemble.remote_ports import RemoteServices
from runners.models.linear import LogisticRegression
from runners.models.onnx_encoder import ENCODER_MEMBERS
from runners.models.trees import TREE_MEMBERS
from runners.remote.remote_members import RemoteMembers, RemoteMetaLearner
from runners.remote.runner_client import RunnerConnection
from runners.remote.tensor_codec import rows_to_arrays, texts_to_arrays

ENCODERS, DISTILBERT, ROBERTA, TREES, META_LEARNER = "encoders", "distilbert", "roberta", "trees", "meta_learner"

MEMBERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        ENCODERS: ENCODER_MEMBERS,
        DISTILBERT: ("distilbert",),
        ROBERTA: ("roberta",),
        TREES: (LogisticRegression.name, *TREE_MEMBERS),
    }
)
"""The members that a service holds, where the bundle has them."""

SERVICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "embedded": (),
        "dedicated": (ENCODERS,),
        "distributed": (DISTILBERT, ROBERTA, TREES, META_LEARNER),
    }
)


def call_path(version: str) -> str:
    """Where a runner that holds bundle `version` takes calls: one that holds another must not answer them."""
    return f"/bundles/{version}/call"


def local_services(urls: Mapping[str, str | None]) -> list[str]:
    """The services, of those at `urls`, that our own BentoML master has started: it gives them unix sockets.

    One with another address is on another machine, where probes of its own watch over it.
    """
    return [name for name, url in urls.items() if url is not None and url.startswith("file:")]


def check_placement(placement: str, manifest: Manifest) -> None:
    """Raises `ConfigurationError` where a service of the placement would find none of its members in the bundle."""
    for service in SERVICES[placement]:
        members = MEMBERS.get(service)
        if members is not None and not set(members) & set(manifest.members):
            raise ConfigurationError(
                f"model.placement is '{placement}', but bundle {manifest.version} has no {' or '.join(members)}.",
                hint="Train a profile with encoders (frontdesk train), or set FRONTDESK_MODEL__PLACEMENT=embedded.",
            )


def connect_services(
    placement: str, manifest: Manifest, urls: Mapping[str, str | None], *, timeout_s: float, start_timeout_s: float
) -> RemoteServices:
    """Connect to each service of the placement, waiting until it is up.

    Args:
        urls: by the name of a service, as BentoML gives them: None where it has started no process for it.
        timeout_s: the longest that a call may take.
        start_timeout_s: how long to wait for each service.

    Raises:
        ConfigurationError: naming the service that is not there.
    """
    connections = {}
    for name in SERVICES[placement]:
        if (url := urls.get(name)) is None:
            raise ConfigurationError(
                f"BentoML started no process for the service '{name}', which model.placement '{placement}' needs.",
                hint="Do not serve with --development, or set FRONTDESK_MODEL__PLACEMENT=embedded.",
            )
        connections[name] = RunnerConnection(name, url, call_path(manifest.version), timeout_s)
    for connection in connections.values():
        connection.wait_until_up(start_timeout_s)
    meta_learner = connections.pop(META_LEARNER, None)
    return RemoteServices(
        members=tuple(
            RemoteMembers(
                name,
                connection,
                [member for member in manifest.members if member in MEMBERS[name]],
                rows_to_arrays if name == TREES else texts_to_arrays,
            )
            for name, connection in connections.items()
        ),
        meta_learner=RemoteMetaLearner(meta_learner) if meta_learner else None,
    )
