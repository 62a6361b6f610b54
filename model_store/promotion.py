"""Which bundle is served: one local pointer file, replaced atomically, read once by the serving master.

Beside it lies the history of promotions, newest last. The pointer is the truth, the history says how it came about
and what to go back to. Neither knows the gate (`gate.py` decides first) nor the registry, which is told afterwards.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from frontdesk.errors import BundleError
from frontdesk.private_files import replace_file

POINTER = "champion"
HISTORY = "promotions.jsonl"


@dataclass(frozen=True, slots=True)
class Promotion:
    """One move of the pointer: when (ISO 8601, UTC), what was done, which version is champion since, and why."""

    at: str
    action: Literal["promote", "rollback"]
    version: str
    reason: str


def champion_path(bundles: Path) -> Path:
    """The directory of the champion bundle.

    Raises:
        BundleError: when nothing was promoted yet, or the promoted bundle is not there.
    """
    version = _read_pointer(bundles)
    if version is None:
        raise BundleError(
            "No model has been promoted yet.", field=POINTER, hint="Train and promote one with: frontdesk train"
        )
    path = bundles / version
    if not version or path.parent != bundles or not path.is_dir():
        raise BundleError(
            f"The champion pointer names '{version}', which is not in {bundles}.",
            field=POINTER,
            hint="Promote one that is: frontdesk models, then frontdesk promote VERSION",
        )
    return path


def promote(bundles: Path, version: str, reason: str = "promoted without a reason given") -> None:
    """Point the champion at `version`, in one atomic step: a reader sees the old one or the new one, never neither."""
    _move_pointer(bundles, "promote", version, reason)


def rollback(bundles: Path, reason: str) -> str:
    """Point back to the champion before this one and return its version. Again, and it goes one further back.

    Raises:
        BundleError: when there is none before, or its bundle is gone.
    """
    version = previous(bundles)
    if version is None:
        raise BundleError(
            "There is no champion before this one to go back to.",
            field=HISTORY,
            hint="Choose a version yourself: frontdesk models, then frontdesk promote VERSION",
        )
    _move_pointer(bundles, "rollback", version, reason)
    return version


def previous(bundles: Path) -> str | None:
    """What `rollback` would go back to.

    A promotion pushes, a rollback pops. The history is written before the pointer, so after an interruption its end
    may be ahead of the pointer: what lies above the current champion never was one.
    """
    champions: list[str] = []
    for move in history(bundles):
        if move.action == "rollback" and len(champions) > 1:
            champions.pop()
        elif not champions or champions[-1] != move.version:
            champions.append(move.version)
    current = _read_pointer(bundles)
    if current in champions:
        champions = champions[: len(champions) - 1 - champions[::-1].index(current)]
    return champions[-1] if champions else None


def history(bundles: Path) -> tuple[Promotion, ...]:
    """Every promotion and rollback, newest last."""
    path = bundles / HISTORY
    if not path.exists():
        return ()
    return tuple(Promotion(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines())


def versions(bundles: Path) -> tuple[str, ...]:
    """Every bundle that is there, newest last."""
    if not bundles.is_dir():
        return ()
    folders = [path for path in bundles.iterdir() if path.is_dir() and (path / "manifest.json").exists()]
    return tuple(path.name for path in sorted(folders, key=lambda path: (path.stat().st_mtime, path.name)))


def _move_pointer(bundles: Path, action: Literal["promote", "rollback"], version: str, reason: str) -> None:
    if not (bundles / version).is_dir():
        raise BundleError(f"There is no bundle {version} in {bundles}.", field=POINTER, hint="See: frontdesk models")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    moves = list(history(bundles))
    current = _read_pointer(bundles)
    if not moves and current:
        moves.append(Promotion(now, "promote", current, "champion before this history began"))
    moves.append(Promotion(now, action, version, reason))
    _write_file(bundles / HISTORY, "".join(json.dumps(asdict(move)) + "\n" for move in moves))
    _write_file(bundles / POINTER, f"{version}\n")


def _read_pointer(bundles: Path) -> str | None:
    try:
        return (bundles / POINTER).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def _write_file(path: Path, content: str) -> None:
    with replace_file(path) as file:
        file.write(content.encode())
