# ruff: noqa: E501  -- tables read better unbroken
"""Codes behind an announcing word are masked whole, whatever words stand between and however their digits are grouped."""

from __future__ import annotations

import pytest

from frontdesk.security.masking import mask
from frontdesk.security.masking.card_codes import card_codes
from frontdesk.security.masking.link_words import LINK_WORDS

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
    assert [kind for *_, kind in card_codes(f"CVV {word} 718")] == ["SECRET"]
    assert mask(f"Visa {word} 4012888888881882").text == f"Visa {word} [CARD_1]"
