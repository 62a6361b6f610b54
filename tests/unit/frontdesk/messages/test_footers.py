"""Lines of phones and mail programs, disclaimers, company details, banners, placeholders of pictures."""

from __future__ import annotations

import pytest

from frontdesk.messages import Act, IncomingMessage, PartKind, parse
from tests.support.own_text import own_text

DEVICE_FOOTERS = [
    *(
        "Sent from my iPhone",
        "E-mail sent from my iPhone",
        "Sent from my Galaxy",
        "Sent from Mail for Windows",
        "Sent from Yahoo Mail on Android",
    ),
    *(
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Sent with Proton Mail secure email.",
        "Sent from my phone, excuse typos",
    ),
    *("Von meinem iPhone gesendet", "Gesendet mit der GMX Mail App", "Holen Sie sich Outlook für Android"),
    "Diese Nachricht wurde von meinem Android-Gerät mit WEB.DE Mail gesendet.",
    *("Envoyé de mon iPhone", "Envoyé depuis mon mobile", "Télécharger Outlook pour iOS"),
    *("Enviado desde mi iPhone", "Enviado desde mi Samsung Mobile", "Obtener Outlook para Android"),
    *("Enviado do meu iPhone", "Enviado a partir do meu smartphone Samsung", "Obter o Outlook para iOS"),
    *("Inviato da iPhone", "Inviato dal mio dispositivo Samsung", "Scarica Outlook per iOS"),
    *("Verzonden vanaf mijn iPhone", "Verstuurd vanaf mijn Samsung", "Outlook voor Android downloaden"),
    *("Wysłane z iPhone'a", "Wysłano z telefonu Samsung", "Skickat från min iPhone", "Sendt fra min iPhone"),
    *("iPhone'umdan gönderildi", "Lähetetty iPhonesta", "Отправлено с iPhone", "iPhoneから送信", "发自我的iPhone"),
]
DISCLAIMERS = [
    "This e-mail and its attachments are confidential. If you are not the intended recipient, delete it.",
    "CONFIDENTIALITY NOTICE: the content is privileged. Unauthorised disclosure is prohibited.",
    "Diese Nachricht ist vertraulich. Falls Sie nicht der Empfänger sind, löschen Sie sie bitte.",
    "Ce message est confidentiel et destiné exclusivement à son destinataire.",
    "Este mensaje es confidencial. Si lo ha recibido por error, elimínelo y avise al remitente.",
    "Esta mensagem é confidencial. Se a recebeu por engano, elimine-a e avise o remetente.",
    "Questo messaggio è riservato. Se non siete il destinatario, cancellatelo.",
    "Dit bericht is vertrouwelijk en uitsluitend bestemd voor de geadresseerde.",
    "Ta wiadomość jest poufna. Jeśli nie jest Pan adresatem, prosimy ją usunąć.",
    "De conformidad con el RGPD, le informamos de que sus datos personales serán tratados por Lámparas S.L.",
    "Virus-free. www.scanner.example",
    "Please consider the environment before printing this mail.",
    "Bitte denken Sie an die Umwelt, bevor Sie diese Mail drucken.",
    "Follow us on Facebook and Instagram!",
    "Hinweise zum Datenschutz: https://lamps.example/datenschutz",
    "Company registered in Leeds, regulated by the Lamp Authority.",
    "Geschäftsführer: Ute Kern, Amtsgericht Essen, HRB 99871",
]
PLACEHOLDERS = [
    "[image: photo.jpg]",
    "[cid:image001.png@01DA5C3E.2B4E]",
    "<attached: 0001-PHOTO.jpg>",
    "<Media omitted>",
]


@pytest.mark.parametrize("footer", [*DEVICE_FOOTERS, *DISCLAIMERS])
def test_a_footer_is_separated(footer: str) -> None:
    message = parse(IncomingMessage(text=f"Do you ship to Malta?\n\n{footer}"))
    assert message.own == "Do you ship to Malta?"
    assert message.parts[-1].kind is PartKind.FOOTER


def test_a_banner_above_the_text_is_separated() -> None:
    banner = "CAUTION: This email originated from outside of the organization. Do not click links."
    assert own_text(f"{banner}\n\nDo you ship to Malta?") == "Do you ship to Malta?"


