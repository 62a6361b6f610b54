# ruff: noqa: E501  -- tables read better unbroken
"""Timestamps, versions, coordinates, status codes, package names and table headers are kept; adjacent values are masked."""

from __future__ import annotations

import pytest

from frontdesk.masking import mask

KEPT = {
    "timestamps": [
        *("2025-02-17T21:40:08Z", "failed at 2025-02-17 21:40:08.512+01:00 again", "2025-02-17T21:40", "2025-02-17T21"),
        *("2025-02-17 21:40:08,512 ERROR", "2025-02-17T21:00Z/2025-02-17T22:00Z", "20250217T214008Z", "2025-02-17/2025-02-19"),
        *("[17/Feb/2025:21:40:08 +0000]", "Mon, 17 Feb 2025 21:40:08 +0100", "17-Feb-2025", "17/02/2025 21:40:08.512", "2025-W07-1"),
    ],
    "versions": [
        *("updated 3.1.0.2 -> 3.1.2.14 today", "3.1.0.2 -> 3.1.2.14", "v3.1.2.14", "app v3.1.2.14 crashes"),
        *("Firmware 10.4.0.21", "Firmware-Version: 10.4.0.21", "firmware is 10.4.0.21", "Firmware: 10.4.0.21"),
        *("upgrade from 3.1.0.2 to 3.1.2.14", "driver version 31.0.15.46", "Chrome/121.0.6167.85"),
    ],
    "coordinates": [
        *("52.516275, 13.377704", "at 52.516275,13.377704.", "lat=52.516275 lon=-13.377704", "-37.813629, 144.963058"),
        *("52.516275 N, 13.377704 E", "latitude: 52.516275"),
    ],
    "package and file names": [
        *("@globex/mail@latest", "npm i @globex/mail@latest now", "left-pad@next", "tool@4.5.6", "tool@4.5.6-rc.2"),
        *("photo@2x.png", "banner@3x.webp", "sprite@1.5x.png"),
    ],
    "table headers": [
        *("Art.-Nr.\tBezeichnung\tStk\tPreis", "Pos.  Artikel  Menge  Einzelpreis", "Order No.\tDescription\tQty\tPrice"),
        "Réf.\tDésignation\tQté\tPrix",
    ],
}  # fmt: skip


@pytest.mark.parametrize("what", KEPT)
def test_text_that_is_not_personal_is_kept(what: str) -> None:
    assert [mask(text).text for text in KEPT[what]] == KEPT[what]


@pytest.mark.parametrize(
    "status",
    [
        *("status=503", "http 503", "code=403", "got HTTP/1.1 503 Bad Gateway", '"status": 503', "error code 403"),
        *("http_status=503, retries=250", "statusCode=503", '"code": 403', "answered 503 Service Unavailable"),
    ],
)
def test_a_status_next_to_a_card_is_not_a_security_code(status: str) -> None:
    assert mask(f"card 5105 1051 0510 5100 {status}").text == f"card [CARD_1] {status}"
    assert mask(f"{status} for card 5105 1051 0510 5100").text == f"{status} for card [CARD_1]"


@pytest.mark.parametrize("code", ["cvv=403", "security code=503", "pin code=403", "code 403", "and 718"])
def test_a_security_code_next_to_a_card_is_masked(code: str) -> None:
    digits = code[-3:]
    assert mask(f"card 5105 1051 0510 5100 {code}").text == f"card [CARD_1] {code.replace(digits, '[SECRET_1]')}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**5105 1051 0510 5100** declined", "**[CARD_1]** declined"),
        ("__5105 1051 0510 5100__ declined", "__[CARD_1]__ declined"),
        ("order **71820** and *71821*", "order **[ORDER_1]** and *[ORDER_2]*"),
        ("<b>5105 1051 0510 5100</b> declined", "<b>[CARD_1]</b> declined"),
        ("[b]5105 1051 0510 5100[/b] declined", "[b][CARD_1][/b] declined"),
        ("**jo@example.org** and `lee@example.org`.", "**[EMAIL_1]** and `[EMAIL_2]`."),
        ("order **71820**, again order 71820", "order **[ORDER_1]**, again order [ORDER_1]"),
    ],
)
def test_marks_around_a_value_are_kept(text: str, expected: str) -> None:
    masked = mask(text)
    assert masked.text == expected
    assert masked.restore(masked.text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("blocked at 10.4.0.21", "blocked at [IP_1]"),
        ("flow 10.4.0.21 -> 192.168.7.9", "flow [IP_1] -> [IP_2]"),
        ("the driver from 84.31.20.7 logged in", "the driver from [IP_1] logged in"),
        ("updated from 84.131.20.7", "updated from [IP_1]"),
        ("version 3.1.0.2, seen from 84.131.20.7", "version 3.1.0.2, seen from [IP_1]"),
        ("born 1991-05-23T00:00:00Z", "born [ID_1]"),
        ("2025-02-17 09:14 +49 30 7654321", "2025-02-17 09:14 [PHONE_1]"),
        ("2025-02-17 09:14 +1415 555 0123", "2025-02-17 09:14 [PHONE_1]"),
        ("jo@2degrees.example and lee@163.com", "[EMAIL_1] and [EMAIL_2]"),
        ("jo@localhost, lee@gmail", "[EMAIL_1], [EMAIL_2]"),
        ("order 71820 at 2025-02-17T21:40:08Z", "order [ORDER_1] at 2025-02-17T21:40:08Z"),
        ("Art.-Nr.\tBezeichnung\tStk\tPreis\n718203\tKettle\t1\t49.90", "Art.-Nr.\tBezeichnung\tStk\tPreis\n[ORDER_1]\tKettle\t1\t49.90"),
        ("Name: Ortrud Mielke, Preis und Menge falsch", "Name: [NAME_1], Preis und Menge falsch"),
    ],
)  # fmt: skip
def test_a_value_that_resembles_what_is_kept_is_masked(text: str, expected: str) -> None:
    assert mask(text).text == expected
