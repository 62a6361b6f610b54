"""The processes that run the models, by the setting `model.placement`, and the connections to them.

    embedded      all models in each API worker
    dedicated     the encoders in one process that all API workers share (the only user of a GPU)
    distributed   each part in a separate service, for separate scaling

Answers are the same in all three. Services are referred to by name; they are BentoML services in `runners/services/`,
and `bentos/service.py` declares the services of a placement as its dependencies.
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
"""The members of a service, if the bundle has them."""

SERVICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "embedded": (),
        "dedicated": (ENCODERS,),
        "distributed": (DISTILBERT, ROBERTA, TREES, META_LEARNER),
    }
)


def runner_call_path(version: str) -> str:
    """Return the path of calls to a runner with bundle `version`, so that a runner with another bundle refuses them."""
    return f"/bundles/{version}/call"


def local_services(urls: Mapping[str, str | None]) -> list[str]:
    """Return the services that were started by this BentoML master, which gives them unix sockets.

    A service with another address runs on another machine and is monitored there.
    """
    return [name for name, url in urls.items() if url is not None and url.startswith("file:")]


def check_placement(placement: str, manifest: Manifest) -> None:
    """Raise `ConfigurationError` if the bundle has none of the members of a service of the placement."""
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
    """Connect to each service of the placement and wait until it is up.

    Args:
        placement: the setting `model.placement`.
        manifest: of the served bundle.
        urls: BentoML's URLs by service name; None if BentoML has started no process for a service.
        timeout_s: maximum time of a call.
        start_timeout_s: maximum time to wait for each service.

    Raises:
        ConfigurationError: a service is not available; names the service.
    """
    connections = {}
    for name in SERVICES[placement]:
        if (url := urls.get(name)) is None:
            raise ConfigurationError(
                f"BentoML started no process for the service '{name}', which model.placement '{placement}' needs.",
                hint="Do not serve with --development, or set FRONTDESK_MODEL__PLACEMENT=embedded.",
            )
        connections[name] = RunnerConnection(name, url, runner_call_path(manifest.version), timeout_s)
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