def test_a_disclaimer_of_several_paragraphs_is_separated_whole() -> None:
    text = (
        "Send it.\n\nThis e-mail is confidential and intended for the recipient.\n\n"
        "The sender accepts no liability for viruses in attachments."
    )
    assert own_text(text) == "Send it."


def test_legal_text_below_a_signature_needs_no_known_beginning() -> None:
    text = "Send it.\n\nRegards\nRosa Quill\n\nOur mail may be privileged, delete it if received in error."
    assert own_text(text) == "Send it."


@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_the_placeholder_of_a_picture_is_no_text(placeholder: str) -> None:
    assert own_text(f"Look:\n{placeholder}") == "Look:"
    assert parse(IncomingMessage(text=placeholder)).act is Act.EMPTY


@pytest.mark.parametrize(
    "text",
    [
        "Sent from my old address, so you may not find the order.",
        "Please cancel.\nSent from my phone by mistake yesterday",
        "Unsubscribe me from the newsletter please",
        "Follow us on Instagram is what your mail says, but is the link dead?",
        "Diese Nachricht ist für Ihren Chef bestimmt. Ich will mein Geld zurück!",
        "Please delete my account. I did not authorise the use of my confidential information.",
        "Bitte löschen Sie meine Daten. Vertrauliche Informationen wurden an einen falschen Empfänger weitergegeben!",
        "Guten Tag,\n\nbitte löschen Sie meine Daten. Vertrauliche Anlagen gingen an falsche Empfänger, Weitergabe!",
        "CONFIDENTIAL: my account was hacked, delete the card now",
        "This email is about my broken lamp. If you are the wrong person, forward it to the sender of the parcel.",
    ],
)
def test_a_sentence_that_begins_like_a_footer_is_own_text(text: str) -> None:
    assert own_text(text) == " ".join(text.split())


BANNERS = [
    "[EXTERNAL] Be careful with links: this mail was not written by a colleague.",
    "[External sender]: do not open attachments.",
    "EXTERNAL E-MAIL: report phishing and fraud to the help desk immediately.",
    "CAUTION: This e-mail originated from outside of the organisation. Hackers write such mails.",
    "This message came from outside the company. Beware of fraud.",
    "ACHTUNG: Diese E-Mail stammt von einem externen Absender!",
    "Diese Nachricht kommt von außerhalb. Öffnen Sie keine Anhänge.",
    "ATTENTION : ce message provient de l'extérieur.",
    "Ce courriel provient d'un expéditeur externe.",
    "ATENCIÓN: este correo proviene de fuera de la empresa.",
    "Questa e-mail proviene dall'esterno.",
    "LET OP: deze e-mail komt van buiten de organisatie.",
]


@pytest.mark.parametrize("banner", BANNERS)
@pytest.mark.parametrize("gap", ["\n", "\n\n"], ids=["next line", "next paragraph"])
def test_a_banner_above_a_mail_is_a_footer_and_the_text_below_it_is_kept(banner: str, gap: str) -> None:
    assert own_text(f"{banner}{gap}Do you take vouchers?\nI have two of them.") == (
        "Do you take vouchers? I have two of them."
    )


def test_a_banner_of_two_lines_ends_with_its_sentence() -> None:
    text = "CAUTION: This mail came from outside,\nso do not click on links.\nWhere is my parcel?"
    assert own_text(text) == "Where is my parcel?"


def test_notices_below_a_signature_are_no_text_of_the_customer() -> None:
    text = (
        "Please send me a new invoice.\n\nTom Ashdown\nPartner | Ashdown & Reid Solicitors LLP\n"
        "Authorised and regulated by the Law Board. FRAUD WARNING: our bank details never change. If a mail says so, "
        "call us at once. This communication is privileged and confidential."
    )
    assert own_text(text) == "Please send me a new invoice."


@pytest.mark.parametrize(
    "text",
    [
        "FRAUD ALERT! Somebody used my card and deleted my account.",
        "Fraud warning: I received an error and my details were sent to strangers.",
        "External hard disk: is it still in stock?",
        "Attention: this lamp is broken.",
        "Our bank details have changed, please send the refund to the new account.",
    ],
)
def test_a_customer_who_writes_like_a_notice_is_read(text: str) -> None:
    assert own_text(text) == text
