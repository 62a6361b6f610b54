"""Targets and filters of audit entries: one form for every spelling, without text of customers."""

from __future__ import annotations

import pytest

from bentos.admission.routes import ROUTES
from bentos.gateway.audit_targets import audit_filters, audit_target
from frontdesk.audit.chain import AuditKey

KEY = AuditKey(b"k" * 32)
CUSTOMER = "/v1/customers/{customer_id}"


@pytest.mark.parametrize("spelling", ["auditme", "audit%6De", "audit%6de", "%61uditme", "%61%75%64%69%74%6D%65"])
@pytest.mark.parametrize("end", ["", "/history"])
def test_every_spelling_of_a_customer_is_one_target(spelling: str, end: str) -> None:
    assert audit_target(CUSTOMER + end, f"/v1/customers/{spelling}{end}".encode()) == ("customer", "auditme")


def test_an_escaped_slash_and_letters_of_any_script_are_part_of_the_id() -> None:
    assert audit_target(CUSTOMER, b"/v1/customers/a%2Fb") == ("customer", "a/b")
    assert audit_target(CUSTOMER, b"/v1/customers/%C3%A5%2525") == ("customer", "å%25")


def test_an_id_that_is_no_utf_8_has_a_target_of_its_own() -> None:
    assert audit_target(CUSTOMER, b"/v1/customers/%FF") == ("unreadable", "customer", "/v1/customers/%FF")


def test_several_ids_and_none() -> None:
    retried = audit_target("/v1/admin/outbox/{sink}/{event_id}/retry", b"/v1/admin/outbox/file/7/retry")
    dropped = audit_target("/v1/admin/outbox/{sink}/{event_id}/drop", b"/v1/admin/outbox/file/7/drop")
    assert retried == dropped == ("event", "file", "7")
    assert audit_target("/v1/queries/export", b"/v1/queries/export") == ("route", "/v1/queries/export")
    assert KEY.target_fingerprint("a", "b") != KEY.target_fingerprint("a,b")


def test_filters_are_stored_as_sent_only_if_they_belong_to_a_closed_set() -> None:
    query_string = (
        b"customer_id=%61da&intent=get_refund&from=2026-06-01T00:00:00Z&priority=urgent&limit=5&cursor=abc&format=csv"
    )
    assert audit_filters(query_string, KEY, ("get_refund",)) == {
        "customer_id": KEY.target_fingerprint("customer", "ada"),
        "intent": "get_refund",
        "from": "2026-06-01T00:00:00Z",
        "priority": "urgent",
        "format": "csv",
    }


@pytest.mark.parametrize("name", ["customer_id", "intent", "sentiment", "priority", "from", "model_version", "zqxmark"])
def test_a_customers_words_in_a_query_string_are_not_kept(name: str) -> None:
    assert "zqxmark" not in repr(audit_filters(f"{name}=zqxmark".encode(), KEY, ()).values())
    assert "zqxmark" not in repr(audit_filters(f"zqxmark={name}".encode(), KEY, ()))


def test_a_query_string_that_cannot_be_read_is_a_fingerprint() -> None:
    for query_string in (b"a=%FF", "å=1".encode(), b"&".join(b"a=%d" % number for number in range(50))):
        assert list(audit_filters(query_string, KEY, ())) == ["unreadable"]


def test_every_route_to_stored_rows_and_of_administrators_is_audited_or_counted() -> None:
    open_to_insiders = [
        route.template
        for route in ROUTES
        if route.scope in ("history:read", "admin") and route.audited is None and route.counted is None
    ]
    assert open_to_insiders == []
