"""The parser as a whole: fields of a message, parts, acts, errors."""

from __future__ import annotations

import pytest

from frontdesk.errors import InvalidQuery
from frontdesk.messages import Act, IncomingMessage, PartKind, Role, Turn, parse
from frontdesk.messages.parser import MAX_CHARACTERS

SIGNATURE = "--\nRosa Quill\nTel. 0170 5550123"


def kinds(incoming: IncomingMessage) -> list[PartKind]:
    return [part.kind for part in parse(incoming).parts]


def test_plain_text_is_one_own_part() -> None:
    message = parse(IncomingMessage(text="Where is my lamp?"))
    assert message.own == message.source == "Where is my lamp?"
    assert message.act is Act.REQUEST
    assert [(part.kind, part.start, part.end) for part in message.parts] == [(PartKind.OWN, 0, 17)]


def test_each_part_has_its_kind_and_place() -> None:
    text = (
        "Cancel it.\n\nRegards\nRosa\n\nSent from my iPhone\n\nOn 2 Feb 2026 at 11:40, Shop <a@b.example> wrote:\n> hi"
    )
    message = parse(IncomingMessage(text=text))
    assert [part.kind for part in message.parts] == [
        *(PartKind.OWN, PartKind.SIGNATURE, PartKind.FOOTER, PartKind.QUOTATION)
    ]
    assert "".join(part.text for part in message.parts) == text
    assert all(text[part.start : part.end] == part.text for part in message.parts)


@pytest.mark.parametrize("field", ["text", "html", "subject"])
@pytest.mark.parametrize("blank", ["", " \n", "\u200b\u2800\u3164"])
def test_a_message_without_a_visible_character_is_refused(field: str, blank: str) -> None:
    with pytest.raises(InvalidQuery) as error:
        parse(IncomingMessage(**{field: blank}))
    assert error.value.violations == (("text", "has no visible character"),)


@pytest.mark.parametrize(
    "text",
    [
        "> Would you like to cancel?",
        "On 2 Feb 2026 at 11:40, Shop <a@b.example> wrote:\n\n> Would you like to cancel?",
        "---------- Forwarded message ---------\nFrom: Shop\nSubject: order\n\nYour lamp is ready.",
        "##- Please type your reply above this line -##\n\nYour request has been updated.",
        SIGNATURE,
        "Best regards,\nRosa\n\nOn 2 Feb 2026 at 11:40, Shop <a@b.example> wrote:\n> hi",
        "Sent from my iPhone",
        "[image: photo.jpg]",
    ],
)
def test_a_mail_without_an_own_part_is_empty(text: str) -> None:
    message = parse(IncomingMessage(text=text))
    assert message.act is Act.EMPTY
    assert message.own == ""


def test_html_is_preferred_to_text() -> None:
    assert parse(IncomingMessage(text="View this mail in a browser", html="<p>Where is it?</p>")).own == "Where is it?"


def test_text_is_used_where_html_shows_nothing() -> None:
    assert parse(IncomingMessage(text="Where is it?", html="<p>&nbsp;</p>")).own == "Where is it?"


def test_a_subject_is_own_text_where_there_is_no_other() -> None:
    message = parse(IncomingMessage(text=SIGNATURE, subject="Please cancel order 55810"))
    assert message.own == "Please cancel order 55810"
    assert [part.kind for part in message.parts] == [PartKind.SUBJECT, PartKind.SIGNATURE]
    assert message.source == "".join(part.text for part in message.parts)


def test_a_text_that_points_to_the_subject_is_joined_with_it() -> None:
    assert (
        parse(IncomingMessage(text="See subject.", subject="Where is my lamp?")).own
        == "Where is my lamp?\nSee subject."
    )


@pytest.mark.parametrize("subject", ["Re: your lamp", "AW: Ihre Lampe", "Fwd: lamp", "TR : lampe"])
def test_a_subject_that_a_mail_program_wrote_is_not_own_text(subject: str) -> None:
    assert parse(IncomingMessage(text=SIGNATURE, subject=subject)).act is Act.EMPTY


def test_a_subject_beside_own_text_is_not_evaluated() -> None:
    assert parse(IncomingMessage(text="Where is it?", subject="Urgent lawyer")).own == "Where is it?"


TURNS = (
    Turn(Role.AGENT, "Would you like to cancel?"),
    Turn(Role.CUSTOMER, "No, I want it in green."),
    Turn(Role.AGENT, "Cancel?"),
    Turn(Role.CUSTOMER, "Green please."),
)


def test_turns_of_the_customer_are_own_text_where_there_is_no_other() -> None:
    message = parse(IncomingMessage(transcript=TURNS))
    assert message.own == "No, I want it in green.\nGreen please."
    assert set(kinds(IncomingMessage(transcript=TURNS))) == {PartKind.OWN, PartKind.TRANSCRIPT}


def test_turns_before_a_text_are_history() -> None:
    assert parse(IncomingMessage(text="And cheap.", transcript=TURNS)).own == "And cheap."


def test_turns_of_the_agent_alone_are_empty() -> None:
    assert parse(IncomingMessage(transcript=TURNS[:1])).act is Act.EMPTY


def test_much_more_text_than_is_accepted_is_left_whole() -> None:
    text = "Where is my lamp?\n" * (MAX_CHARACTERS // 10) + "\nRegards\nRosa"
    assert parse(IncomingMessage(text=text)).own == text.strip()


def test_texts_stay_out_of_logs() -> None:
    incoming = IncomingMessage(
        text="secret lamp", html="<p>secret", subject="secret", transcript=(Turn(Role.AGENT, "secret"),)
    )
    assert "secret" not in repr(incoming)
    assert "secret" not in repr(parse(incoming))
