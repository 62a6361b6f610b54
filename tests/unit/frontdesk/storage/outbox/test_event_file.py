"""Redaction of erased customers in the events file: every line keeps its length, and no personal data stays."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from frontdesk.identifiers import uuid7
from frontdesk.storage.events import ErasedQuery, Event, answered_event, erased_event, queries_erased_event
from frontdesk.storage.outbox.event_file import redact_events_before, unrewritable_files
from frontdesk.storage.outbox.sinks import FileSink
from tests.support.records import record

AT = datetime.now(UTC)


def answered(customer: str | None, words: str = "zqwords", query_id: str | None = None) -> Event:
    return answered_event(record(customer_id=customer, masked_text=words, query_id=query_id))


def erased(customer: str, at: datetime = AT) -> Event:
    return erased_event(uuid7(), "acme", customer, at)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.mark.parametrize("customer", ["ada", "ö/ä 'x\" \\ 1", "a", "customer-7"])
def test_lines_of_an_erased_customer_are_redacted_and_keep_their_offsets(file: Path, customer: str) -> None:
    FileSink(file).deliver([answered(customer), answered("bob", "zqother"), answered(customer)])
    before = [len(line) for line in file.read_bytes().splitlines()]
    FileSink(file).deliver([erased(customer)])
    assert [len(line) for line in file.read_bytes().splitlines()][:3] == before
    first, other, second, erasure = lines(file)
    assert [(line["customer_id"], line["payload"]) for line in (first, second)] == [(None, {})] * 2
    assert (other["customer_id"], other["payload"]["query_text"]) == ("bob", "zqother")
    assert (erasure["type"], erasure["customer_id"]) == ("customer.erased", customer)
    assert b"zqwords" not in file.read_bytes()


def test_a_customer_of_another_tenant_with_the_same_id_stays(file: Path) -> None:
    of_other_tenant = answered_event(record(customer_id="ada", tenant="other"))
    FileSink(file).deliver([of_other_tenant, answered("ada")])
    FileSink(file).deliver([erased("ada")])
    assert [line["customer_id"] for line in lines(file)] == ["ada", None, "ada"]


def test_erased_queries_of_any_customer_are_redacted(file: Path) -> None:
    gone, stays = answered(None), answered(None, "zqother")
    FileSink(file).deliver([gone, stays])
    erasure = queries_erased_event(uuid7(), "acme", None, [ErasedQuery(gone.event_id, None)], AT)
    FileSink(file).deliver([erasure])
    assert lines(file)[0]["payload"] == {}
    assert b"zqwords" not in file.read_bytes()
    assert b"zqother" in file.read_bytes()


ROTATED = ("events.jsonl.1", "events.jsonl-20261130", "events-20261130.jsonl", "events.1.jsonl", "events_2026.jsonl.2")


@pytest.mark.parametrize("name", ROTATED)
def test_a_rotated_file_is_redacted(file: Path, name: str) -> None:
    FileSink(file).deliver([answered("ada")])
    file.rename(file.with_name(name))
    FileSink(file).deliver([erased("ada")])
    assert b"zqwords" not in file.with_name(name).read_bytes()
    assert unrewritable_files(file) == []


def test_a_rotated_file_that_cannot_be_redacted_is_reported(file: Path, tmp_path: Path) -> None:
    FileSink(file).deliver([answered("ada")])
    (tmp_path / "elsewhere").write_bytes(file.read_bytes())
    file.with_name("events.9.jsonl").symlink_to(tmp_path / "elsewhere")
    file.with_name("events-1.jsonl").write_bytes(gzip.compress(file.read_bytes()))
    file.with_name("events.jsonl.2.gz").write_bytes(b"")
    file.rename(file.with_name("events.jsonl.1"))
    file.with_name("unrelated.jsonl").write_bytes(b"")
    FileSink(file).deliver([erased("ada")])
    assert b"zqwords" not in file.with_name("events.jsonl.1").read_bytes()
    assert [path.name for path in unrewritable_files(file)] == ["events-1.jsonl", "events.9.jsonl", "events.jsonl.2.gz"]


def test_lines_of_another_program_in_a_matching_file_are_skipped(file: Path) -> None:
    theirs = (
        '{"customer_id":"ada"}\n{"created_at":"no time","payload":{"a":1}}\n{"created_at":"2020-01-01","payload":1}\n'
    )
    file.with_name("events-other.jsonl").write_text(theirs)
    FileSink(file).deliver([answered("ada")])
    FileSink(file).deliver([erased("ada")])
    assert b"zqwords" not in file.read_bytes()
    assert redact_events_before(file, AT) == 1


def test_a_torn_line_that_names_the_customer_is_redacted(file: Path) -> None:
    FileSink(file).deliver([answered("ada")])
    file.write_bytes(file.read_bytes()[:-40])
    FileSink(file).deliver([erased("ada")])
    assert b"zqwords" not in file.read_bytes()


def test_the_erasure_line_names_its_customer_for_a_limited_number_of_deliveries(file: Path) -> None:
    sink = FileSink(file, named_deliveries=2)
    sink.deliver([erased("ada")])
    sink.deliver([answered("bob")])
    assert b'"ada"' in file.read_bytes()
    sink.deliver([answered("bob")])
    assert b'"ada"' not in file.read_bytes()


def test_it_names_its_customer_for_a_day_at_most_across_a_restart(file: Path) -> None:
    FileSink(file).deliver([erased("ada", AT - timedelta(hours=23)), erased("eve", AT - timedelta(hours=25))])
    assert (b'"ada"' in file.read_bytes(), b'"eve"' in file.read_bytes()) == (True, False)
    FileSink(file, named_s=3600).redact_old_erasure_events()
    assert b'"ada"' not in file.read_bytes()
