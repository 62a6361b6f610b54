"""What parsing costs in CPU time: ordinary messages, a large mail, hostile input.

Limits hold on the reference machine of `tests.support.machine_speed` and are scaled by the speed of this one. `MARGIN`
allows for noise. Each figure is the best of several repetitions.
"""

from __future__ import annotations

import contextlib
import time

import pytest

from frontdesk.errors import InvalidQuery
from frontdesk.masking.masked_message import mask_message, mask_message_steps, mask_other_parts_steps
from frontdesk.messages import IncomingMessage, Message, parse
from tests.support.machine_speed import slowness

CHAT_LIMIT_MS = 0.05
HTML_LIMIT_MS = 1.0
HOSTILE_LIMIT_MS = 50.0
MARGIN = 3
SIZE = 64 * 1024

CHAT = (
    "Hello, I ordered a floor lamp on Monday and the tracking page still says that the label was created. "
    "Could you tell me when it will arrive? The order number is 70312."
)


def outlook_mail() -> str:
    """A mail of 20 kB as Outlook writes it: a style sheet, ten own paragraphs, a long quotation."""

    def paragraph(text: str) -> str:
        style = "font-size:11.0pt;font-family:&quot;Calibri&quot;,sans-serif;color:#1F497D;mso-fareast-language:EN-US"
        return f'<p class="MsoNormal"><span lang="DE" style="{style}">{text}<o:p></o:p></span></p>\n'

    rule = '{margin:0cm; font-size:11.0pt; font-family:"Calibri",sans-serif; mso-ligatures:standardcontextual;}'
    style_sheet = (
        "<style><!-- " + "".join(f"p.Mso{number}, li.Mso{number} {rule} " for number in range(70)) + " --></style>"
    )
    own = [
        "Guten Tag,",
        "&nbsp;",
        "der Schirm fehlt. K&ouml;nnen Sie ihn nachsenden?",
        "Mit freundlichen Gr&uuml;&szlig;en",
        "Ute",
    ]
    block = (
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
        '<p class="MsoNormal"><b>Von:</b> Laden'
        "<br><b>Gesendet:</b> Montag, 2. Februar 2026 10:00<br><b>An:</b> Ute<br><b>Betreff:</b> AW: Lampe</p></div>"
    )
    quoted = [f"Zu Punkt {number}: die Ware wurde heute an Sie verschickt." for number in range(45)]
    body = "".join(map(paragraph, own)) + block + "".join(map(paragraph, quoted))
    return f'<html><head>{style_sheet}</head><body><div class="WordSection1">{body}</div></body></html>'


