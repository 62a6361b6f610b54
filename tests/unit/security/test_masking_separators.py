"""Every kind of value is masked whole, whatever stands between its groups, and look-alikes of addresses are too."""

from __future__ import annotations

import re

import pytest

from frontdesk.folding import fold
from frontdesk.security.masking import mask

VALUES = {
    "card": "4111 1111 1111 1111",
    "Mastercard": "5555 5555 5555 4444",
    "American Express": "3782 822463 10005",
    "German IBAN": "DE89 3704 0044 0532 0130 00",
    "British IBAN": "GB82 WEST 1234 5698 7654 32",
    "French IBAN": "FR14 2004 1010 0505 0001 3M02 606",
    "social security number": "437 34 4039",
    "international telephone": "+49 30 1234567",
    "British telephone": "020 7946 0958",
    "German mobile": "0171 1234567",
    "American telephone": "555 234 0199",
    "National Insurance number": "AB 12 34 56 C",
    "German address": "Berliner Straße 12, 10115 Berlin",
}
SEPARATORS = {
    "nothing": "",
    "blank": " ",
    "two blanks": "  ",
    "tab": "\t",
    "line break": "\n",
    "carriage return": "\r\n",
    "no-break space": "\u00a0",
    "narrow no-break space": "\u202f",
    "thin space": "\u2009",
    "figure space": "\u2007",
    "ideographic space": "\u3000",
    "line separator": "\u2028",
    "hyphen": "-",
    "Unicode hyphen": "\u2010",
    "non-breaking hyphen": "\u2011",
    "figure dash": "\u2012",
    "en dash": "\u2013",
    "em dash": "\u2014",
    "minus sign": "\u2212",
    "dash in blanks": " \u2013 ",
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "right-to-left mark": "\u200f",
    "variation selector": "\ufe0f",
    "blank and zero width space": "\u200b \u200b",
    "HTML no-break space": "&nbsp;",
    "numeric entity": "&#160;",
}
BETWEEN_DIGITS = {
    "dot": ".",
    "slash": "/",
    "underscore": "_",
    "comma": ",",
    "comma and blank": ", ",
    "middle dot": "\u00b7",
    "bullet": " \u2022 ",
    "vertical bar": "|",
    "colon": ":",
    "asterisk": "*",
    "percent encoding": "%20",
}
ADDRESSLESS = {kind: value for kind, value in VALUES.items() if "address" not in kind}
NOT_AN_AMOUNT = {kind: value for kind, value in ADDRESSLESS.items() if kind != "American telephone"}
CASES = [
    *((kind, name) for kind in VALUES for name in SEPARATORS if not (name == "nothing" and "address" in kind)),
    *((kind, name) for kind in NOT_AN_AMOUNT for name in BETWEEN_DIGITS),
]
SENTENCES = ("My number is {} and I wait.", "{}", "Hello,\nplease look at {}, thanks\nTom")


def is_left(value: str, text: str) -> list[str]:
    """The groups of three and more letters or digits of `value` that can be read in `text`."""
    folded = re.sub(r"[^\w]", "", fold(text).text)
    return [group for group in re.findall(r"[^\W_]{3,}", value) if group in folded]


def assert_masked(sentence: str, written: str, value: str) -> None:
    text = sentence.format(written)
    masked = mask(text)
    assert is_left(value, masked.text) == [], masked.text
    assert not re.search(r"\d{2}", re.sub(r"\[[A-Z]+_\d+\]", "", fold(masked.text).text)), masked.text
    assert masked.restore(masked.text) == text


@pytest.mark.parametrize(("kind", "separator"), CASES)
def test_a_value_is_masked_whatever_stands_between_its_groups(kind: str, separator: str) -> None:
    value = VALUES[kind]
    written = value.replace(" ", (SEPARATORS | BETWEEN_DIGITS)[separator])
    for sentence in SENTENCES:
        assert_masked(sentence, written, value)


@pytest.mark.parametrize("separator", {**SEPARATORS, **BETWEEN_DIGITS})
@pytest.mark.parametrize("kind", NOT_AN_AMOUNT)
def test_a_value_is_masked_one_character_at_a_time(kind: str, separator: str) -> None:
    value = VALUES[kind]
    written = (SEPARATORS | BETWEEN_DIGITS)[separator].join(value.replace(" ", ""))
    for sentence in SENTENCES:
        assert_masked(sentence, written, value)
