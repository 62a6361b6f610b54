"""A message of several parts: values are found across parts, and each is masked in the part that has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.errors import InvalidQuery
from frontdesk.masking import mask
from frontdesk.masking.masked_message import (
    CONTEXT_CHARACTERS,
    MAX_WINDOW_CHARACTERS,
    _windows,
    mask_message,
    mask_other_parts_steps,
)
from frontdesk.messages import IncomingMessage, Part, PartKind, Role, Turn, parse
from frontdesk.time_slicing import run_steps
from frontdesk.types import MaskedPart, Message

HEAD = "On 3 May 2026 at 10:02, Shop <help@shop.example> wrote:\n"


def masked_parts(incoming: IncomingMessage) -> tuple[str, list[MaskedPart]]:
    masked = mask_message(parse(incoming))
    return masked.own.text, list(run_steps(mask_other_parts_steps(masked)))


def test_equal_values_get_the_same_placeholder_and_the_own_text_the_first_numbers() -> None:
    own, parts = masked_parts(
        IncomingMessage(f"> Orders 70413 and 70412 were sent.\n\nWhere is order 70412?\n\n{HEAD}> Order 70414 too.\n")
    )
    assert own == "Where is order [ORDER_1]?"
    assert parts[0].text.strip() == "> Orders [ORDER_2] and [ORDER_1] were sent."
    assert "Order [ORDER_3] too." in parts[1].text


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("> Could you tell us your customer number?\n55108827\n", "[ACCOUNT_1]"),
        ("Agent: Your member number, please?\nCustomer: 55108827\nAgent: Thanks.", "[ACCOUNT_1]"),
        ("Berater: Ihre Kundennummer bitte?\nKunde: 5510-8827", "[ACCOUNT_1]"),
    ],
)
def test_a_value_that_another_part_announces_is_masked(text: str, own: str) -> None:
    assert masked_parts(IncomingMessage(text))[0] == own


def test_a_value_that_the_own_text_asks_for_is_masked_in_the_other_part() -> None:
    turns = (Turn(Role.CUSTOMER, "What is my customer number?"), Turn(Role.AGENT, "55108827"))
    _, parts = masked_parts(IncomingMessage("Thanks!", transcript=turns))
    assert parts == [MaskedPart(PartKind.TRANSCRIPT, "What is my customer number?\n[ACCOUNT_1]\n")]


def test_a_message_without_other_parts_is_masked_as_its_own_text() -> None:
    message = parse(IncomingMessage("Hi, order 70412, mail ann@example.com", subject="Invoice"))
    assert mask_message(message).own == mask(message.own)


def test_a_typed_placeholder_in_another_part_is_rewritten_and_its_number_skipped() -> None:
    own, parts = masked_parts(IncomingMessage(f"Where is order 70412?\n\n{HEAD}> The template says [ORDER_1].\n"))
    assert own == "Where is order [ORDER_2]?"
    assert "(ORDER 1)" in parts[0].text


def test_long_histories_are_masked_to_the_last_line() -> None:
    line = "> Call 0171 555 0199 about order 70412.\n"
    own, parts = masked_parts(IncomingMessage(f"Where is order 70412?\n\n{HEAD}{line * 1_000}"))
    assert own == "Where is order [ORDER_1]?"
    text = "".join(part.text for part in parts)
    assert text.count("[PHONE_1]") == text.count("[ORDER_1]") == 1_000
    assert "70412" not in text
    assert "0199" not in text


LINES = st.lists(
    st.sampled_from(
        ["Where is it?", "> quoted order 70412", "> Your number?", "55108827", HEAD.strip(), "--", "Ann Miller", ""]
    ),
    min_size=1,
    max_size=25,
)


@given(LINES)
def test_the_own_text_is_restored_exactly(lines: list[str]) -> None:
    try:
        message = parse(IncomingMessage("\n".join(lines)))
    except InvalidQuery:
        return
    own = mask_message(message).own
    assert own.restore(own.text) == message.own


@given(
    st.lists(
        st.tuples(st.sampled_from([PartKind.OWN, PartKind.QUOTATION, PartKind.SIGNATURE]), st.integers(1, 30_000)),
        min_size=1,
        max_size=8,
    )
)
def test_windows_cover_the_source_and_keep_the_own_text_with_its_neighbours(sizes: list[tuple[PartKind, int]]) -> None:
    parts, offset = [], 0
    for kind, size in sizes:
        text = ("word word\n" * (size // 10 + 1))[:size]
        parts.append(Part(kind, offset, offset + size, text))
        offset += size
    source = "".join(part.text for part in parts)
    windows = list(_windows(Message("", "request", source, tuple(parts))))
    assert "".join(source[start:end] for start, end, _ in windows) == source
    longest_own = max((part.end - part.start for part in parts if part.kind is PartKind.OWN), default=0)
    assert all(end - start <= MAX_WINDOW_CHARACTERS + 2 * CONTEXT_CHARACTERS + longest_own for start, end, _ in windows)
    for part in parts:
        if part.kind is PartKind.OWN:
            assert any(start <= part.start and part.end <= end and own for start, end, own in windows)
