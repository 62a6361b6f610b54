"""What `mask` finds in messages written for the purpose, by kind.

All four parts have been read by now, and patterns mended for them. What they gave when they were new, structured kinds:
94 messages recall 0.972, precision 0.972 (names: recall 0.594), 174 messages 0.980 and 0.980 (0.839), once six marks
were put right that broke the set's own rules (0.946 and 0.939 before); both are in `look` now. The 137 of `check` 0.982
and 1.000 (0.897). The 329 of `unseen`, harder, in other trades and by another hand, 0.924 and 0.964 (0.716); version 2
would have had 0.819 and 0.928 (0.562). The 144 of `unseen2`, shorter and rougher, 0.830 and 0.930 (0.619). For an
honest new figure write new messages, and score them once.

The 300 of `mail_and_chat`, mails, chats and forms of another author in eight languages: version 5, scored once before
any pattern was changed for them, 0.871 and 0.928; names 0.763 and 0.879, in English and French 0.821 and 0.890, with
the tagger of names 0.866 and 0.859. A list of names of another project, used for that score, was removed since. They
are development data now.
"""

from __future__ import annotations

import pytest

from tests.masking.marked import HALVES, MAIL_AND_CHAT, READ, STRUCTURED, figures, marked_messages, table

MIN_RECALL, MIN_PRECISION = 0.98, 0.97
MIN_SPANS = 35
REACHED = {  # recall and precision since patterns were mended for them, less a hundredth, or one or two spans
    ("unseen", "ORDER"): (0.97, 0.97),
    ("unseen", "ACCOUNT"): (0.97, 0.97),
    ("unseen", "ID"): (0.93, 0.96),
    ("unseen", "ADDRESS"): (0.92, 0.90),
    ("unseen", "NAME"): (0.82, 0.97),
    ("unseen", "structured"): (0.98, 0.98),
    ("unseen2", "ORDER"): (0.94, 0.94),
    ("unseen2", "ACCOUNT"): (0.78, 0.94),
    ("unseen2", "structured"): (0.92, 0.96),
    ("unseen2", "ADDRESS"): (0.83, 0.83),
    ("unseen2", "NAME"): (0.82, 0.98),
    ("mail_and_chat", "structured"): (0.94, 0.95),
    ("mail_and_chat", "ID"): (0.86, 0.97),
    ("mail_and_chat", "NAME"): (0.83, 0.92),
}
WHOLE = ("EMAIL", "URL", "IBAN", "CARD", "IP")
"""Found by their own form alone, so all of them, whoever wrote the message."""


@pytest.mark.parametrize(("half", "kind"), REACHED)
def test_what_is_found_in_rough_messages_does_not_get_less(half: str, kind: str) -> None:
    results = figures(marked_messages(half))[kind]
    recall, precision = REACHED[half, kind]
    assert results.recall >= recall
    assert results.precision >= precision


@pytest.mark.parametrize("kind", WHOLE)
def test_what_has_a_form_of_its_own_is_always_found(kind: str) -> None:
    results = figures(message for half in (*HALVES, MAIL_AND_CHAT) for message in marked_messages(half))[kind]
    assert (results.recall, results.precision) == (1.0, 1.0)


@pytest.mark.parametrize("half", READ)
def test_structured_kinds_are_found_as_often_as_asked(half: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{table(half)}")  # noqa: T201  -- the table is what this test is read for
    results = figures(marked_messages(half))["structured"]
    assert results.recall >= MIN_RECALL
    assert results.precision >= MIN_PRECISION
    assert results.readable <= 0.02 * results.marked


@pytest.mark.parametrize("kind", STRUCTURED)
def test_each_structured_kind_is_found_in_enough_messages(kind: str) -> None:
    results = figures(marked_messages("look"))[kind]
    assert results.recall >= MIN_RECALL
    assert results.precision >= MIN_PRECISION
    assert figures(message for half in HALVES for message in marked_messages(half))[kind].marked >= MIN_SPANS


def test_the_set_is_as_large_as_asked() -> None:
    assert figures(message for half in HALVES for message in marked_messages(half))["all"].marked >= 1000


def test_names_and_addresses_do_not_get_worse() -> None:
    messages = [message for half in HALVES for message in marked_messages(half)]
    results = figures(messages)
    assert results["NAME"].recall >= 0.85
    assert results["NAME"].precision >= 0.95
    assert results["ADDRESS"].recall >= 0.85
