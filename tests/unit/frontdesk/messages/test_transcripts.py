"""Chat transcripts pasted as text."""

from __future__ import annotations

import pytest

from frontdesk.messages import IncomingMessage, PartKind, parse
from tests.support.own_text import own_text


@pytest.mark.parametrize(
    ("agent", "customer"),
    [
        ("Agent: ", "Customer: "),
        ("Support Bot: ", "Visitor: "),
        ("[10:02] Agent: ", "[10:03] Customer: "),
        ("10:02 AM Agent: ", "10:03 AM Customer: "),
        ("Agent (10:02): ", "Customer (10:03): "),
        ("Ines (Support): ", "Rosa (Customer): "),
        ("**Agent**: ", "**Customer**: "),
        ("[Agent] ", "[Customer] "),
        ("<agent> ", "<customer> "),
        ("Agent - ", "Customer - "),
        ("Agent 10:02\n", "Customer 10:03\n"),
        ("Agent:\n", "Customer:\n"),
        ("Mitarbeiterin: ", "Kunde: "),
        ("Conseiller : ", "Client : "),
        ("Agente: ", "Cliente: "),
        ("Atendente: ", "Cliente: "),
        ("Operatore: ", "Cliente: "),
        ("Medewerker: ", "Klant: "),
        ("Konsultant: ", "Klient: "),
        ("\u200e[04/02/26, 10:14:05] Lamp Support: ", "\u200e[04/02/26, 10:15:00] Rosa: "),
        ("You: ", "Me: "),
    ],
)
def test_the_lines_of_the_customer_are_own_text(agent: str, customer: str) -> None:
    text = f"{agent}Would you like to cancel it?\n{customer}¡No! In green.\n{agent}Cancel?\n{customer}Green please."
    assert own_text(text) == "¡No! In green. Green please."


def test_a_turn_of_several_lines_belongs_to_its_speaker() -> None:
    text = "Agent: Hello,\nshall we cancel it?\nCustomer: No,\nchange the colour.\nAgent: Sure."
    assert own_text(text) == "No, change the colour."


def test_a_transcript_on_one_line_is_split() -> None:
    assert own_text("Agent: hi Customer: my voucher fails Agent: cancel? Customer: no") == "my voucher fails no"


def test_text_above_and_below_a_transcript_is_own_text() -> None:
    text = "This is what your colleague said:\nMe: is it free?\nAgent: yes it is\n\nWhy was I charged?"
    assert own_text(text) == "This is what your colleague said: is it free? Why was I charged?"


def test_the_title_of_a_transcript_is_separated() -> None:
    text = "Chat transcript 4 Feb\nAgent: shall we cancel it?\nCustomer: please do not"
    message = parse(IncomingMessage(text=text))
    assert message.own == "please do not"
    assert message.parts[0].kind is PartKind.TRANSCRIPT


@pytest.mark.parametrize(
    "text",
    [
        "Customer: Rosa Quill\nOrder: 55810\nAgent: Tom\nProblem: broken glass",
        "Customer number: 4711\nAgent said cancel, I did not want it.",
        "Note: the lamp is broken\nColour: green",
        "Agent: hello",
    ],
)
def test_a_form_is_no_transcript(text: str) -> None:
    assert own_text(text) == " ".join(text.split())
