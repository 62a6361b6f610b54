# ruff: noqa: E501  -- tables read better unbroken
"""Values of every kind are masked completely with any separators; look-alikes of addresses are masked."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.folding import fold
from frontdesk.masking import mask
from frontdesk.types import MaskedText

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
FOLDED_ALIKE = {name for name in SEPARATORS if "space" in name or "dash" in name or name.endswith("hyphen")}
"""`tests/unit/frontdesk/test_folding.py` shows that these are folded to one character, so only one kind of value is tested with all of them."""


def separators_of(kind: str) -> dict[str, str]:
    """Separators between the groups of a value of `kind`."""
    tried = {
        name: by for name, by in SEPARATORS.items() if kind == "card" or name not in FOLDED_ALIKE - {"no-break space"}
    }
    if "address" in kind:
        del tried["nothing"]
    return tried | (BETWEEN_DIGITS if kind in NOT_AN_AMOUNT else {})


SENTENCES = ("My number is {} and I wait.", "{}", "Hello,\nplease look at {}, thanks\nTom")


def is_left(value: str, text: str) -> list[str]:
    """Groups of three or more letters or digits of `value` that are contained in `text`."""
    folded = re.sub(r"[^\w]", "", fold(text).text)
    return [group for group in re.findall(r"[^\W_]{3,}", value) if group in folded]


def assert_masked(sentence: str, written: str, value: str) -> None:
    text = sentence.format(written)
    masked = mask(text)
    assert is_left(value, masked.text) == [], masked.text
    assert not re.search(r"\d{2}", re.sub(r"\[[A-Z]+_\d+\]", "", fold(masked.text).text)), masked.text
    assert masked.restore(masked.text) == text


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_is_masked_with_any_separator_between_its_groups(kind: str) -> None:
    value = VALUES[kind]
    for number, separator in enumerate(separators_of(kind).values()):
        assert_masked(SENTENCES[number % len(SENTENCES)], value.replace(" ", separator), value)


@pytest.mark.parametrize("kind", NOT_AN_AMOUNT)
def test_a_value_is_masked_one_character_at_a_time(kind: str) -> None:
    value = VALUES[kind]
    for number, separator in enumerate((separators_of(kind) | BETWEEN_DIGITS).values()):
        assert_masked(SENTENCES[number % len(SENTENCES)], separator.join(value.replace(" ", "")), value)


GLUED = {
    "card": "4111 1111 1111 1111",
    "card with dashes": "4111-1111-1111-1111",
    "card in one piece": "4111111111111111",
    "American Express": "3782 822463 10005",
    "IBAN": "DE89 3704 0044 0532 0130 00",
    "IBAN in one piece": "GB82WEST12345698765432",
    "social security number": "437-34-4039",
    "telephone": "0170 1234567",
    "international telephone": "+49 170 1234567",
}


@pytest.mark.parametrize("kind", GLUED)
def test_a_value_next_to_letters_is_masked(kind: str) -> None:
    value = GLUED[kind]
    for before in ("x", "Visa", "number", "Kartennummer", "IBAN", "SSN", "Mobile", "é"):
        for behind in ("", "x", "cvv", "Expiry", "Gültig bis", "é"):
            masked = mask(f"{before}{value}{behind}")
            assert is_left(value, masked.text) == [], masked.text
            assert masked.restore(masked.text) == f"{before}{value}{behind}"


MASKED = {
    "letters beside it": [
        ("Card number4000 0566 5566 5556Expiry12/27CVV917", "Card number[CARD_1]Expiry12/27CVV[SECRET_1]"),
        ("4111 1111 1111 1111cvv123", "[CARD_1]cvv[SECRET_1]"),
        ("SSN078-05-1120", "SSN[ID_1]"),
        ("cvv123exp1227", "cvv[SECRET_1]exp1227"),
        ("PIN4321ok", "PIN[SECRET_1]ok"),
        ("4111 1111 1111 11110927123", "[CARD_1]"),
        ("NINOAB123456C", "NINO[ID_1]"),
    ],
    "markup inside it": [
        ("<td>4111</td><td>1111</td><td>1111</td><td>1111</td>", "<td>[CARD_1]</td>"),
        ("4111<br>1111<br/>1111<BR />1111", "[CARD_1]"),
        ('4111 1111 <span class="a" style="width:10px">1111</span> 1111', "[CARD_1]"),
        ("4111&lt;br&gt;1111&lt;br&gt;1111&lt;br&gt;1111", "[CARD_1]"),
        ("*4111* *1111* *1111* *1111*.", "*[CARD_1]*."),
        ("is **4111** **1111** **1111** **1111**.", "is **[CARD_1]**."),
        ("`4111` `1111` `1111` `1111`!", "`[CARD_1]`!"),
        ("DE89<br>3704<br>0044<br>0532<br>0130<br>00", "[IBAN_1]"),
        ("SSN 078<br>05<br>1120", "SSN [ID_1]"),
        ("cvv<br>123", "cvv<br>[SECRET_1]"),
        ("CVV<b>: </b>123", "CVV<b>: </b>[SECRET_1]"),
        ("jane.doe<b>@</b>gmail.com", "[EMAIL_1]"),
        ("jane@<wbr>gmail.com", "[EMAIL_1]"),
        ("jane@ex<!-- -->ample.com", "[EMAIL_1]"),
        ("12<br>Baker Street<br>London NW1 6XE", "[ADDRESS_1]"),
        ("tel: +49 170<br/>1234567", "tel: [PHONE_1]"),
        ('<a href="mailto:jane@gmail.com">mail</a>', '<a href="mailto:[EMAIL_1]">mail</a>'),
    ],
    "a typing error in it": [
        ("card no. 4111 1111 1111 1112", "card no. [CARD_1]"),
        ("PAN 4111 1111 1111 1112", "PAN [CARD_1]"),
        ("Kreditkarte 4111111111111112", "Kreditkarte [CARD_1]"),
        ("card 4111 1111 1111 111", "card [CARD_1]"),
        ("it is 4111-1111-1111-1112", "it is [CARD_1]"),
        ("it is 4111 1111 1111 111O", "it is [CARD_1]"),
        ("amex 3782 822463 10006", "amex [CARD_1]"),
        ("my iban is GB82 WEST 1234 5698 7654 33", "my iban is [IBAN_1]"),
        ("IBAN DE89 3704 0044 0532 0130 01", "IBAN [IBAN_1]"),
        ("IBAN DE89370400440532013001", "IBAN [IBAN_1]"),
        ("to DE89 37O4 0044 0532 0130 00", "to [IBAN_1]"),
    ],
    "a broken address": [
        *(
            (written, "[EMAIL_1]")
            for written in (
                *("jane.doe@\ngmail.com", "jane.doe\n@gmail.com", "jane.doe@gmail.\ncom", "jane@exam-\nple.com"),
                *("jane@gmail,com", "jane@@gmail.com", "jane@gmail. com", "jane @ example . com", "jane\\@gmail.com"),
                *("john AT example DOT com", "jane.\ndoe@gmail.com", "john'doe@example.com", "john@localhost"),
            )
        ),
        ("email janedoe85@gmail", "email [EMAIL_1]"),
    ],
    "a code": [
        *((f"{cue} 123", f"{cue} [SECRET_1]") for cue in ("ccv", "CCV:", "cv2", "c.v.v.", "C V V", "CVV numarasi")),
        ("the 3 digit code is 123", "the 3 digit code is [SECRET_1]"),
        ("last three digits on back 123", "last three digits on back [SECRET_1]"),
        ("my p.i.n. is 1234", "my p.i.n. is [SECRET_1]"),
        ("my pin was changed to 4321", "my pin was changed to [SECRET_1]"),
        ("PIN changed from 1234 to 4321", "PIN changed from [SECRET_1] to [SECRET_2]"),
        ("4111 1111 1111 1111/123", "[CARD_1]/[SECRET_1]"),
        ("4111 1111 1111 1111 0927 123", "[CARD_1] 0927 [SECRET_1]"),
        ("4111 1111 1111 1111 and the back says 123", "[CARD_1] and the back says [SECRET_1]"),
        ("TAN: 123 456", "TAN: [SECRET_1]"),
    ],
    "an escape": [
        *(
            (written, "[CARD_1]")
            for written in (
                *("4111=20\n1111=20\n1111=20\n1111", "4111%0A1111%0A1111%0A1111", "4111%C2%A01111%C2%A01111%C2%A01111"),
                *(
                    "4111\\u00a01111\\u00a01111\\u00a01111",
                    "4111\\n1111\\n1111\\n1111",
                    "4111=C2=A01111=C2=A01111=C2=A01111",
                ),
                *(
                    "4111\u00c2 1111\u00c2\u00a01111\u00c2 1111",
                    "\u2074\u00b9\u00b9\u00b9 1111 1111 \u00b9\u00b9\u00b9\u00b9",
                ),
                "\u2779\u2776\u2776\u2776 1111 1111 1111",
            )
        ),
        *(
            (written, "[EMAIL_1]")
            for written in ("john.doe=40example.com", "jane\\u0040example.com", "john\u24d0example.com")
        ),
    ],
    "a date of birth": [
        ("DOB 1984-03-12", "DOB [ID_1]"),
        ("geboren am 12.03.1984", "geboren am [ID_1]"),
        ("born on March 12, 1984", "born on [ID_1]"),
        ("n\u00e9 le 12 mars 1984", "n\u00e9 le [ID_1]"),
        ("fecha de nacimiento 12-03-1984", "fecha de nacimiento [ID_1]"),
    ],
}


@pytest.mark.parametrize("what", MASKED)
def test_a_value_is_masked_in_spite_of(what: str) -> None:
    assert [(text, mask(text).text) for text, _ in MASKED[what]] == MASKED[what]
    for text, _ in MASKED[what]:
        masked = mask(text)
        assert masked.restore(masked.text) == text
        assert mask(masked.text).text == masked.text


@pytest.mark.parametrize(
    "written",
    [
        "4\ufe0f\u20e31\ufe0f\u20e31\ufe0f\u20e31\ufe0f\u20e3 " + "1\ufe0f\u20e3" * 12,
        " ".join(f"{digit}\ufe0f\u20e3" for digit in "4111111111111111"),
        "\uff14\uff11\uff11\uff11 \u0661\u0661\u0661\u0661 \u0967\u0967\u0967\u0967 \U0001d7cf\U0001d7cf\U0001d7cf\U0001d7cf",
        "\u2463" + "\u2460" * 15,
        "1111".join(("4111.", "-", "/", "")),
        "41 11 11 11 11 11 11 11",
        "4111%201111%201111%201111",
        "&#52;&#49;&#49;&#49; 1111 1111 1111",
    ],
)
def test_a_card_is_masked_in_any_spelling_of_its_digits(written: str) -> None:
    masked = mask(f"my card {written} was declined")
    assert masked.text == "my card [CARD_1] was declined"
    assert masked.originals == {"[CARD_1]": written}


@pytest.mark.parametrize(
    "words",
    [
        "four " + "one " * 15,
        "Four One One One, " + "One One One One, " * 3,
        "four-" + "one-" * 15,
        "four triple one, " + "double one " * 6,
        "vier " + "eins " * 15,
        "quatre " + "un " * 15,
        "cuatro " + "uno " * 15,
        "quattro " + "uno " * 15,
        "vier " + "een " * 15,
        "fyra " + "ett " * 15,
        "three seven eight two eight two two four six three one oh oh oh five",
    ],
)
def test_a_card_that_is_spelled_in_words_is_masked(words: str) -> None:
    written = words.strip(" ,-")
    masked = mask(f"It is {written}.")
    assert masked.text == "It is [CARD_1]."
    assert masked.originals == {"[CARD_1]": written}


@pytest.mark.parametrize(
    "written",
    [
        *("anna (at) example.com", "anna [at] example [dot] com", "anna(at)example(dot)com", "anna{at}example.com"),
        *("anna&#64;example.com", "anna&commat;example.com", "anna&#x40;example.com", "anna%40example.com"),
        *("anna\uff20example.com", "anna@example\uff0ecom", "\uff41\uff4e\uff4e\uff41@example.com"),
        *("anna @ example.com", "anna@ example.com", "anna\u200b@example.com", "anna@exam\u2060ple.com"),
        *("an\u00adna@example.com", '"anna smith"@example.com', "\u0430nna@example.com", "anna@example[.]com"),
        *("anna at example dot com", "anna dot smith at mail dot example dot com", "anna@[192.0.2.171]"),
        *("anna arroba example punto com", "anna [\u00e4t] example punkt de", "anna.smith+x(at)mail.example.co.uk"),
    ],
)
def test_every_look_alike_of_an_address_is_masked(written: str) -> None:
    masked = mask(f"please write to {written} today")
    assert masked.text == "please write to [EMAIL_1] today"
    assert masked.originals == {"[EMAIL_1]": written}


def test_an_address_with_the_word_at_is_masked_behind_a_word_that_announces_it() -> None:
    assert mask("my email is anna at example.com, thanks").text == "my email is [EMAIL_1], thanks"
    assert mask("I bought it at example.com").text == "I bought it at example.com"


@pytest.mark.parametrize(
    "written",
    [
        "192.0.2[.]171",
        "1９2.0.2.171",
        "192(.)0(.)2(.)171",
        "192[dot]0[dot]2[dot]171",
        "192 dot 0 dot 2 dot 171",
        "192．0．2．171",
        "192.0.2.\u200b171",
        "192 . 0 . 2 . 171",
        "2001:\u200bdb8::1",
    ],
)
def test_every_look_alike_of_an_ip_is_masked(written: str) -> None:
    assert mask(f"blocked at {written} again").text == "blocked at [IP_1] again"


@pytest.mark.parametrize(
    "link",
    [
        "shop.example/reset/4f9d8a7c6b5e4d3c2b1a0",
        "shop.example/track?4f9d8a7c",
        "shop.example/account#token=abc",
        "shop.example?token=abc",
        "shop.example:8443/x?y",
    ],
)
def test_a_link_that_may_carry_a_secret_is_masked_without_its_scheme(link: str) -> None:
    assert mask(f"open {link} please").text == "open [URL_1] please"


CODES = [
    *("CVV {}", "cvc: {}", "CVC2 is {}", "my CVV number is {}.", "CVV{}", "(CVC: {})", "CVV (3 digits): {}", "CVV={}"),
    *("security code {}", "card security code is {}", "the security code on my card is {}"),
    *("the three digits on the back are {}", "CVV code on the back is {}", "{} is my CVV", "passcode {}"),
    *("PIN {}", "PIN: {}", "my pin is {}", "PIN-Code {}", "PIN\u00a0{}", "PIN\u200b {}", "meine PIN ist {}"),
    *("Prüfziffer {}", "Kartenprüfnummer lautet {}", "Sicherheitscode {}", "Geheimzahl {}", "Sicherheitscode meiner Karte ist {}"),
    *("cryptogramme {}", "le cryptogramme visuel est le {}", "code de sécurité : {}", "code secret {}", "mon code PIN est {}"),
    *("código de seguridad {}", "el código de seguridad es {}", "clave {}", "los 3 dígitos del reverso son {}"),
    *("codice di sicurezza {}", "il codice CVV è {}", "il mio PIN è {}", "beveiligingscode {}", "säkerhetskod {}", "pinkod {}"),
    *("4111 1111 1111 1111 12/27 {}", "4111 1111 1111 1111, exp 12/27, cvv {}", "4111\u00a01111\u00a01111\u00a01111 CVV {}"),
]  # fmt: skip


@pytest.mark.parametrize("sentence", CODES)
@pytest.mark.parametrize("code", ["123", "4821"])
def test_a_code_is_masked_where_a_word_announces_it(sentence: str, code: str) -> None:
    text = sentence.format(code)
    masked = mask(text)
    assert masked.originals["[SECRET_1]"] == code
    assert code not in masked.text
    assert masked.restore(masked.text) == text


@pytest.mark.parametrize(
    "code", ["1 2 3", "4-8-2-1", "4.8.2.1", "\uff11\uff12\uff13", "1\u200b2\u200b3", "one two three", "12 34"]
)
def test_a_code_is_masked_one_digit_at_a_time(code: str) -> None:
    assert mask(f"my security code is {code}, thanks").originals["[SECRET_1]"] == code


KEPT = [
    "size 4 1 1 1",
    "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16",
    "shoes in 38, 39, 40, 41, 42, 43, 44",
    "I rate 5 4 5 5 3 4 5 2 4 5 5 4 3 5",
    "one two three four five six seven eight nine ten",
    "from 12.03.2026 10:30 to 13.03.2026 11:45",
    "version 1.2.3.4567",
    "prices 1200, 1300, 1400, 1500",
    "49.90, 149.99, 12.50, 1,200.00",
    "in 2019, 2020, 2021 and 2022",
    "10:30\n11:45\n12:00",
    "100\n200\n300",
    "12/03/2026\n13/03/2026\n14/03/2026",
    "612,345,678",
    "1.234.567,89 EUR",
    "1920x1080 and 2560x1440",
    "I entered my PIN 3 times",
    "my PIN is not working since 2024",
    "the CVV field asks for 3 digits",
    "invalid CVV, error 404",
    "error code 404, promo code 2024",
    "a pin of 100 mm",
    "the card code says declined",
    "I ordered it @ example.com",
    "50% off, H&M, B&B",
    "I waited 10\u201315 days, 2\u20133 weeks",
    "Top-10-Liste, Model-3-Auto",
    "see chapter 3.2.1.4",
    "1234567 views and 100000 points",
    "item at example dot com page",
    "I went to Best Buy",
    "2019 2020 2021 2022",
    "a < b and c > d, 5*3*2",
    "error code 404, CVV wrong",
    "we met @noon, 3@5 each",
    "the code_name is foo_bar",
]


@pytest.mark.parametrize("text", KEPT)
def test_lists_prices_dates_times_and_versions_are_neither_cards_nor_codes(text: str) -> None:
    assert mask(text).text == text


def test_a_placeholder_is_passed_over_in_every_spelling() -> None:
    for typed in ("[ORDER_1]", "\uff3bORDER_1\uff3d", "[OR\u00adDER_1]", "[ORDER\uff3f1]"):
        masked = mask(f"Order {typed} and order 48213")
        assert masked.text == f"Order {typed} and order [ORDER_2]"
        assert masked.originals == {"[ORDER_2]": "48213"}


def test_a_typed_placeholder_is_rewritten_in_every_spelling() -> None:
    own = MaskedText("", {"[ORDER_2]": "48213"})
    for typed in (
        *("[ORDER_1]", "[order_1]", "[ORDER\u200b_1]", "\uff3bORDER_1\uff3d", "[ORDER_1\u00a0]", "&#91;ORDER_1&#93;"),
        *(
            "%5BORDER_1%5D",
            "\\u005bORDER_1\\u005d",
            "[OR<b></b>DER_1]",
            "[ORDER\\_1]",
            "[ORDER_\u0661]",
            "\u3010ORDER_1\u3011",
        ),
    ):
        assert own.neutralize(f"see {typed} and [ORDER_2].") == "see (ORDER 1) and [ORDER_2]."


ODD = st.sampled_from([*SEPARATORS.values(), *BETWEEN_DIGITS.values(), "(at)", " at ", "[.]", "\u0301", "\u20e3"])
PARTS = st.sampled_from(
    [*VALUES.values(), "CVV", "123", "order", "48213", "anna", "example.com", "[ORDER_1]", "Tom", "4"]
)


@given(st.lists(st.tuples(PARTS, ODD, ODD), max_size=8))
@settings(max_examples=150, deadline=None)
def test_restoring_gives_back_every_character_of_the_original(parts: list[tuple[str, str, str]]) -> None:
    text = "".join(part.replace(" ", inside) + after for part, inside, after in parts)
    masked = mask(text)
    assert masked.restore(masked.text) == text
    assert all(original in text for original in masked.originals.values())
