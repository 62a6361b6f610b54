# ruff: noqa: E501  -- tables read better unbroken
"""Codes after an announcing word are masked completely, with any words between and any grouping of digits."""

from __future__ import annotations

import pytest

from frontdesk.masking import mask
from frontdesk.masking.lexicons.link_words import LINK_WORDS
from frontdesk.masking.security_codes import find_security_codes

ANNOUNCED = [
    *("pushTAN war {}", "Die pushTAN lautete {}.", "chipTAN {}", "smsTAN: {}", "sms-TAN lautet {}", "mTAN war {}", "meine photoTAN ist {}"),
    *("TAN-Code {}", "TAN-Nummer: {}", "die tan war {}", "mobileTAN {}", "SMS-TAN {}"),
    *("Freigabecode {}", "der Freigabecode aus der App war {}", "Freischaltcode: {}", "Sicherheitscode lautet {}", "Einmalpasswort lautet {}", "Einmalcode ist {}", "Transaktionsnummer {}"),
    *("one-time code was {}", "one-time password is {}", "single-use code: {}", "OTP is {}", "the OTP I got by text was {}", "the OTP, which came by SMS, was {}"),
    *("verification code: {}", "the verification code you sent me yesterday is {}", "authentication code {}", "login code is {}", "SMS code {}", "access code: {}", "2FA code {}"),
    *("code à usage unique {}", "mot de passe à usage unique : {}", "code d'authentification {}", "le code SMS est {}"),
    *("código de un solo uso es {}", "clave de acceso: {}", "codice monouso: {}", "codice di accesso {}", "inlogcode {}", "engångskod {}"),
    *("{} is my OTP", "{} war die pushTAN", "{} was my verification code"),
]  # fmt: skip


@pytest.mark.parametrize("sentence", ANNOUNCED)
@pytest.mark.parametrize("code", ["718 205", "718-205", "718205"])
def test_an_announced_code_is_masked_with_a_separator_in_it_too(sentence: str, code: str) -> None:
    text = sentence.format(code)
    masked = mask(text)
    assert masked.text == sentence.format("[SECRET_1]")
    assert masked.restore(masked.text) == text
    assert mask(masked.text).text == masked.text


@pytest.mark.parametrize("code", ["71 82 05", "7182 0594", "71 82 05 94", "718.205", "7 1 8 2 0 5", "G-718205"])
def test_a_one_time_code_is_masked_in_any_groups(code: str) -> None:
    assert mask(f"TAN: {code}").text == "TAN: [SECRET_1]"


@pytest.mark.parametrize(
    "text",
    [
        "the OTP did not come, I waited 450 minutes",
        "the tan boots cost 120",
        "access code for room 214",
    ],
)
def test_numbers_that_are_no_codes_are_kept_behind_announcing_words(text: str) -> None:
    assert mask(text).text == text


def test_an_order_behind_an_announcing_word_stays_an_order() -> None:
    assert mask("The PIN is wrong and my order number is 71820").text == (
        "The PIN is wrong and my order number is [ORDER_1]"
    )


@pytest.mark.parametrize("word", LINK_WORDS)
def test_every_link_word_may_stand_before_a_code_and_before_a_card(word: str) -> None:
    assert [kind for *_, kind in find_security_codes(f"CVV {word} 718")] == ["SECRET"]
    assert mask(f"Visa {word} 4012888888881882").text == f"Visa {word} [CARD_1]"


@pytest.mark.parametrize(
    "sentence",
    [
        "The page wanted the TAN. Then I entered {} and nothing happened.",
        "It asked for my OTP twice, I typed in {}",
        "I put the code in. I mean, I keyed in {} before it froze",
        "Die Seite wollte die TAN. Ich habe dann {} eingegeben",
        "nach der pushTAN gefragt: {} eingetippt, dann Absturz",
        "Il voulait le code. J'ai saisi {} deux fois",
        "Pedía el código y he introducido {}",
        "Chiedeva il codice, ho inserito {}",
    ],
)
@pytest.mark.parametrize("code", ["604 118", "604-118", "604118"])
def test_a_code_that_was_typed_is_masked_in_another_sentence_than_its_name(sentence: str, code: str) -> None:
    assert mask(sentence.format(code)).text == sentence.format("[SECRET_1]")


@pytest.mark.parametrize(
    "sentence",
    [
        "the code I received by text was {}",
        "the code you sent me by SMS: {}",
        "der Code per SMS war {}",
        "{} ist der Code, der per SMS kam",
        "le code reçu par SMS (c'était {}) a expiré",
        "el código que me llegó por SMS es {}",
        "il codice ricevuto via SMS è {}",
    ],
)
@pytest.mark.parametrize("code", ["604 118", "604118"])
def test_a_code_that_came_by_message_is_masked(sentence: str, code: str) -> None:
    assert mask(sentence.format(code)).text == sentence.format("[SECRET_1]")


@pytest.mark.parametrize(
    "sentence",
    [
        "my PIN, not the one of the app but the one of the card, is {}",
        "Mi PIN, no el de la web sino el del cajero, es {}",
        "meine PIN, also die von der Karte und keine andere, lautet {}",
        "die neue PIN lautet jetzt:\n\n{}",
        "Prüfnummer vorne drauf {}",
        "Prüfziffer hinten drauf: {}",
    ],
)
def test_a_code_is_masked_behind_a_clause_or_a_place(sentence: str) -> None:
    assert mask(sentence.format("8351")).text == sentence.format("[SECRET_1]")


@pytest.mark.parametrize(
    "text",
    [
        "| SMS-TAN | 200 OK |",
        "pushTAN: 404 Not Found",
        "the OTP page says 502 Bad Gateway",
        "I entered the shop at 12:30",
        "I typed the postcode 604118 into the map",
        "ich habe 3 Sachen eingegeben",
    ],
)
def test_statuses_and_other_numbers_are_no_codes(text: str) -> None:
    assert "SECRET" not in mask(text).text


@pytest.mark.parametrize(
    "text",
    [
        "see err_20240514.log",
        "anexo pedido_2024-03-18.pdf",
        "invoice-2024-05-17_v2.pdf does not open",
        '{"app_version":"10.2.0.14"}',
        "driver_version = '10.2.0.14'",
    ],
)
def test_dates_in_file_names_and_versions_in_fields_are_kept(text: str) -> None:
    assert mask(text).text == text


@pytest.mark.parametrize(
    ("text", "masked"), [("order_20240599.pdf", "[ORDER_1]"), ('{"server":"10.2.0.14"}', "[IP_1]")]
)
def test_what_is_no_date_or_version_there_is_masked(text: str, masked: str) -> None:
    assert masked in mask(text).text
