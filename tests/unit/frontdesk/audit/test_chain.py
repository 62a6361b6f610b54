"""Every change to an audit log chain that is made without the key is detected."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from frontdesk.audit.chain import BEGINNING, AuditKey, AuditRow, Checkpoint, verify
from frontdesk.types import AuditEntry

KEY, OTHER = AuditKey(b"k" * 32), AuditKey(b"o" * 32)
NOW = datetime(2026, 6, 1, 9, 30, 0, 123456, tzinfo=UTC)
CHAINS = ("host-1-a", "host-2-b")
LENGTH = 8


def entry(number: int, chain: str = "") -> AuditEntry:
    return AuditEntry("acme", "agent", "answer", f"{chain}-{number}", '{"decision": "draft"}', NOW)


def chain_of(name: str, length: int = LENGTH, key: AuditKey = KEY) -> list[AuditRow]:
    rows: list[AuditRow] = []
    for number in range(1, length + 1):
        previous = rows[-1].hash if rows else BEGINNING
        new_entry = entry(number, name)
        rows.append(AuditRow(name, number, new_entry, previous, key.entry_hash(name, number, new_entry, previous)))
    return rows


def heads(rows: list[AuditRow]) -> dict[str, tuple[int, str]]:
    return {row.chain: (row.sequence, row.hash) for row in rows}


def log(key: AuditKey = KEY) -> list[AuditRow]:
    return [row for name in CHAINS for row in chain_of(name, key=key)]


def checkpoints(key: AuditKey = KEY) -> list[Checkpoint]:
    """Return a checkpoint over the first five entries of each chain, and one over all entries."""
    early = [row for row in log(key) if row.sequence <= 5]
    first = key.sign_checkpoint("0001", NOW, heads(early), BEGINNING)
    return [first, key.sign_checkpoint("0002", NOW, heads(log(key)), first.digest())]


def has_findings(
    rows: list[AuditRow], stored: list[Checkpoint] | None = None, external: tuple[Checkpoint, ...] = ()
) -> bool:
    ordered = sorted(rows, key=lambda row: (row.chain, row.sequence))
    return verify(ordered, checkpoints() if stored is None else stored, KEY, external) != []


places = st.integers(0, 2 * LENGTH - 1)
FIELDS = ("tenant", "subject", "action", "target", "details", "created_at")


def test_an_unchanged_log_has_no_findings() -> None:
    assert verify(log(), checkpoints(), KEY) == []
    assert verify([], [], KEY) == []


def test_entries_since_the_last_checkpoint_are_no_finding() -> None:
    assert not has_findings(log(), checkpoints()[:1])


@given(places, st.sampled_from(FIELDS), st.text(max_size=20))
def test_an_edit_is_found(place: int, name: str, text: str) -> None:
    rows = log()
    value = NOW + timedelta(microseconds=1 + len(text)) if name == "created_at" else text
    assume(value != getattr(rows[place].entry, name))
    rows[place] = dataclasses.replace(rows[place], entry=dataclasses.replace(rows[place].entry, **{name: value}))
    assert has_findings(rows)


@given(places, st.sampled_from(["hash", "previous_hash"]), st.text(max_size=64))
def test_an_edited_hash_is_found(place: int, name: str, text: str) -> None:
    rows = log()
    assume(text != getattr(rows[place], name))
    rows[place] = dataclasses.replace(rows[place], **{name: text})
    assert has_findings(rows)


@given(st.sets(places, min_size=1))
def test_entries_that_are_gone_are_found(gone: set[int]) -> None:
    assert has_findings([row for place, row in enumerate(log()) if place not in gone])


@given(places)
def test_an_inserted_entry_is_found_even_if_the_rest_is_renumbered(place: int) -> None:
    rows = log()
    target = rows[place]
    forged = OTHER.entry_hash(target.chain, target.sequence, entry(0), target.previous_hash)

    def moved(row: AuditRow) -> AuditRow:
        behind = row.chain == target.chain and row.sequence >= target.sequence
        return dataclasses.replace(row, sequence=row.sequence + behind)

    assert has_findings(
        [*map(moved, rows), AuditRow(target.chain, target.sequence, entry(0), target.previous_hash, forged)]
    )


@given(places, places)
def test_two_entries_that_changed_places_are_found(one: int, other: int) -> None:
    assume(one != other)
    rows = log()
    first, second = rows[one], rows[other]
    rows[one] = dataclasses.replace(second, chain=first.chain, sequence=first.sequence)
    rows[other] = dataclasses.replace(first, chain=second.chain, sequence=second.sequence)
    assert has_findings(rows)


@given(st.integers(0, LENGTH - 1), st.sampled_from(CHAINS))
def test_a_chain_that_was_cut_off_before_a_checkpoint_is_found(length: int, chain: str) -> None:
    assert has_findings([row for row in log() if row.chain != chain or row.sequence <= length])


@given(st.integers(5, LENGTH - 1))
def test_a_chain_cut_off_since_the_last_checkpoint_is_found_by_an_external_checkpoint(length: int) -> None:
    early, late = checkpoints()
    rows = [row for row in log() if row.sequence <= length]
    assert not has_findings(rows, [early])  # nothing outside of the log can show it
    assert has_findings(rows, [early], (late,))


@given(st.integers(1, 5))
def test_a_tail_that_was_forged_without_the_key_is_found(more: int) -> None:
    rows = log()
    for _ in range(more):
        last = max((row for row in rows if row.chain == CHAINS[1]), key=lambda row: row.sequence)
        new_entry = entry(last.sequence + 1)
        digest = OTHER.entry_hash(last.chain, last.sequence + 1, new_entry, last.hash)
        rows.append(AuditRow(last.chain, last.sequence + 1, new_entry, last.hash, digest))
    assert has_findings(rows)


def test_two_chains_that_changed_their_names_are_found() -> None:
    names = dict(zip(CHAINS, reversed(CHAINS), strict=True))
    assert has_findings([dataclasses.replace(row, chain=names[row.chain]) for row in log()])


def test_a_forged_chain_is_found() -> None:
    assert has_findings([*log(), *chain_of("host-3-c", key=OTHER)])


def test_a_log_rewritten_with_another_key_is_found() -> None:
    assert has_findings(log(OTHER), checkpoints(OTHER))


def test_a_replaced_key_is_found_by_an_earlier_checkpoint() -> None:
    rows = sorted(log(OTHER), key=lambda row: (row.chain, row.sequence))
    assert verify(rows, checkpoints(OTHER), OTHER) == []
    assert verify(rows, checkpoints(OTHER), OTHER, checkpoints()) != []


@given(st.data())
def test_a_forged_checkpoint_is_found(data: st.DataObject) -> None:
    stored = checkpoints()
    place = data.draw(st.integers(0, 1))
    name = data.draw(st.sampled_from(["id", "created_at", "previous", "signature"]))
    text = data.draw(st.text(max_size=20))
    assume(text != getattr(stored[place], name))
    stored[place] = dataclasses.replace(stored[place], **{name: text})
    assert has_findings(log(), stored)


def test_a_checkpoint_with_other_heads_or_of_another_key_is_found() -> None:
    first, second = checkpoints()
    assert has_findings(log(), [dataclasses.replace(first, heads={}), second])
    assert has_findings(log(), [first, dataclasses.replace(second, heads={CHAINS[0]: (1, log()[0].hash)})])
    assert has_findings(log(), [OTHER.sign_checkpoint("0001", NOW, {}, BEGINNING)])


def test_a_removed_or_moved_checkpoint_is_found() -> None:
    first, second = checkpoints()
    assert has_findings(log(), [second])
    assert has_findings(log(), [second, first])
    assert has_findings(log(), [first], (second,))


def test_a_checkpoint_is_the_same_after_it_was_written_and_read() -> None:
    for checkpoint in checkpoints():
        assert Checkpoint.from_json(checkpoint.to_json()) == checkpoint
        assert (
            Checkpoint.from_json(json.dumps(json.loads(checkpoint.to_json()), indent=2)).digest() == checkpoint.digest()
        )


def test_a_time_is_the_same_in_every_time_zone() -> None:
    in_other_zone = dataclasses.replace(entry(1), created_at=NOW.astimezone(timezone(timedelta(hours=5))))
    assert KEY.entry_hash("a", 1, in_other_zone, "") == KEY.entry_hash("a", 1, entry(1), "")


def test_a_fingerprint_can_be_computed_only_with_the_key() -> None:
    assert KEY.fingerprint("Where is it?") == KEY.fingerprint("Where is it?") != OTHER.fingerprint("Where is it?")


def test_the_repr_hides_the_secret() -> None:
    assert "kkkk" not in repr(KEY)


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"heads": {"a": 1}}'])
def test_a_malformed_checkpoint_is_refused(content: str) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        Checkpoint.from_json(content)
