"""Closing formulas, names and contact lines."""

from __future__ import annotations

import pytest

from frontdesk.messages import IncomingMessage, PartKind, parse
from tests.support.own_text import own_text

BODY = "Where is my lamp?"
SIGNATURES = [
    *(
        "Kind regards\nRosa Quill",
        "Best,\nTom",
        "Yours faithfully,\n\nMrs J. P. Whitcombe",
        "Many thanks in advance and kind regards,\nRosa",
    ),
    *("Thanks,\nRosa", "Thanks, Rosa", "Cheers\nTom", "regards tom", "All the best\nrosa"),
    *(
        "Mit freundlichen Grüßen\n\nBernd Ostermeyer\nOstermeyer Gartenbau GmbH\nTel.: 0201 / 555 01 22",
        "LG",
        "VG Tim",
        "Viele Grüße aus Köln\nUte",
    ),
    *(
        "Danke und viele Grüße\nSven",
        "Mit freundlichem Gruß\nDr. med. Ute Sander\nFachärztin für Innere Medizin\nMarktplatz 1, 12345 Ort",
    ),
    *("Bien cordialement\n\nM. Lefèvre\n06 12 34 56 78", "Cordialement,\nFirmin Delacour\nResponsable magasin"),
    "Je vous prie d'agréer l'expression de mes salutations distinguées.\n\nJean Garnier\n14 rue Basse\n59000 Lille",
    *(
        "Un cordial saludo,\n\nLuz Marina",
        "Atentamente\nJoaquín Ferrández\nDpto. de Compras",
        "Com os melhores cumprimentos,\nFilipa Quaresma",
    ),
    *(
        "Distinti saluti\nFabrizio Montecchi",
        "Grazie\nPaolo",
        "Met vriendelijke groet,\nMachteld Hoekstra",
        "Groetjes Roos",
    ),
    *(
        "Z poważaniem\nKrystyna Zawadzka",
        "Pozdrawiam serdecznie,\nDobrosława Lis\ntel. 555 010 203",
        "Med vänliga hälsningar\nBjörn",
    ),
    *("Cumps,\nNuno", "Ta very much,\nJo", "- Tadhg", "~Margo", "*****\nHarbour Cafe\n12 Quay St, Falmouth\n*****"),
    *("S pozdravem\nJana Nováková", "Saygılarımla,\nEmre Yılmaz"),
    *(
        "-- \nWietske\n06 5550 1234",
        '--\nJoe Bloggs\n"Be yourself; everyone else is taken." - Oscar Wilde',
        "Anna",
        "Anna Kern\nPurchasing",
    ),
]


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_signature_is_separated(signature: str) -> None:
    message = parse(IncomingMessage(text=f"{BODY}\n\n{signature}\n"))
    assert message.own == BODY
    assert message.parts[-1].kind is PartKind.SIGNATURE


@pytest.mark.parametrize(
    "below", ["PS: I need it by Friday.", "P.S. the box is open", "Is that possible by Friday?", "Order 70201"]
)
def test_what_a_customer_writes_below_the_name_is_own_text(below: str) -> None:
    assert own_text(f"{BODY}\n\nThanks,\nRosa Quill\n{below}") == f"{BODY} {below}"
    assert own_text(f"{BODY}\n\nThanks,\nRosa Quill\n\n{below}") == f"{BODY} {below}"


@pytest.mark.parametrize(
    "text",
    [
        "Thanks,\nRosa",
        "Saludos, quisiera saber cuándo llega mi pedido",
        "Hola\nSaludos,\nquisiera saber cuándo llega",
        "I'd like to order the following:\n\nRed Chair\nBlue Table",
        "Which one is it?\n\nRed Chair",
        "Can I still change it?\n\nThank you",
        "first question\n--\nsecond question: when do you open?",
        "Where is it? Thanks, Rosa",
        "Please give him my kind regards and call me.",
        "Please call me.\nTel. 0170 5550123",
    ],
)
def test_text_that_only_looks_like_a_signature_is_own_text(text: str) -> None:
    assert own_text(text) == " ".join(text.split())
