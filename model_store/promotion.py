"""The champion pointer: one local file, replaced atomically and read once by the serving master.

The history of promotions is stored next to it, newest last. The pointer is authoritative; the history contains the
reasons and the target of a rollback. The promotion gate (`promotion_gate.py`) decides before, and the registry is
updated afterwards; both are separate.
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
class PromotionEntry:
    """One move of the pointer: time (ISO 8601, UTC), action, new champion, and reason."""

    at: str
    action: Literal["promote", "rollback"]
    version: str
    reason: str


def champion_path(bundles: Path) -> Path:
    """The folder of the champion bundle.

    Raises:
        BundleError: no bundle has been promoted yet, or the promoted bundle is missing.
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
    """Point the champion at `version` in one atomic step: a reader sees the old version or the new one."""
    _move_pointer(bundles, "promote", version, reason)


def rollback(bundles: Path, reason: str) -> str:
    """Point back to the previous champion and return its version. Each further call goes back one more.

    Raises:
        BundleError: there is no previous champion, or its bundle is missing.
    """
    version = previous_champion(bundles)
    if version is None:
        raise BundleError(
            "There is no champion before this one to go back to.",
            field=HISTORY,
            hint="Choose a version yourself: frontdesk models, then frontdesk promote VERSION",
        )
    _move_pointer(bundles, "rollback", version, reason)
    return version


def previous_champion(bundles: Path) -> str | None:
    """The target of a rollback, or None.

    A promotion pushes, a rollback pops. The history is written before the pointer, so after an interruption it may be
    ahead of the pointer: entries above the current champion never took effect.
    """
    champions: list[str] = []
    for move in promotion_history(bundles):
        if move.action == "rollback" and len(champions) > 1:
            champions.pop()
        elif not champions or champions[-1] != move.version:
            champions.append(move.version)
    current = _read_pointer(bundles)
    if current in champions:
        champions = champions[: len(champions) - 1 - champions[::-1].index(current)]
    return champions[-1] if champions else None


def promotion_history(bundles: Path) -> tuple[PromotionEntry, ...]:
    """Every promotion and rollback, newest last."""
    path = bundles / HISTORY
    if not path.exists():
        return ()
    return tuple(PromotionEntry(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines())


def versions(bundles: Path) -> tuple[str, ...]:
    """Versions of all bundles, newest last."""
    if not bundles.is_dir():
        return ()
    folders = [path for path in bundles.iterdir() if path.is_dir() and (path / "manifest.json").exists()]
    return tuple(path.name for path in sorted(folders, key=lambda path: (path.stat().st_mtime, path.name)))


def _move_pointer(bundles: Path, action: Literal["promote", "rollback"], version: str, reason: str) -> None:
    if not (bundles / version).is_dir():
        raise BundleError(f"There is no bundle {version} in {bundles}.", field=POINTER, hint="See: frontdesk models")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    moves = list(promotion_history(bundles))
    current = _read_pointer(bundles)
    if not moves and current:
        moves.append(PromotionEntry(now, "promote", current, "champion before this history began"))
    moves.append(PromotionEntry(now, action, version, reason))
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
