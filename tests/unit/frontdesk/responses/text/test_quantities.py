"""Equal quantities in many forms are equal; different ones never are."""

from __future__ import annotations

import pytest

from frontdesk.responses.text.quantities import SourceQuantities, find_quantities

PASSAGE = "The refund arrives 5 to 7 working days after the return. Return within 30 days; shipping costs 4.90 EUR."


def keys(text: str) -> list[tuple[object, object, str]]:
    return [quantity.key for quantity in find_quantities(text)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 to 7 working days", "five to seven business days"),
        ("5 to 7 working days", "5–7 Werktage"),
        ("5 to 7 working days", "entre 5 et 7 jours ouvrés"),
        ("7 days", "7 Tage"),
        ("7 days", "a week"),
        ("14 days", "two weeks"),
        ("1 day", "24 hours"),
        ("60 minutes", "an hour"),
        ("1,000.00 EUR", "€1.000,00"),
        ("4.90 EUR", "4,90 €"),
        ("20 %", "twenty percent"),
        ("30 days", "٣٠ days"),
        ("30 days", "3\u200b0 days"),
        ("3 May", "May 3rd"),
        ("by tomorrow", "bis morgen"),
        ("Monday", "Montag"),
        ("8pm", "20:00"),
        ("300 EUR", "three hundred euros"),
    ],
)
def test_one_quantity_in_two_forms(one: str, other: str) -> None:
    assert keys(one) == keys(other) != []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("7 days", "7 working days"),
        ("5 EUR", "5 USD"),
        ("5 %", "5 EUR"),
        ("1.5 days", "15 days"),
        ("1,5 EUR", "15 EUR"),
    ],
)
def test_two_promises_are_two_quantities(one: str, other: str) -> None:
    assert keys(one) != keys(other)


@pytest.mark.parametrize(
    "text",
    [
        "one of them",
        "About order [ORDER_12]:",
        "1. Open Orders\n2. Choose Return",
        "at once",
        "the amount is due",
        "no",
    ],
)
def test_articles_placeholders_and_list_numbers_are_not_quantities(text: str) -> None:
    assert find_quantities(text) == ()


@pytest.mark.parametrize(
    "stated", ["in 5 to 7 business days", "within 7 working days", "for 30 days", "4,90 €", "thirty days"]
)
def test_quantities_of_a_passage_are_covered_in_any_form(stated: str) -> None:
    assert all(SourceQuantities([PASSAGE]).contains(quantity) for quantity in find_quantities(stated))


@pytest.mark.parametrize(
    "stated",
    [
        "in 5 working days",
        "within 7 days",
        "two weeks",
        "by tomorrow",
        "49 EUR",
        "4.90 USD",
        "30 %",
        "a month",
        "call 0800 1234",
        "3 Mai",
    ],
)
def test_other_quantities_are_not_covered(stated: str) -> None:
    assert not all(SourceQuantities([PASSAGE]).contains(quantity) for quantity in find_quantities(stated))