def repeated(unit: str) -> str:
    return unit * (SIZE // len(unit))


HOSTILE_TEXTS = [
    *(
        "\n",
        " ",
        ">",
        "<",
        "-",
        "_",
        "=",
        "1",
        "a\n",
        "> a\n",
        "> a\nb\n",
        ">> a\n\n",
        "--\na\n",
        "_____\n",
        "a:\n",
        "A: b\n",
    ),
    *(
        "On ",
        "On 1 Jan 2026 at 10:00, a wrote\n",
        "On 1 Jan 2026 at 10:00, a wrote:\n",
        "On 1 Jan 2026 at 10:00, <a@b.de> x:\n",
    ),
    *(
        "Am a schrieb ",
        "<a@b.de> wrote:",
        "<a@b ",
        "From: a\n",
        "From: a\nb\nDate: c\n",
        "--- original messag ---\n",
        "Sent: a From: b ",
    ),
    *(
        "Agent: a b c d\nCustomer: b c d e\n",
        "Agent: a Customer: b ",
        "Agent - a\n",
        "[Agent] a\n",
        "hello\nBest regards\nAnna\n",
    ),
    *(
        "thanks ",
        "hello you.\nThanks,\nAnna\n\n",
        "sent from my ",
        "Sent from my iPhone\n",
        "This email\n\n",
        "This email " + "a " * 300 + "\n",
    ),
    *(
        "confidential recipient\n\n",
        "I am ",
        "Thank you for your message. ",
        "we have received ",
        "hello, ",
        "é",
        "e\u0301",
        "\u202e",
    ),
    *(
        "\u200b",
        "\u200ba",
        "ä\u00a0ö\n",
        "Ã© ñ ",
        "Ã© ñ\n",
        "â€™",
        "&amp;",
        "&amp;amp;nbsp; ",
        "a<br>",
        "a@",
        "www.",
        "[",
        "( a",
        "A-",
        "10:10 ",
    ),
    *("Ich bin 1." + "1." * 200 + "1", "I am " + "1. " * 200, "Your message " + "1.a" * 200, "Sono " + "1." * 200),
    *("=C3=BC", "= ", "\r", "\u2028a", "jan mar ", "<div>a</div>\n"),
]
HOSTILE_HTML = [
    *(
        "<div>",
        "<b>",
        "<font><p>",
        "<a>",
        "<table>",
        "<table><tr><td>",
        "<blockquote>",
        "<blockquote>x</blockquote>",
        "<",
        "<!--",
    ),
    *(
        "<b><i><p></b></i>",
        "<li>",
        "<ul>",
        "<h1>x",
        "<span>",
        "<p>x",
        "<br>",
        "<style>",
        "<script",
        "<a@",
        "<p>Ã© ñ",
        "<td>",
        "<pre>\n",
    ),
    *(
        '<p style="display:none">x</p>',
        "<img alt=x>",
        "<section>",
        "<xyz>",
        "<dl><dd>",
        "<select><option>",
        "<div></p>",
        "&amp;",
    ),
    *("<a><b><i><div>", "<svg><p>", "<template>", "<form><p>", "<button>x", "<nobr>x"),
]
MANY_ATTRIBUTES = "<a " + " ".join(f"a{number}" for number in range(9_000)) + ">x"


def cost_ms(incoming: IncomingMessage, times: int, repetitions: int) -> float:
    """The CPU time of parsing a message, as it would be on the reference machine."""
    best = float("inf")
    for _ in range(repetitions):
        start = time.process_time()
        for _ in range(times):
            with contextlib.suppress(InvalidQuery):
                parse(incoming)
        best = min(best, (time.process_time() - start) / times * 1000)
    return best / slowness()


def test_a_chat_message_costs_little() -> None:
    assert cost_ms(IncomingMessage(text=CHAT), 200, 10) <= CHAT_LIMIT_MS * MARGIN


def test_a_large_html_mail_costs_little() -> None:
    mail = outlook_mail()
    assert 18_000 <= len(mail) <= 24_000
    assert parse(IncomingMessage(html=mail)).own.endswith("nachsenden?")
    assert cost_ms(IncomingMessage(html=mail), 5, 10) <= HTML_LIMIT_MS * MARGIN


@pytest.mark.parametrize("unit", HOSTILE_TEXTS, ids=repr)
def test_hostile_text_does_not_block(unit: str) -> None:
    assert cost_ms(IncomingMessage(text=repeated(unit)), 1, 3) <= HOSTILE_LIMIT_MS * MARGIN


@pytest.mark.parametrize("unit", HOSTILE_HTML, ids=repr)
def test_hostile_html_does_not_block(unit: str) -> None:
    assert cost_ms(IncomingMessage(html=repeated(unit)), 1, 3) <= HOSTILE_LIMIT_MS * MARGIN


def test_a_tag_with_thousands_of_attributes_does_not_block() -> None:
    assert cost_ms(IncomingMessage(html=MANY_ATTRIBUTES), 1, 3) <= HOSTILE_LIMIT_MS * MARGIN


def test_a_mixture_of_many_forms_does_not_block() -> None:
    mixture = "".join(unit * 40 for unit in HOSTILE_TEXTS)
    assert cost_ms(IncomingMessage(text=mixture[:SIZE]), 1, 3) <= HOSTILE_LIMIT_MS * MARGIN


QUOTED_UNITS = [
    "> On Monday I wrote to Anna Miller about order 48213, call 0171 555 0199.\n",
    "> 0 0 0 , via ",
    "> 4111 1111 1111 1111 ",
    "> Dear Ms X, Anna, Tom\n",
    "> a@b.c ",
    "> https://shop.example/?token=1 ",
    "> 1.1",
    "> \u00e4",
]


DISTINCT_VALUES = {
    "orders": "> call 0171 555 {0:04} about order 7{0:04}\n",
    "addresses": "a{0}@b.co ",
    "addresses in text that is not ASCII": "a{0}@b.co \u00e4 ",
    "addresses and typed placeholders": "[NAME_{0}] a{0}@b.co ",
}


@pytest.mark.parametrize("unit", QUOTED_UNITS, ids=repr)
def test_masking_of_a_long_mail_yields_to_the_event_loop(unit: str) -> None:
    assert _longest_step_ms_of_quotation(repeated(unit)) <= HOSTILE_LIMIT_MS * slowness()


@pytest.mark.parametrize("unit", DISTINCT_VALUES.values(), ids=DISTINCT_VALUES.keys())
def test_masking_of_thousands_of_distinct_values_yields_to_the_event_loop(unit: str) -> None:
    quoted = "> " + "".join(map(unit.format, range(SIZE // len(unit))))
    assert _longest_step_ms_of_quotation(quoted) <= HOSTILE_LIMIT_MS * slowness()


def _longest_step_ms_of_quotation(quoted: str) -> float:
    head = "Where is it?\n\nOn 3 May 2026 at 10:00, Shop <help@shop.example> wrote:\n"
    message = parse(IncomingMessage(head + quoted))
    return min(_longest_step_ms(message) for _ in range(3))


def _longest_step_ms(message: Message) -> float:
    """CPU time of the longest step of masking the own text, then the other parts."""
    longest = 0.0
    for is_other_parts in (False, True):
        steps = mask_other_parts_steps(mask_message(message)) if is_other_parts else mask_message_steps(message)
        finished = False
        while not finished:
            before = time.thread_time()
            finished = next(steps, StopIteration) is StopIteration
            longest = max(longest, (time.thread_time() - before) * 1000)
    return longest
