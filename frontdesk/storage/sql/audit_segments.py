"""The oldest part of each audit chain, before an entry that a checkpoint has signed: what retention may delete.

The signed entry stays, so that a chain always has an entry for its writer to go on behind. Before the rest is deleted,
an entry `retention.audit_log` says for every chain that was ever cut where it begins from now on: the sequence and the
hash of the last deleted entry. `verify` accepts a chain that begins behind such an entry, and no other; the entry
itself is bound into a chain by the audit key.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select

from frontdesk.storage.sql.audit import closings
from frontdesk.storage.tables import audit_checkpoints, audit_log

ACTION = "retention.audit_log"


@dataclass(frozen=True, slots=True)
class Segment:
    """The first `entries` entries of a chain; the last of them has this sequence and hash."""

    chain: str
    sequence: int
    hash: str
    entries: int


def closed_segments(connection: Connection, before: datetime) -> list[Segment]:
    """For each chain the longest part before a head that a checkpoint has signed before a moment."""
    newest: dict[str, tuple[int, str]] = {}
    signed = select(audit_checkpoints.c.content).where(audit_checkpoints.c.created_at < before)
    for content in connection.scalars(signed):
        for chain, (sequence, digest) in _places(content, "heads").items():
            if sequence > newest.get(chain, (0, ""))[0]:
                newest[chain] = (sequence, digest)
    found = []
    for chain, (sequence, digest) in newest.items():
        here = (audit_log.c.chain == chain, audit_log.c.sequence == sequence, audit_log.c.hash == digest)
        previous = connection.scalar(select(audit_log.c.previous_hash).where(*here))
        older = (audit_log.c.chain == chain, audit_log.c.sequence < sequence)
        entries = connection.scalar(select(func.count()).select_from(audit_log).where(*older)) or 0
        if entries and previous is not None:
            found.append(Segment(chain, sequence - 1, previous, entries))
    return sorted(found, key=lambda segment: segment.chain)


def closing_details(connection: Connection, segments: Sequence[Segment]) -> dict[str, Any]:
    """Where every chain that was ever cut begins, these segments included."""
    begins = last_closing(connection)
    begins |= {segment.chain: (segment.sequence, segment.hash) for segment in segments}
    return {"begins": {chain: list(head) for chain, head in begins.items()}}


def last_closing(connection: Connection) -> dict[str, tuple[int, str]]:
    """Sequence and hash behind which each chain that was cut begins; nothing where none was.

    An entry that cannot be read says nothing here: `verify` finds it damaged.
    """
    begins: dict[str, tuple[int, str]] = {}
    for details in closings(connection, ACTION):
        for chain, (sequence, digest) in _places(details, "begins").items():
            if sequence > begins.get(chain, (0, ""))[0]:
                begins[chain] = (sequence, digest)
    return begins


def delete_closed(connection: Connection, segments: Sequence[Segment]) -> int:
    """Delete the entries of these segments; how many."""
    return sum(
        connection.execute(
            delete(audit_log).where(audit_log.c.chain == segment.chain, audit_log.c.sequence <= segment.sequence)
        ).rowcount
        for segment in segments
    )


def _places(content: str, name: str) -> dict[str, tuple[int, str]]:
    """Sequence and hash by chain, out of JSON that somebody may have damaged: nothing then."""
    try:
        heads = json.loads(content)[name]
        return {str(chain): (int(sequence), str(digest)) for chain, (sequence, digest) in heads.items()}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return {}
