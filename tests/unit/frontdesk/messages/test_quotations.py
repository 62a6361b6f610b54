"""Quoted history and forwarded mail: what is separated, and what stays the customer's own text."""

from __future__ import annotations

import pytest

from frontdesk.messages import IncomingMessage, PartKind, parse
from tests.support.own_text import own_text

REPLY_HEADERS = {
    "en": "On Tue, 10 Mar 2026 at 09:14, Lamp Shop <help@lamps.example> wrote:",
    "en, American": "On Tue, Mar 10, 2026, 9:14 AM Lamp Shop <help@lamps.example> wrote:",
    "en, wrapped": "On Tue, 10 Mar 2026 at 09:14, Lamp Shop\n<help@lamps.example> wrote:",
    "en, date only": "2026-03-10 9:14 GMT+01:00 Lamp Shop <help@lamps.example>:",
    "de": "Am Di., 10. März 2026 um 09:14 Uhr schrieb Lamp Shop <help@lamps.example>:",
    "de, without address": "Am 10.03.2026 um 09:14 schrieb Lamp Shop:",
    "de, name first": "Lamp Shop <help@lamps.example> hat am Di., 10. März 2026 um 09:14 geschrieben:",
    "fr": "Le mar. 10 mars 2026 à 09:14, Lamp Shop <help@lamps.example> a écrit :",
    "fr, wrapped": "Le mar. 10 mars 2026 à 09:14, Lamp Shop <help@lamps.example> a\nécrit :",
    "fr, decomposed": "Le mar. 10 mars 2026 a\u0300 09:14, Lamp Shop <help@lamps.example> a e\u0301crit :",
    "es": "El mar, 10 mar 2026 a las 9:14, Lamp Shop (<help@lamps.example>) escribió:",
    "pt": "Em ter., 10 de mar. de 2026 às 09:14, Lamp Shop <help@lamps.example> escreveu:",
    "it": "Il giorno mar 10 mar 2026 alle ore 09:14 Lamp Shop <help@lamps.example> ha scritto:",
    "nl": "Op di 10 mrt 2026 om 09:14 schreef Lamp Shop <help@lamps.example>:",
    "nl, Apple": "Op 10 mrt. 2026 om 09:14 heeft Lamp Shop <help@lamps.example> het volgende geschreven:",
    "pl": "wt., 10 mar 2026 o 09:14 Lamp Shop <help@lamps.example> napisał(a):",
    "pl, Thunderbird": "W dniu 10.03.2026 o 09:14, Lamp Shop pisze:",
    "sv": "Den tis 10 mars 2026 kl 09:14 skrev Lamp Shop <help@lamps.example>:",
    "tr": "Lamp Shop <help@lamps.example>, 10 Mar 2026 Sal, 09:14 tarihinde şunu yazdı:",
    "en, Zoho": "---- On Tue, 10 Mar 2026 09:14:00 +0100 Lamp Shop <help@lamps.example> wrote ----",
    "ro": "Pe mar., 10 mar. 2026 la 09:14, Lamp Shop <help@lamps.example> a scris:",
    "ru": "вт, 10 мар. 2026 г. в 09:14, Lamp Shop <help@lamps.example>:",
    "ja": "2026年3月10日(火) 9:14 Lamp Shop <help@lamps.example>:",
    "zh": "Lamp Shop <help@lamps.example> 于2026年3月10日周二 09:14写道：",
}

HEADER_BLOCKS = {
    "en": "From: Lamp Shop <help@lamps.example>\nSent: Tuesday, 10 March 2026 09:14\nTo: Rosa\nSubject: RE: lamp",
    "en, bold": "*From:* Lamp Shop <h@lamps.example>\n*Sent:* Tuesday, 10 March 2026\n*To:* Rosa\n*Subject:* RE: lamp",
    "en, Cc on two lines": "From: Shop\nSent: Tuesday\nTo: a@x.example;\nb@x.example\nCc: c@x.example\nSubject: lamp",
    "de": "Von: Lamp Shop\nGesendet: Dienstag, 10. März 2026 09:14\nAn: Rosa\nBetreff: AW: Lampe",
    "de, GMX": 'Gesendet: Dienstag, 10. März 2026 um 09:14\nVon: "Lamp Shop"\nAn: "Rosa"\nBetreff: Lampe',
    "fr": "De : Lamp Shop\nEnvoyé : mardi 10 mars 2026 09:14\nÀ : Rosa\nObjet : lampe",
    "es": "De: Lamp Shop\nEnviado el: martes, 10 de marzo de 2026 9:14\nPara: Rosa\nAsunto: lámpara",
    "pt": "De: Lamp Shop\nEnviada em: terça-feira, 10 de março de 2026 09:14\nPara: Rosa\nAssunto: luminária",
    "it": "Da: Lamp Shop\nInviato: martedì 10 marzo 2026 09:14\nA: Rosa\nOggetto: lampada",
    "nl": "Van: Lamp Shop\nVerzonden: dinsdag 10 maart 2026 09:14\nAan: Rosa\nOnderwerp: lamp",
    "pl": "Od: Lamp Shop\nWysłano: wtorek, 10 marca 2026 09:14\nDo: Rosa\nTemat: lampa",
    "sv": "Från: Lamp Shop\nSkickat: den 10 mars 2026 09:14\nTill: Rosa\nÄmne: lampa",
}

