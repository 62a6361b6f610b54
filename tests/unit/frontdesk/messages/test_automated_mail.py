"""Mail that a program wrote, by header fields and by text."""

from __future__ import annotations

import pytest

from frontdesk.messages import HEADER_NAMES, Act, IncomingMessage, parse

AUTOMATED = [
    "Automatic reply: I am out of the office until 16 March with no access to my mail.",
    "I am out of the office until Monday 3 March.",
    "Hello, I'm currently out of the office with limited access to email. I will reply when I return.",
    "Out of Office\n\nI am away until 3 March. Please contact sales@x.example.",
    "Auto-Reply: Thanks for your message! Need help sooner? Visit our help centre.",
    "Hallo, vielen Dank für Ihre Nachricht. Ich bin bis 20.2. im Urlaub und habe keinen Zugriff auf meine Mails.",
    "Abwesenheitsnotiz: Ich bin ab dem 3. März wieder erreichbar.",
    "Réponse automatique : je suis absente jusqu'au 12 mars.",
    "Estoy de vacaciones hasta el 20 de febrero. Para temas urgentes pueden contactar con oficina@x.example.",
    "Resposta automática: estou de férias até 20 de fevereiro.",
    "Assente\n\nSono in ferie fino al 3 marzo. Per urgenze contattare ufficio@x.example",
    "Ik ben afwezig tot en met 20 februari. Bij dringende zaken kunt u contact opnemen met mijn collega.",
    "Jestem na urlopie do 20 lutego. W pilnych sprawach proszę o kontakt z sekretariatem.",
    "This is the mail system at host mx.x.example. Your message could not be delivered. 550 5.1.1 user unknown.",
    "Delivery has failed to these recipients or groups:\n\nrosa@x.example\nThe address couldn't be found.",
    "Ihre Nachricht an rosa@x.example konnte nicht zugestellt werden.\n\n550 5.1.1 Postfach nicht gefunden.",
    "Your message\n\nTo: Shop\nSubject: Your order\n\nwas read on 3 Feb 2026 10:00",
    "[Ticket #4711] We have received your request and will answer within 24 hours.",
    "Your ticket has been created. Ticket number: 1234. Our team will get back to you shortly.",
    "This is an automated message. Please do not reply.",
    "Thank you for your email. We will be in touch within two days.",
    "Vielen Dank für Ihre Email. Wir kümmern uns schnellstmöglich darum.",
    "Gracias por su correo. Le responderemos pronto.",
    "Estoy de vacaciones hasta el lunes. A mi vuelta le escribo.",
    "Il tuo email non può essere consegnato. Postmaster",
    "Guten Tag, vielen Dank für Ihre Anfrage. Wir haben Ihre Nachricht erhalten und melden uns in 24 Stunden.",
    "Nous avons bien reçu votre demande. Merci de ne pas répondre à ce message automatique.",
    "Hemos recibido su solicitud. Este es un mensaje automático, por favor no responda.",
    "Abbiamo ricevuto la sua richiesta. Questo messaggio è stato generato automaticamente.",
    "Dziękujemy za wiadomość. Zgłoszenie zostało zarejestrowane, numer zgłoszenia 77120.",
]
REQUESTS = [
    "I am on holiday until Friday so leave it with the neighbour",
    "I am out of the office until Monday, can you deliver on Tuesday instead?",
    "Ich bin bis 20.2. im Urlaub, bitte liefern Sie danach.",
    "Bonjour, je suis absent jusqu'au 12. Merci de livrer après.",
    "Ik ben op vakantie tot 3 maart. Kan mijn pakket later komen?",
    "Buonasera, sono in ferie fino al 18: potete consegnare il mio pacco al vicino?",
    'Automatic reply: "I am out of the office" - that is what I got from you. Who can help me?',
    "I wrote to you and only got an automatic reply that somebody is out of the office.",
    "You wrote 'We have received your request' a week ago. Still nothing!",
    "We have received your invoice 4711 but the VAT is wrong, please correct it within 3 days.",
    "Thank you for your email. My ticket number is 4711, nobody replied within 2 days.",
    "Thank you for your message. The lamp works now.",
    "Vielen Dank für Ihre Nachricht, die Lampe ist nun da.",
    "Your parcel could not be delivered, says the courier. What now?",
    "Mail delivery failed when I wrote to you. What is the right address?",
    "Delivery failure: parcel 55810 never arrived, I want my money back",
    "Read: your terms say 14 days. I want my money back.",
    "Out of stock? When is it back?",
]
AUTOMATED_HEADERS = [
    {"Auto-Submitted": "auto-replied"},
    {"auto-submitted": "auto-generated; owner-email=x@y.example"},
    {"Precedence": "bulk"},
    {"Precedence": "auto_reply"},
    {"Precedence": "list"},
    {"X-Autoreply": "yes"},
    {"X-Autorespond": "Re: lamp"},
    {"X-Auto-Response-Suppress": "DR, OOF, AutoReply"},
    {"List-Id": "<news.lamps.example>"},
    {"List-Unsubscribe": "<mailto:leave@lamps.example>"},
    {"Return-Path": "<>"},
    {"X-Failed-Recipients": "rosa@x.example"},
    {"Content-Type": "multipart/report; report-type=delivery-status"},
    {"From": "Mail Delivery System <MAILER-DAEMON@mx.x.example>"},
]
ORDINARY_HEADERS = [
    {},
    {"Auto-Submitted": "no"},
    {"X-Autoreply": "no"},
    {"Precedence": "normal"},
    {"Return-Path": "<rosa@x.example>"},
    {"From": "Rosa <rosa@x.example>", "Content-Type": "multipart/alternative"},
    {"Precedence": "list", "List-Id": "<help.lamps.example>", "X-Google-Group-Id": "4711"},
    {"X-Auto-Response-Suppress": "RN"},
    {"X-Spam-Score": "bulk"},
]


