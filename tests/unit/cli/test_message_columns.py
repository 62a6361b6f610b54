"""The message of a row: text columns, HTML, subject, headers and transcript."""

from __future__ import annotations

import pytest

from cli.message_columns import MessageColumns, UnreadableMessageError
from frontdesk.messages import IncomingMessage, Role, Turn
from training.data.tables import Row

COLUMNS = MessageColumns(("subject line", "body"), "subject", "html", "headers", "transcript")


def read(columns: MessageColumns = COLUMNS, **cells: object) -> IncomingMessage:
    names = {name.replace("_", " "): value for name, value in cells.items()}
    return columns.read(Row(2, tuple(names), tuple(names.values())))


def test_every_field_is_read() -> None:
    message = read(
        subject_line="Late",
        body="Where is it?",
        subject="Re: late",
        html="<p>Where is it?</p>",
        headers='{"From": "a@example.com", "X-Mailer": "unknown"}',
        transcript='[{"role": "agent", "text": "Hello"}]',
    )
    assert message == IncomingMessage(
        "Late\n\nWhere is it?",
        html="<p>Where is it?</p>",
        subject="Re: late",
        headers={"from": "a@example.com"},
        transcript=(Turn(Role.AGENT, "Hello"),),
    )


def test_json_lines_may_have_objects_and_lists() -> None:
    message = read(body="Hi", headers={"From": "a@example.com"}, transcript=[{"role": "customer", "text": "Hello"}])
    assert (message.headers, message.transcript) == ({"from": "a@example.com"}, (Turn(Role.CUSTOMER, "Hello"),))


@pytest.mark.parametrize("missing", [None, "", "  "])
def test_missing_fields_are_empty(missing: object) -> None:
    message = read(body="Hi", subject=missing, html=missing, headers=missing, transcript=missing)
    assert message == IncomingMessage("Hi")


def test_html_or_a_transcript_needs_no_text() -> None:
    assert read(html="<p>Hi</p>").html == "<p>Hi</p>"
    assert read(MessageColumns((), transcript="t"), t=[{"role": "customer", "text": "Hi"}]).text == ""


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({}, "has no text"),
        ({"body": 7}, "has no text"),
        ({"body": "Hi", "html": 7}, "has a text that is not text"),
        ({"body": "Hi", "headers": "{broken"}, "has headers that are not JSON"),
        ({"body": "Hi", "headers": "[1]"}, "has headers that are not a JSON object"),
        ({"body": "Hi", "transcript": "[broken"}, "has turns that are not JSON"),
        ({"body": "Hi", "transcript": '[{"role": "robot", "text": "x"}]'}, "has a transcript that is not a JSON list"),
        ({"body": "Hi", "transcript": "7"}, "has a transcript that is not a JSON list"),
        ({"body": "a\x00b"}, "holds NUL characters"),
        ({"body": "x" * 65_537}, "has 65537 characters; at most 65536 are supported"),
    ],
)
def test_what_cannot_be_read_says_why(cells: dict[str, object], problem: str) -> None:
    with pytest.raises(UnreadableMessageError, match=problem):
        read(**cells)
