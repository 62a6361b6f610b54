"""Properties of the message parser that hold for any text."""

from __future__ import annotations

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from frontdesk.errors import InvalidQuery
from frontdesk.messages import IncomingMessage, Message, PartKind, Role, Turn, parse
from frontdesk.messages.source_text import decode_text

LINES = """
Where is my parcel?
Order 55810
Ja, bitte stornieren.
Anna
Anna Kern
ok
> Would you like to cancel?
>
>> older
> 30 days
On Mon, 2 Feb 2026 at 11:40, Shop <a@b.example> wrote:
Am 03.02.2026 um 14:12 schrieb Shop:
Shop wrote:
-----Original Message-----
________________________________
From: Shop <a@b.example>
Sent: Monday, 2 February 2026
To: Anna
Subject: order
Date: 2 Feb 2026
--
---
Kind regards
Thanks,
LG
Mit freundlichen Grüßen
Tel. 0170 5550123
P.S. one more thing
Sent from my iPhone
This e-mail is confidential and intended for the recipient only. Delete it.
Agent: would you like to cancel it?
Customer: no, I would not
Customer:
[image: photo.jpg]
Follow us on Facebook
---------- Forwarded message ---------
Begin forwarded message:
cid:
:
a:
**
""".strip().splitlines()
WRITTEN = st.sampled_from(["", "", " ", "\u200b", "-- ", *LINES])
MAILS = st.builds(
    lambda lines, line_break: line_break.join(lines), st.lists(WRITTEN, max_size=14), st.sampled_from(["\n", "\r\n"])
)
TEXTS = st.one_of(MAILS, st.text(max_size=200), st.builds("{}\n{}".format, MAILS, st.text(max_size=60)))
MANY = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def parsed(text: str) -> Message:
    try:
        return parse(IncomingMessage(text=text))
    except InvalidQuery:
        assume(False)
        raise


@MANY
@given(TEXTS)
def test_own_and_separated_text_together_are_the_original(text: str) -> None:
    message = parsed(text)
    assert "".join(part.text for part in message.parts) == message.source
    if decode_text(text).text == text:
        assert message.source == text


@MANY
@given(TEXTS)
def test_spans_follow_one_another_without_gaps(text: str) -> None:
    message = parsed(text)
    offset = 0
    for part in message.parts:
        assert part.start == offset
        assert message.source[part.start : part.end] == part.text != ""
        offset = part.end
    assert offset == len(message.source)


@MANY
@given(TEXTS)
def test_own_text_is_the_text_of_the_own_parts(text: str) -> None:
    message = parsed(text)
    own = " ".join(part.text for part in message.parts if part.kind is PartKind.OWN)
    assert message.own.split() == own.split()


@MANY
@given(MAILS)
def test_parsing_own_text_again_changes_nothing(text: str) -> None:
    own = parsed(text).own
    assume(own)
    assert parse(IncomingMessage(text=own)).own == own


@MANY
@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=40), st.text(max_size=40))
def test_parsing_never_raises_but_for_invisible_text(text: str, html: str, subject: str, turn: str) -> None:
    for incoming in (
        IncomingMessage(text=text, html=html, subject=subject, transcript=(Turn(Role.CUSTOMER, turn),)),
        IncomingMessage(html=f"<div>{html}<blockquote>{text}</p>"),
        IncomingMessage(text=text, headers={subject: turn, "Auto-Submitted": turn}),
    ):
        try:
            message = parse(incoming)
        except InvalidQuery:
            continue
        assert "".join(part.text for part in message.parts) == message.source
