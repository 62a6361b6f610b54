"""Slots of the suggested actions."""

from __future__ import annotations

import time

import pytest

from frontdesk.decision.slot_filling import MAX_ORDERS, fill_slots, orders_to_name, required_slots, slots_with_values
from frontdesk.masking import KINDS, mask
from frontdesk.taxonomy import SLOTS, STARTER_TAXONOMY, Taxonomy
from frontdesk.types import MaskedText, SuggestedAction
from frontdesk.types.query import PLACEHOLDER_KINDS


def test_an_action_is_filled_from_the_message() -> None:
    text = "I sent [ORDER_1] back on 3 May 2026 and want my 49.90 EUR"

    assert fill_slots(["start_refund", "send_refund_terms"], text, {}) == (
        SuggestedAction("start_refund", {"order": "[ORDER_1]", "amount": "49.90 EUR", "date": "3 May 2026"}),
        SuggestedAction("send_refund_terms", {}),
    )


def test_an_action_is_repeated_for_each_order_that_the_message_asks_about() -> None:
    text = "I sent [ORDER_1] and [ORDER_2] back on 3 May 2026 and want my 49.90 EUR"

    assert fill_slots(["start_refund", "send_refund_terms"], text, {}) == (
        SuggestedAction("start_refund", {"order": "[ORDER_1]", "amount": "49.90 EUR", "date": "3 May 2026"}),
        SuggestedAction("start_refund", {"order": "[ORDER_2]", "amount": "49.90 EUR", "date": "3 May 2026"}),
        SuggestedAction("send_refund_terms", {}),
    )


def test_a_settled_order_fills_no_slot() -> None:
    text = "[ORDER_1] arrived, thank you. But where is [ORDER_2]?"
    (action,) = fill_slots(["look_up_tracking"], text, {})
    assert action.slots == {"order": "[ORDER_2]"}


def test_a_long_list_of_orders_fills_no_slot_and_is_not_asked_for() -> None:
    numbers = [f"[ORDER_{number}]" for number in range(1, MAX_ORDERS + 2)]
    text = f"Where are {', '.join(numbers)}?"
    (action,) = fill_slots(["look_up_tracking"], text, {})
    assert action.slots == {}
    assert orders_to_name(text) == ()
    assert slots_with_values(("order", "date"), text) == {"order"}


def test_several_values_of_another_kind_fill_no_slot() -> None:
    text = "Order [ORDER_1]: you took 20 EUR on 3 May and 30 EUR on 5 May"
    (action,) = fill_slots(["look_up_payment"], text, {})
    assert action.slots == {"order": "[ORDER_1]"}
    assert slots_with_values(("order", "amount", "date"), text) == {"order", "amount", "date"}


@pytest.mark.parametrize("unit", ["1.", "1 ", "1,", "1 000 ", "12.12.", "jan 1 ", "[ORDER_1] not ", "$ "])
def test_filling_slots_takes_linear_time(unit: str) -> None:
    start = time.process_time()
    fill_slots(["start_refund"], unit * (2**16 // len(unit)), {})
    assert time.process_time() - start < 1  # milliseconds; a quadratic pattern takes minutes


@pytest.mark.parametrize(
    ("text", "slot", "value"),
    [
        ("charged €1,200.50 twice", "amount", "€1,200.50"),
        ("it was 15 euros", "amount", "15 euros"),
        ("in 2026, 49.90 EUR", "amount", "49.90 EUR"),
        ("1 200,50 EUR in 2026 499", "amount", "1 200,50 EUR"),
        ("paid on 2026-05-03", "date", "2026-05-03"),
        ("paid on 3.5.2026", "date", "3.5.2026"),
        ("paid on May 3rd", "date", "May 3rd"),
    ],
)
def test_amounts_and_dates_are_found_in_common_formats(text: str, slot: str, value: str) -> None:
    (action,) = fill_slots(["look_up_payment"], text, {})
    assert action.slots == {slot: value}


def test_every_starter_action_has_slots_or_only_sends_something() -> None:
    actions = Taxonomy.read(STARTER_TAXONOMY).actions
    without = {action for action in actions if not required_slots(action, {})}
    assert all(action.startswith("send_") or action in ("hand_over", "open_technical_case") for action in without)


def test_slots_of_the_taxonomy_take_precedence_over_the_name_of_an_action() -> None:
    text = "[ORDER_1] of 3 May 2026, 49.90 EUR"
    needs = {"storno_starten": ("order",), "start_refund": ("amount",)}

    assert fill_slots(["storno_starten", "start_refund"], text, needs) == (
        SuggestedAction("storno_starten", {"order": "[ORDER_1]"}),
        SuggestedAction("start_refund", {"amount": "49.90 EUR"}),
    )
    assert required_slots("storno_starten", {}) == ()


def test_every_slot_that_a_taxonomy_may_name_can_be_found() -> None:
    text = "[ORDER_1] [ACCOUNT_1] [EMAIL_1] [ADDRESS_1] 5 EUR on 3.5.2026"
    (action,) = fill_slots(["all"], text, {"all": SLOTS})
    assert set(action.slots) == set(SLOTS)


SPELLINGS = (
    "[ORDER_7]",
    "[ORDER\u200b_7]",
    "[\u00adORDER_7]",
    "\uff3bORDER_7\uff3d",
    "\uff3b\uff2f\uff32\uff24\uff25\uff32\uff3f\uff17\uff3d",
    "[order_7]",
    "[Order_7]",
    "[ORDER_7\u00a0]",
    "[ ORDER _ 7 ]",
    "&#91;ORDER_7&#93;",
    "&#x5B;order&lowbar;7&rsqb;",
    "&lbrack;ORDER_7]",
    "&amp;#91;ORDER_7&amp;#93;",
    "[\u041eRD\u0415R_7]",
    "\u3010ORDER_7\u3011",
    "[ORDER-7]",
    "[ORDER_\u0667]",
)


@pytest.mark.parametrize("typed", SPELLINGS)
def test_a_typed_placeholder_is_neutralized_in_every_spelling_and_real_ones_stay(typed: str) -> None:
    masked = mask(f"Where is order 48213, and what is {typed} here?")
    assert masked.neutralize(masked.text) == "Where is order [ORDER_1], and what is (ORDER 7) here?"
    same = mask(f"Where is order 48213, and {typed.replace('7', '1').replace(chr(0xFF17), '1')}?")
    (real,) = same.originals
    neutralized = same.neutralize(same.text)
    assert real in neutralized
    assert same.restore(neutralized).count("48213") == 1


@pytest.mark.parametrize("text", ["see [1] and [note]", "a[order_1x]", "&#8364; 5", "[file_1] & [x]", "[NAME]"])
def test_other_brackets_are_unchanged(text: str) -> None:
    assert MaskedText(text).neutralize(text) == text


def test_placeholder_kinds_equal_those_of_masking() -> None:
    assert PLACEHOLDER_KINDS == KINDS


def test_a_placeholder_that_the_customer_typed_fills_no_slot() -> None:
    masked = mask("Where is my parcel? Order [ORDER_1] and order 48213, mail [EMAIL_1], account [ACCOUNT_7].")
    (action,) = fill_slots(["all"], masked.neutralize(masked.text), {"all": SLOTS})

    assert {slot: masked.restore(value) for slot, value in action.slots.items()} == {"order": "48213"}
