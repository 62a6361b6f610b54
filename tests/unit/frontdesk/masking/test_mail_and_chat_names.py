# ruff: noqa: E501  -- lists of texts read better unbroken
"""Names in heads of mails, in chats and in signatures."""

from __future__ import annotations

import pytest

from frontdesk.masking import mask

HEADS = [
    "From: {} [mailto:q.t@shop.example]\nSent: Tuesday, 3 June 2025\nSubject: x",
    "From: {} <q.t@shop.example>",
    "Von: {}\nGesendet: Dienstag, 3. Juni 2025\nAn: Kundendienst",
    "De : {} <q.t@shop.example>\nEnvoyé : mardi 3 juin\nÀ : service client",
    "De: {}\nEnviado el: martes, 3 de junio\nPara: Soporte",
    "Da: {}\nInviato: martedì 3 giugno\nA: Assistenza",
    "Van: {}\nVerzonden: dinsdag 3 juni\nAan: Klantenservice",
    "Od: {}\nWysłano: wtorek, 3 czerwca\nTemat: zwrot",
    "> From: {} <q.t@shop.example>\n> Date: 3 June",
    "On Tue, 3 Jun 2025 at 18:02, {} <q.t@shop.example> wrote:",
    "On Tue, 3 Jun 2025 at 18:02, {}\n<q.t@shop.example> wrote:",
    "Am 3. Juni 2025 um 18:02 schrieb {} <q.t@shop.example>:",
    "Am Di., 3. Juni 2025 um 18:02 Uhr hat {} <q.t@shop.example> geschrieben:",
    "{} <q.t@shop.example> schrieb am Di., 3. Juni 2025, 18:02:",
    "Le mar. 3 juin 2025 à 18:02, {} <q.t@shop.example> a écrit :",
    "El mar, 3 jun 2025 a las 18:02, {} (<q.t@shop.example>) escribió:",
    "Il giorno mar 3 giu 2025 alle ore 18:02 {} <q.t@shop.example> ha scritto:",
    "Em ter., 3 de jun. de 2025 às 18:02, {} <q.t@shop.example> escreveu:",
    "Op di 3 jun. 2025 om 18:02 schreef {} <q.t@shop.example>:",
    "Op 3 jun. 2025 om 18:02 heeft {} <q.t@shop.example> het volgende geschreven:",
    "wt., 3 cze 2025 o 18:02 {} <q.t@shop.example> napisał(a):",
    "[03.06.25, 18:02] {}: hello",
    "03/06/2025, 18:02 - {}: hello",
    "{} 18:02\nhello",
    "{} has joined the chat",
    "It broke.\n\nKind regards,\n{}\nHead of Purchasing\nSeldom Ltd",
    "Es ist kaputt.\n\nMit freundlichen Grüßen\n\ni. A. {}\nEinkauf",
    "C'est cassé.\n\nCordialement,\n{} | Directrice",
    "Het is stuk.\n\nMet vriendelijke groet,\n{}",
    "Está partido.\n\nAtenciosamente,\n{}",
    "Zepsute.\n\nZ poważaniem\n{}",
    "It broke.\n\n-- \n{}\nHead of Purchasing",
]
NAMES = ["Quirina Tolvasz", "Ödön Kštvan", "Tolvasz, Quirina", "Q. van der Tolvasz", "Ximo Tolvasz-Ørbæk"]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_a_head_a_chat_or_a_signature_is_masked(head: str, name: str) -> None:
    if "," in name and not head.startswith(("From", "Von", "De", "Da", "Van", "Od", "> From", "On", "Am 3")):
        pytest.skip("nobody signs with the surname first")
    text = head.format(name)
    masked = mask(text)
    assert not [part for part in name.replace(",", "").split() if len(part) > 3 and part in masked.text]
    assert masked.restore(masked.text) == text
    assert mask(masked.text).text == masked.text


def test_each_name_of_a_list_of_recipients_is_masked() -> None:
    text = "From: a@shop.example\nTo: Help Desk <h@shop.example>; Tolvasz, Quirina; Ximo Brandål\nCc: Q. Ørbæk, Ödön Kštvan"
    assert mask(text).text == ("From: [EMAIL_1]\nTo: Help Desk <[EMAIL_2]>; [NAME_1]; [NAME_2]\nCc: [NAME_3], [NAME_4]")


@pytest.mark.parametrize(
    "text",
    [
        "From: Shop Support\nTo: Claims\nSubject: Re: return",
        "To: be honest, this is not good. Cc: nobody",
        "Model: Seldom Two\nProblem: Screen cracked\nAddress: unknown",
        "Agent: How can I help?\nCustomer: My parcel is late.\nAgent: Sorry.",
        "Which is it?\n\nKind regards,\nCustomer Service Team",
        "A. Screen cracked\nB. Cable missing",
        "I take vitamin C. Please send more.",
        "U.S. Customs has it.",
    ],
)
def test_roles_labels_and_organisations_are_no_names(text: str) -> None:
    assert mask(text).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("J. K. Tolvasz ordered it.", "[NAME_1] ordered it."),
        ("Q.T. Ørbæk ordered it.", "[NAME_1] ordered it."),
        ("It was sent by T. Tolvasz yesterday.", "It was sent by [NAME_1] yesterday."),
        ("It broke.\n\nThanks,\nQT", "It broke.\n\nThanks,\n[NAME_1]"),
        ("It broke.\n\nQ. T.", "It broke.\n\n[NAME_1]"),
    ],
)
def test_names_with_initials_are_masked(text: str, expected: str) -> None:
    assert mask(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "Ben je morgen open?",
        "Dag, Ben ik te laat?",
        "Ben hala bekliyorum",
        "Kim aradı?",
        "Kim jest mój kurier?",
        "Jo, passt so",
        "jo, passt",
        "Roger that",
        "Roger. Danke",
        "Ella me dijo que llegaba hoy",
        "Linda loja",
        "The Rosalind serum leaked",
        "la table Élise est rayée",
    ],
)
def test_words_of_another_language_and_products_are_no_names(text: str) -> None:
    assert mask(text).text == text


@pytest.mark.parametrize(
    "text", ["Ben called me", "Kim, where is my parcel?", "my friend Kim has it", "Hi Jo,", "Ben Tolvasz rang"]
)
def test_the_same_words_are_names_where_a_person_is_meant(text: str) -> None:
    assert "[NAME_1]" in mask(text).text
