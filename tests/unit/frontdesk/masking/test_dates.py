# ruff: noqa: E501  -- lists of texts read better unbroken
"""Dates of birth, time stamps, years of a period, and documents."""

from __future__ import annotations

import pytest

from frontdesk.masking import mask

BIRTHS = [
    "I was born on {}.", "DOB: {}", "D.O.B. {}", "date of birth {}", "{} (DOB)", "geboren am {}", "Ich bin am {} geboren",
    "am {} in Ulm geboren", "Geburtsdatum: {}", "née le {}", "né à Pau le {}", "nacido el {}", "nacida en Vigo el {}",
    "nato il {}", "nata a Bari il {}", "nascida em {}", "data de nascimento: {}", "geboren op {}", "geboortedatum {}",
    "urodzona {}", "data urodzenia: {}", "doğum tarihi {}", "född {}", "my birthday is {}",
]  # fmt: skip
DATES = ["07/11/1979", "7.11.79", "1979-11-07", "7 11 1979"]


@pytest.mark.parametrize("text", BIRTHS)
@pytest.mark.parametrize("date", DATES)
def test_a_date_of_birth_is_masked(text: str, date: str) -> None:
    assert mask(text.format(date)).text == text.format("[ID_1]")


@pytest.mark.parametrize(
    "text",
    [
        "born on 7 November 1979", "born November 7, 1979", "geboren am 7. November 1979", "née le 7 novembre 1979",
        "nacido el 7 de noviembre de 1979", "nato il 7 novembre 1979", "nascido a 7 de novembro de 1979", "DOB 7-Nov-1979",
        "geboren op 7 november 1979", "urodzony 7 listopada 1979", "born in November 1979", "DOB 1979-11-07T00:00:00Z",
    ],
)  # fmt: skip
def test_a_date_of_birth_with_a_month_in_words_is_masked(text: str) -> None:
    masked = mask(text).text
    assert "1979" not in masked
    assert "ov" not in masked.removeprefix("geboren op")


@pytest.mark.parametrize(
    "text",
    [
        "paid on 07/11/2025", "It came on 7 November 2025", "for her birthday on 7 November 2025", "since 2025-11-07",
        "my invoice of 07.11.2025", "they were born to complain",
    ],
)  # fmt: skip
def test_an_ordinary_date_is_kept(text: str) -> None:
    assert mask(text).text == text


STAMPS = [
    "2025-11-07T08:09:10Z", "2025-11-07T08:09:10.123456Z", "2025-11-07T08:09:10+01:00", "2025-11-07T08:09:10−0500",
    "2025-11-07T08:09", "2025-11-07T08", "2025-11-07t08:09:10z", "2025-11-07 08:09:10,123", "20251107T080910Z",
    "2025-11-07T08:09:10+00:00/2025-11-08T08:09:10Z", "2025-W45-5", "2025-11-07T08:09:10+01:00[Europe/Paris]",
    "07/Nov/2025:08:09:10 +0000", "2025/11/07 08:09:10", "Fri, 7 Nov 2025 08:09:10 +0100", "Fri Nov 7 08:09:10 2025",
    "Nov 7 08:09:10", "07.11.2025T08:09", "2025-11-07_08-09-10",
]  # fmt: skip


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("text", ["{}: no parcel", "order {} failed", "ticket {}", "[{}] order 48213"])
def test_a_time_stamp_is_kept(stamp: str, text: str) -> None:
    assert mask(text.format(stamp)).text == text.format(stamp).replace("48213", "[ORDER_1]")


@pytest.mark.parametrize(
    "text",
    [
        "las facturas de 2024", "todas las facturas del 2024", "the invoices of 2024", "die Rechnungen von 2024",
        "les factures de 2024", "le fatture del 2024", "orders from 2024", "the orders 2023 and 2024", "as faturas de 2024",
        "facturas de 2023-2024",
    ],
)  # fmt: skip
def test_the_year_of_invoices_is_no_number_of_one(text: str) -> None:
    assert mask(text).text == text


@pytest.mark.parametrize("space", ["&nbsp;", "&nbsp", "&#160;", "&#xA0;", "&amp;nbsp;", "&ensp;"])
def test_an_entity_inside_a_number_is_a_space(space: str) -> None:
    text = "tel +34 611 222 333, card 4111 1111 1111 1111, order 48213"
    assert mask(text.replace(" ", space)).originals.keys() == {"[PHONE_1]", "[CARD_1]", "[ORDER_1]"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the plate was QR12 STU", "the plate was [ID_1]"),
        ("Kennzeichen: UL-QT 4711", "Kennzeichen: [ID_1]"),
        ("plaque QT-123-RS", "plaque [ID_1]"),
        ("Matrícula: 4711 LKZ", "Matrícula: [ID_1]"),
        ("Reisepass C7J7K9R2L", "Reisepass [ID_1]"),
        ("dowód QTB 441887", "dowód [ID_1]"),
        ("my car is red", "my car is red"),
    ],
)
def test_plates_and_documents_are_masked(text: str, expected: str) -> None:
    assert mask(text).text == expected


@pytest.mark.parametrize("path", ["/reset/a1b2c3d4e5", "/t/77aa88bb99"])
def test_a_link_with_a_token_in_its_path_is_masked(path: str) -> None:
    assert mask(f"see https://shop.example{path}").text == "see [URL_1]"