MARKERS = [
    *("-----Original Message-----", "-------- Original message --------", "---- Original-Nachricht ----"),
    *("-----Ursprüngliche Nachricht-----", "-----Message d'origine-----", "-----Mensaje original-----"),
    *("-----Mensagem original-----", "-----Messaggio originale-----", "-----Oorspronkelijk bericht-----"),
    *("-----Wiadomość oryginalna-----", "##- Please type your reply above this line -##"),
    *("=-=-= Bitte antworten Sie oberhalb dieser Zeile =-=-=", "---------- Forwarded message ---------"),
    *(
        "Begin forwarded message:",
        "Anfang der weitergeleiteten Nachricht:",
        "-------- Weitergeleitete Nachricht --------",
    ),
    *("---------- Message transféré ----------", "---------- Mensagem encaminhada ---------"),
]


@pytest.mark.parametrize("header", REPLY_HEADERS.values(), ids=REPLY_HEADERS.keys())
@pytest.mark.parametrize("quoted", ["> Would you like to cancel?", "Would you like to cancel?"])
def test_a_reply_header_and_what_it_quotes_are_separated(header: str, quoted: str) -> None:
    assert own_text(f"Yes, do that.\n\n{header}\n\n{quoted}\n") == "Yes, do that."


@pytest.mark.parametrize("block", HEADER_BLOCKS.values(), ids=HEADER_BLOCKS.keys())
@pytest.mark.parametrize("above", ["", "________________________________\n"])
def test_a_header_block_and_what_it_quotes_are_separated(block: str, above: str) -> None:
    assert own_text(f"Yes, do that.\n\n{above}{block}\n\nWould you like to cancel?\n") == "Yes, do that."


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_line_and_what_follows_are_separated(marker: str) -> None:
    assert own_text(f"Yes, do that.\n\n{marker}\n\nWould you like to cancel?\n") == "Yes, do that."


def test_answers_between_and_below_quoted_lines_are_own_text() -> None:
    text = "On 2 Feb 2026 at 11:40, Shop <a@b.example> wrote:\n> Which colour?\nGreen.\n> Which size?\n\nLarge.\n"
    assert own_text(text) == "Green. Large."


def test_a_quoted_line_that_a_mail_server_wrapped_is_quoted_to_its_end() -> None:
    text = "Fine.\n> Dear customer, we have packed your lamp and will cancel the other\norder today\n> Best regards\n"
    assert own_text(text) == "Fine."


def test_an_answer_between_two_quoted_lines_is_not_taken_for_a_wrapped_line() -> None:
    text = "> Would you like a refund or do you prefer a replacement for the broken lamp?\nrefund\n> Thank you\n"
    assert own_text(text) == "refund"


def test_own_text_below_a_signature_and_a_quotation_is_found() -> None:
    text = "Cancel it.\n-- \nJoe\n\nOn 2 Feb 2026 at 11:40, Shop <a@b.example> wrote:\n> hi\n\nAnd send the invoice."
    assert own_text(text) == "Cancel it. And send the invoice."


def test_windows_line_ends_are_understood() -> None:
    assert own_text("No.\r\n\r\nOn 2 Feb 2026 at 11:40, Shop <a@b.example>\r\nwrote:\r\n\r\n> cancel?\r\n") == "No."


def test_forwarded_mail_has_its_own_kind() -> None:
    message = parse(IncomingMessage(text="Is this real?\n\nBegin forwarded message:\n\nFrom: x\nPay now."))
    assert [part.kind for part in message.parts] == [PartKind.OWN, PartKind.FORWARDED]


def test_the_header_of_the_message_itself_is_separated_from_its_text() -> None:
    text = "From: Rosa <r@x.example>\nTo: help@lamps.example\nSubject: lamp\nDate: 3 Feb 2026\n\nWhere is my lamp?"
    message = parse(IncomingMessage(text=text))
    assert message.own == "Where is my lamp?"
    assert message.parts[0].kind is PartKind.MAIL_HEADER


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (
            "Great, thanks! On Tue, 10 Mar 2026 at 09:14, Lamp Shop <help@lamps.example> wrote: > Dear customer",
            "Great, thanks!",
        ),
        (
            "Danke. Von: Lamp Shop <help@lamps.example> Gesendet: Dienstag, 10. März 2026 An: Rosa Betreff: Storno?",
            "Danke.",
        ),
        ("ok danke -----Ursprüngliche Nachricht----- Von: Lamp Shop An: mich Sollen wir stornieren?", "ok danke"),
    ],
)
def test_history_in_text_without_line_breaks_is_separated(text: str, own: str) -> None:
    assert own_text(text) == own


@pytest.mark.parametrize(
    "text",
    [
        "From: Leeds\nTo: York\nDate: 3 May\nIs express delivery possible?",
        "Name: Rosa\nEmail: rosa@x.example\nSubject: lamp\nMessage:\nWhere is my lamp?",
        "From: Rosa <rosa@x.example>\nSubject: Contact form\n\nMessage Body:\nWhere is my lamp?",
        "On Monday I wrote:\nplease cancel.\nWhy is it still active?",
        "Am 3. März 2026 habe ich Ihnen geschrieben:\nWo ist mein Paket?\nKeine Antwort!",
        "> 30 days have passed and no refund",
        "hello\n\n---\n\nwhere is my lamp?",
        "my mail is <rosa@x.example>, send it there before 10:30",
        "Price < 20 and > 10 please",
    ],
)
def test_text_that_only_looks_like_a_header_is_own_text(text: str) -> None:
    assert own_text(text) == " ".join(text.split())


def test_a_sentence_quoted_by_the_customer_ends_with_its_paragraph() -> None:
    text = 'On 2 Feb 2026 at 11:40 your colleague Ines wrote:\n"it will arrive on Friday"\nIt did not arrive.'
    assert own_text(text) == "It did not arrive."
