"""Trained test bundles, built once per checkout and shared by every pytest process.

A bundle is cached below `.pytest_cache/bundles/<hash>-<name>`, where the hash is that of the code and data that
determine the result of training, this file included. Processes that need the same bundle wait for the first of them
(file lock). A cached bundle is verified whenever it is opened; a damaged one is trained again. The training libraries,
whose import takes seconds, are only imported to train.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from frontdesk.errors import BundleError
from model_store.bundle import Bundle, open_bundle
from tests.support.serving import SIGNER

if TYPE_CHECKING:
    from training.training_run import TrainingRun

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / ".pytest_cache" / "bundles"
LOCK_TIMEOUT_S = 600.0
MAX_CACHED = 8
"""Number of entries; the least recently used ones are removed."""

_SOURCES = (
    "training",
    "frontdesk/__init__.py",
    "runners/models",
    "runners/ensemble",
    "model_store/bundle.py",
    "model_store/manifest.py",
    "frontdesk/features",
    "frontdesk/folded_characters.py",
    "frontdesk/folding.py",
    "frontdesk/markup_and_escapes.py",
    "frontdesk/masking",
    "frontdesk/taxonomy.py",
    "frontdesk/taxonomy",
    "frontdesk/types",
    "tests/support/profiles.py",
    "tests/support/bundle_cache.py",
)
_LIBRARIES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "lightgbm", "skl2onnx", "onnxmltools")


def tiny_run(work: Path) -> TrainingRun:
    """Training of the smallest profile on the starter corpus, working below `work`."""
    from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy
    from training.data.examples import STARTER_CORPUS, read_examples
    from training.profiles.profile import read_profile
    from training.training_run import TrainingRun

    return TrainingRun(
        examples=read_examples(STARTER_CORPUS),
        profile=read_profile("tiny"),
        profile_name="tiny",
        taxonomy=Taxonomy.read(STARTER_TAXONOMY),
        source="starter corpus",
        work=work / "training",
        bundles=work / "bundles",
    )


def _with_encoders(work: Path) -> TrainingRun:
    from tests.support.profiles import with_small_encoders

    run = tiny_run(work)
    return dataclasses.replace(run, profile=with_small_encoders(run.profile))


def _with_another_seed(work: Path) -> TrainingRun:
    run = tiny_run(work)
    profile = run.profile.model_copy(update={"seed": run.profile.seed + 1})
    return dataclasses.replace(run, profile=profile, profile_name="another seed")


TRAININGS: Mapping[str, Callable[[Path], TrainingRun]] = {
    "tiny": tiny_run,
    "encoders": _with_encoders,
    "another-seed": _with_another_seed,
}


def cached_bundle(name: str = "tiny") -> Bundle:
    """The bundle of this training, signed by `SIGNER`, from the cache or trained now. Its files must not be changed."""
    entry = FOLDER / f"{_sources_hash()}-{name}"
    entry.mkdir(parents=True, exist_ok=True)
    with FileLock(entry.with_suffix(".lock"), timeout=LOCK_TIMEOUT_S):
        entry.touch()
        if (bundle := _verified(entry / "bundles")) is not None:
            return bundle
        shutil.rmtree(entry)
        bundle = TRAININGS[name](entry).train(lambda _: None)
        shutil.rmtree(entry / "training", ignore_errors=True)
        SIGNER.sign(bundle.path)
        _remove_old(keep=entry)
        return bundle


def _verified(folder: Path) -> Bundle | None:
    sealed = [path.parent for path in folder.glob("*/manifest.sig")]
    try:
        return open_bundle(sealed[0]) if len(sealed) == 1 else None
    except BundleError:
        return None


def _remove_old(keep: Path) -> None:
    entries = sorted((path for path in FOLDER.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for entry in entries[:-MAX_CACHED]:
        if entry != keep:
            shutil.rmtree(entry, ignore_errors=True)


@cache
def _sources_hash() -> str:
    digest = hashlib.sha256()
    for file in _files():
        digest.update(f"{file.relative_to(PROJECT)}\n".encode())
        digest.update(file.read_bytes())
    for library in _LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    return digest.hexdigest()[:16]


def _files() -> Iterable[Path]:
    for source in _SOURCES:
        path = PROJECT / source
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
