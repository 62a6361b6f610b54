"""The report of `/v1/admin/models`: the models that this worker serves, and the bundles on disk.

The served models do not change during the life of a worker, so their part is created once. The promoted version, the
history and the versions on disk can change, so they are read for each report; of a bundle only its manifest is read.
Independent of requests and messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnxruntime

from frontdesk.errors import BundleError
from model_store.manifest import Manifest
from model_store.promotion import PromotionEntry, champion_path, previous_champion, promotion_history, versions
from runners.models.execution_provider import ON_CPU, ExecutionProvider
from runners.models.onnx_encoder import ENCODER_MEMBERS, Precision, graph_file_name
from runners.models.onnx_session import find_onnxruntime_build

MAX_PROMOTIONS = 20
ALWAYS_FP32 = "fp32"
"""Precision of trees, the linear model and the candidate scorers, which have one graph per task."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """The installed onnxruntime as `name version`, its build information and its available providers (`offers`)."""

    onnxruntime: str
    build: str
    offers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServedMember:
    """One base model: its graphs, execution provider and precision (int8, fp16 or fp32).

    For an encoder in another process, provider and precision are None because that process chooses them, and `graphs`
    are all graphs of the encoder.
    """

    name: str
    graphs: tuple[str, ...]
    provider: str | None
    precision: str | None


@dataclass(frozen=True, slots=True)
class Serving:
    """The bundle that this worker serves.

    `golden_rows` is always "reproduced", because a worker that cannot reproduce them does not start. `provider` is the
    execution provider of the encoders, `because` the reason for it. `members` have the provider of each base model.
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
    """A bundle on disk. `problem` is the reason why it cannot be served; then only its version is set."""

    version: str
    serving: bool
    champion: bool
    profile: str | None = None
    created_at: str | None = None
    accuracy: float | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The response of `/v1/admin/models`.

    `serving` is the version that this worker serves, `champion` the one that a server would serve if it started now, or
    None if nothing is promoted or the promoted bundle is missing; `problem` is the reason. `promotions` are in order,
    the newest last.
    """

    serving: str
    champion: str | None
    previous: str | None
    restart_needed: bool
    problem: str | None
    model: Serving
    versions: tuple[StoredVersion, ...]
    promotions: tuple[PromotionEntry, ...]


@dataclass(frozen=True, slots=True)
class ModelInventory:
    """The models that a worker serves, and the folder of all bundles."""

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
        provider: ExecutionProvider,
        precisions: Mapping[str, Precision],
    ) -> ModelInventory:
        """The inventory of a worker that serves `bundle`.

        Args:
            bundle: the served folder, usually in `bundles`; in a Bento the model of the Bento.
            bundles: the folder with versions, pointer to the champion, and history.
            placement: the placement of the models.
            threads: threads of each model session.
            provider: execution provider of the encoders of this process.
            precisions: precision of each encoder of this process: int8, fp16 or fp32.

        Raises:
            BundleError: the manifest was damaged after the bundle was opened.
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
            members=tuple(
                _describe_served_member(name, manifest, provider, precisions.get(name)) for name in manifest.members
            ),
            meta_learner=tuple(name for name in sorted(manifest.files) if _is_graph(name, "meta/")),
            golden_rows="reproduced",
            runtime=Runtime(
                find_onnxruntime_build(), onnxruntime.get_build_info(), tuple(onnxruntime.get_available_providers())
            ),
        )
        return cls(serving, bundles, serves_external_bundle=bundle.resolve().parent != bundles.resolve())

    def report(self) -> Report:
        """The served models and the bundles on disk. Blocks for some milliseconds per version."""
        champion, problem = _champion_or_problem(self.bundles)
        served = self.serving.version
        return Report(
            serving=served,
            champion=champion,
            previous=previous_champion(self.bundles),
            restart_needed=not self.serves_external_bundle and champion is not None and champion != served,
            problem=problem,
            model=self.serving,
            versions=tuple(
                _describe_stored_version(self.bundles / name, served, champion) for name in versions(self.bundles)
            ),
            promotions=promotion_history(self.bundles)[-MAX_PROMOTIONS:],
        )


def _describe_served_member(
    name: str, manifest: Manifest, provider: ExecutionProvider, precision: Precision | None
) -> ServedMember:
    """Describe a base model; `precision` of encoders in other processes and of other models: None."""
    graphs = tuple(file for file in sorted(manifest.files) if _is_graph(file, f"members/{name}."))
    if name not in ENCODER_MEMBERS:
        return ServedMember(name, graphs, ON_CPU.name, ALWAYS_FP32)
    if precision is None:
        return ServedMember(name, graphs, None, None)
    running = f"members/{graph_file_name(name, precision)}"
    return ServedMember(name, tuple(file for file in graphs if file == running), provider.name, precision)


def _is_graph(file: str, prefix: str) -> bool:
    return file.startswith(prefix) and file.endswith(".onnx")


def _champion_or_problem(bundles: Path) -> tuple[str | None, str | None]:
    """The promoted version and None, or None and the reason why it cannot be served."""
    try:
        return champion_path(bundles).name, None
    except BundleError as error:
        return None, error.message


def _describe_stored_version(folder: Path, served: str, champion: str | None) -> StoredVersion:
    serving, promoted = folder.name == served, folder.name == champion
    try:
        manifest = Manifest.read(folder)
    except BundleError as error:
        return StoredVersion(folder.name, serving, promoted, problem=error.message)
    accuracy = manifest.metrics["intent"]["ensemble"]["accuracy"]
    return StoredVersion(folder.name, serving, promoted, manifest.profile, manifest.created_at, accuracy)
