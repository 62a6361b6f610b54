"""What `/v1/admin/models` tells: the models that this worker serves, and what lies on disk beside them.

The serving half is a value made once, when the worker has opened its champion: it cannot change while the worker lives.
The pointer, the history and the versions on disk can, so they are read whenever somebody asks; of a bundle only its
manifest. Knows no request, and nothing that a customer wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnxruntime

from frontdesk.errors import BundleError
from model_store.manifest import Manifest
from model_store.promotion import Promotion, champion_path, history, previous, versions
from runners.models.execution_provider import ON_CPU, Provider
from runners.models.onnx_encoder import ENCODER_MEMBERS, Precision, graph_name
from runners.models.onnx_session import check_runtime

MAX_PROMOTIONS = 20
ALWAYS_FP32 = "fp32"
"""Trees, the linear model and the candidate scorers have one graph a task, in fp32."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """The installed onnxruntime, as `name version`, how it was built, and the providers that it offers."""

    onnxruntime: str
    build: str
    offers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServedMember:
    """One base model: the graphs that run, where, and in what precision: int8, fp16 or fp32.

    An encoder that another process holds has neither provider nor precision here: that process chose them for itself.
    `graphs` are then all it can choose from.
    """

    name: str
    graphs: tuple[str, ...]
    provider: str | None
    precision: str | None


@dataclass(frozen=True, slots=True)
class Serving:
    """The bundle that this worker answers with.

    `golden_rows` is always "reproduced": a worker that cannot reproduce them never serves.
    `provider` and `because` say where encoders run and why there; each member says it of itself.
    """

    version: str
    profile: str
    created_at: str
    code_version: str
    placement: str
    threads: int
    provider: str
    because: str
    members: tuple[ServedMember, ...]
    meta_learner: tuple[str, ...]
    golden_rows: str
    runtime: Runtime


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A bundle on disk. `problem` says why it cannot be served; then only its version is known."""

    version: str
    serving: bool
    champion: bool
    profile: str | None = None
    created_at: str | None = None
    accuracy: float | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The answer of `/v1/admin/models`.

    `serving` is the version of this worker's answers, `champion` the one that a server started now would serve, None
    where nothing is promoted or the promoted bundle is gone (`problem` says which). `promotions` are the newest last.
    """

    serving: str
    champion: str | None
    previous: str | None
    restart_needed: bool
    problem: str | None
    model: Serving
    versions: tuple[StoredVersion, ...]
    promotions: tuple[Promotion, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a worker serves, and the folder where its successors lie."""

    serving: Serving
    bundles: Path
    serves_external_bundle: bool

    @classmethod
    def of(
        cls,
        bundle: Path,
        bundles: Path,
        *,
        placement: str,
        threads: int,
        provider: Provider,
        precisions: Mapping[str, Precision],
    ) -> Inventory:
        """The inventory of a worker that serves `bundle`.

        Args:
            bundle: the folder that is served; usually one in `bundles`, in a Bento its own model.
            bundles: where versions, pointer and history lie.
            placement: which placement the worker was started in.
            threads: threads of each model session.
            provider: where the encoders of this process run.
            precisions: for each encoder of this process, which of its graphs runs: int8, fp16 or fp32.

        Raises:
            BundleError: when the manifest was damaged since the bundle was opened.
        """
        manifest = Manifest.read(bundle)
        serving = Serving(
            version=manifest.version,
            profile=manifest.profile,
            created_at=manifest.created_at,
            code_version=manifest.code_version,
            placement=placement,
            threads=threads,
            provider=provider.name,
            because=provider.because,
            members=tuple(_member(name, manifest, provider, precisions.get(name)) for name in manifest.members),
            meta_learner=tuple(name for name in sorted(manifest.files) if _is_graph(name, "meta/")),
            golden_rows="reproduced",
            runtime=Runtime(
                check_runtime(), onnxruntime.get_build_info(), tuple(onnxruntime.get_available_providers())
            ),
        )
        return cls(serving, bundles, serves_external_bundle=bundle.resolve().parent != bundles.resolve())

    def report(self) -> Report:
        """What is served and what is on disk now. Blocks for some milliseconds a version."""
        champion, problem = _champion(self.bundles)
        served = self.serving.version
        return Report(
            serving=served,
            champion=champion,
            previous=previous(self.bundles),
            restart_needed=not self.serves_external_bundle and champion is not None and champion != served,
            problem=problem,
            model=self.serving,
            versions=tuple(_stored(self.bundles / name, served, champion) for name in versions(self.bundles)),
            promotions=history(self.bundles)[-MAX_PROMOTIONS:],
        )


def _member(name: str, manifest: Manifest, provider: Provider, precision: Precision | None) -> ServedMember:
    """`precision` is None for a member that is no encoder, and for an encoder that is not in this process."""
    graphs = tuple(file for file in sorted(manifest.files) if _is_graph(file, f"members/{name}."))
    if name not in ENCODER_MEMBERS:
        return ServedMember(name, graphs, ON_CPU.name, ALWAYS_FP32)
    if precision is None:
        return ServedMember(name, graphs, None, None)
    running = f"members/{graph_name(name, precision)}"
    return ServedMember(name, tuple(file for file in graphs if file == running), provider.name, precision)


def _is_graph(file: str, prefix: str) -> bool:
    return file.startswith(prefix) and file.endswith(".onnx")


def _champion(bundles: Path) -> tuple[str | None, str | None]:
    """The version that the pointer names, or why there is none to be served."""
    try:
        return champion_path(bundles).name, None
    except BundleError as error:
        return None, error.message


def _stored(folder: Path, served: str, champion: str | None) -> StoredVersion:
    serving, promoted = folder.name == served, folder.name == champion
    try:
        manifest = Manifest.read(folder)
    except BundleError as error:
        return StoredVersion(folder.name, serving, promoted, problem=error.message)
    accuracy = manifest.metrics["intent"]["ensemble"]["accuracy"]
    return StoredVersion(folder.name, serving, promoted, manifest.profile, manifest.created_at, accuracy)
