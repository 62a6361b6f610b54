"""Which bundle is served: one local pointer file, replaced atomically, read once by the serving master."""

from __future__ import annotations

import os
from pathlib import Path

from frontdesk.errors import BundleError

POINTER = "champion"


def champion_path(bundles: Path) -> Path:
    """The directory of the champion bundle.

    Raises:
        BundleError: when nothing was promoted yet, or the promoted bundle is not there.
    """
    try:
        version = (bundles / POINTER).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise BundleError(
            "No model has been promoted yet.", field=POINTER, hint="Train and promote one with: frontdesk train"
        ) from None
    path = bundles / version
    if not version or path.parent != bundles or not path.is_dir():
        raise BundleError(
            f"The champion pointer names '{version}', which is not in {bundles}.",
            field=POINTER,
            hint="Promote one that is: frontdesk models, then frontdesk promote VERSION",
        )
    return path


def promote(bundles: Path, version: str) -> None:
    """Point the champion at `version`, in one atomic step: a reader sees the old one or the new one, never neither."""
    if not (bundles / version).is_dir():
        raise BundleError(f"There is no bundle {version} in {bundles}.", field=POINTER, hint="See: frontdesk models")
    waiting = bundles / f".{POINTER}.{os.getpid()}"
    waiting.write_text(f"{version}\n", encoding="utf-8")
    with waiting.open() as stream:
        os.fsync(stream.fileno())
    waiting.replace(bundles / POINTER)


def versions(bundles: Path) -> tuple[str, ...]:
    """Every bundle that is there, newest last."""
    if not bundles.is_dir():
        return ()
    found = [path for path in bundles.iterdir() if path.is_dir() and (path / "manifest.json").exists()]
    return tuple(path.name for path in sorted(found, key=lambda path: (path.stat().st_mtime, path.name)))
