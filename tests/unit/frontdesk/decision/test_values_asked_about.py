"""Which of several orders a message asks about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.decision.values_asked_about import MAX_MENTIONS, values_asked_about

MESSAGES = yaml.safe_load(Path(__file__).with_name("several_orders.yaml").read_text(encoding="utf-8"))
ORDER = re.compile(r"\[ORDER_\d+\]")


def orders(text: str) -> list[str]:
    return sorted(values_asked_about(text, ORDER))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message["text"])
def test_the_orders_that_a_message_asks_about(message: dict[str, Any]) -> None:
    assert orders(message["text"]) == [f"[ORDER_{number}]" for number in message["orders"]]


def test_there_are_at_least_sixty_messages() -> None:
    assert len(MESSAGES) >= 60


def test_without_a_value_there_is_none() -> None:
    assert values_asked_about("Where is my order?", ORDER) == ()


def test_a_list_of_more_mentions_than_are_evaluated_is_returned_as_it_is() -> None:
    text = "[ORDER_1] arrived. [ORDER_2] did not. " * MAX_MENTIONS
    assert orders(text) == ["[ORDER_1]", "[ORDER_2]"]


pieces = st.sampled_from(
    [
        "[ORDER_1]",
        "[ORDER_2]",
        "[ORDER_3]",
        "arrived",
        "not",
        "instead of",
        "but",
        ",",
        ".",
        "?",
        "\0",
        "the first",
        "İ",
    ]
)


@given(st.lists(pieces, max_size=12).map(" ".join))
def test_only_values_of_the_text_are_returned_in_its_order_and_once(text: str) -> None:
    values = values_asked_about(text, ORDER)
    all_values = list(dict.fromkeys(ORDER.findall(text)))
    assert list(values) == [value for value in all_values if value in values]
    if len(all_values) > 1 and not re.search("not|instead", text):
        assert values  # an order is never dropped only because others are settled
