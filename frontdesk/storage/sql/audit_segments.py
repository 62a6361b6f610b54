"""Audit log retention: the oldest part of each chain, before an entry that a checkpoint has signed, may be deleted.

The signed entry stays, so that a chain always has a last entry to append to. Before the deletion an entry
`retention.audit_log` records the beginning of every truncated chain: the sequence and hash of its last deleted entry.
`verify` accepts a truncated chain only if it begins after such an entry. The audit key links that entry into a chain.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select

from frontdesk.storage.sql.audit_log import audit_details_of_action
from frontdesk.storage.tables import audit_checkpoints, audit_log

ACTION = "retention.audit_log"


@dataclass(frozen=True, slots=True)
class AuditSegment:
    """The first `entries` entries of a chain, up to the entry with this sequence and hash."""

    chain: str
    sequence: int
    hash: str
    entries: int


def expired_segments(connection: Connection, before: datetime) -> list[AuditSegment]:
    """Return for each chain the part before the newest head that a checkpoint signed before a time."""
    newest: dict[str, tuple[int, str]] = {}
    signed = select(audit_checkpoints.c.content).where(audit_checkpoints.c.created_at < before)
    for content in connection.scalars(signed):
        for chain, (sequence, digest) in _parse_heads(content, "heads").items():
            if sequence > newest.get(chain, (0, ""))[0]:
                newest[chain] = (sequence, digest)
    segments = []
    for chain, (sequence, digest) in newest.items():
        is_head = (audit_log.c.chain == chain, audit_log.c.sequence == sequence, audit_log.c.hash == digest)
        previous = connection.scalar(select(audit_log.c.previous_hash).where(*is_head))
        older = (audit_log.c.chain == chain, audit_log.c.sequence < sequence)
        entries = connection.scalar(select(func.count()).select_from(audit_log).where(*older)) or 0
        if entries and previous is not None:
            segments.append(AuditSegment(chain, sequence - 1, previous, entries))
    return sorted(segments, key=lambda segment: segment.chain)


def truncation_details(connection: Connection, segments: Sequence[AuditSegment]) -> dict[str, Any]:
    """Return the beginnings of all truncated chains, including the chains of these segments."""
    beginnings = chain_beginnings(connection)
    beginnings |= {segment.chain: (segment.sequence, segment.hash) for segment in segments}
    return {"begins": {chain: list(head) for chain, head in beginnings.items()}}


def chain_beginnings(connection: Connection) -> dict[str, tuple[int, str]]:
    """Return the sequence and hash of the last deleted entry of each truncated chain.

    Entries that cannot be read are skipped: `verify` reports them as damaged.
    """
    beginnings: dict[str, tuple[int, str]] = {}
    for details in audit_details_of_action(connection, ACTION):
        for chain, (sequence, digest) in _parse_heads(details, "begins").items():
            if sequence > beginnings.get(chain, (0, ""))[0]:
                beginnings[chain] = (sequence, digest)
    return beginnings


def delete_segments(connection: Connection, segments: Sequence[AuditSegment]) -> int:
    """Delete the entries of these segments and return their number."""
    return sum(
        connection.execute(
            delete(audit_log).where(audit_log.c.chain == segment.chain, audit_log.c.sequence <= segment.sequence)
        ).rowcount
        for segment in segments
    )


def _parse_heads(content: str, name: str) -> dict[str, tuple[int, str]]:
    """Return sequence and hash by chain from the field `name` of a JSON object; empty if the JSON is damaged."""
    try:
        heads = json.loads(content)[name]
        return {str(chain): (int(sequence), str(digest)) for chain, (sequence, digest) in heads.items()}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return {}