@pytest.mark.parametrize("text", AUTOMATED)
def test_automated_mail_is_recognized_by_its_text(text: str) -> None:
    assert parse(IncomingMessage(text=text)).act is Act.AUTOMATED_MAIL


@pytest.mark.parametrize("text", REQUESTS)
def test_a_customer_who_writes_about_automated_mail_makes_a_request(text: str) -> None:
    assert parse(IncomingMessage(text=text)).act is Act.REQUEST


@pytest.mark.parametrize("headers", AUTOMATED_HEADERS, ids=str)
def test_automated_mail_is_recognized_by_its_headers(headers: dict[str, str]) -> None:
    assert parse(IncomingMessage(text="Where is my lamp?", headers=headers)).act is Act.AUTOMATED_MAIL
    assert {name.lower() for name in headers} <= HEADER_NAMES


@pytest.mark.parametrize("headers", ORDINARY_HEADERS, ids=str)
def test_ordinary_headers_make_no_automated_mail(headers: dict[str, str]) -> None:
    assert parse(IncomingMessage(text="Where is my lamp?", headers=headers)).act is Act.REQUEST


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: your lamp",
        "Undelivered Mail Returned to Sender",
        "Abwesenheitsnotiz",
        "Lesebestätigung: Lampe",
        "Conferma di lettura: lampada",
        "RÃ©ponse automatique : lampe",
    ],
)
def test_the_subject_of_automated_mail_decides(subject: str) -> None:
    assert parse(IncomingMessage(text="Back on Monday.", subject=subject)).act is Act.AUTOMATED_MAIL


@pytest.mark.parametrize(
    "subject", ["Re: Automatic reply: your lamp", "Automatic lamps", "Read the terms", "Out of office chair"]
)
def test_an_answer_to_automated_mail_is_a_request(subject: str) -> None:
    assert parse(IncomingMessage(text="That is no answer.", subject=subject)).act is Act.REQUEST


def test_automated_mail_in_a_quotation_does_not_count() -> None:
    text = "Who can help instead?\n\nOn 2 Feb 2026 at 11:40, Shop <a@b.example> wrote:\n> Automatic reply: away"
    assert parse(IncomingMessage(text=text)).act is Act.REQUEST
