"""Decoding of the text field: HTML, entities, wrong encodings; and what counts as visible."""

from __future__ import annotations

import pytest

from frontdesk.messages.source_text import MAX_REPAIRED, decode_text, has_visible_character, repair_mojibake


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("<p>Hello,&nbsp;where is order&nbsp;55810?</p>", "Hello, where is order 55810?"),
        ("Hello,<br>where is it?<br><br>Rosa", "Hello,\nwhere is it?\n\nRosa"),
        ("&lt;p&gt;Hello&lt;/p&gt;&lt;p&gt;order&amp;nbsp;55810&lt;/p&gt;", "Hello\n\norder 55810"),
        ("Order&nbsp;55810 is late &amp; broken, isn&#39;t it", "Order 55810 is late & broken, isn't it"),
        ("it isnâ€™t urgent", "it isn\u2019t urgent"),
        ("FÃ¼r GrÃ¶ÃŸe M", "Für Größe M"),
        ("Wo ist Gr=C3=B6=C3=9Fe M? Die Hose =\npasst nicht.", "Wo ist Größe M? Die Hose passt nicht."),
    ],
)
def test_escapes_are_decoded(text: str, decoded: str) -> None:
    assert decode_text(text).text == decoded


@pytest.mark.parametrize(
    "text",
    [
        "The page shows <b>undefined</b> instead of the price",
        "I typed <br> and <br/> in the form and it broke",
        "Price < 20 and > 10, mail <rosa@x.example>",
        "a=5&b=6 in https://x.example/?a=1&lt=3&copy=2",
        "»Spaß« déjà\u00a0» 20 °C café — €5 “ok”",
        "a\r\nb\u2028c\x0bd",
    ],
)
def test_plain_text_is_left_as_it_is(text: str) -> None:
    assert decode_text(text).text == text


def test_a_long_line_is_repaired_in_part() -> None:
    repaired = repair_mojibake("FÃ¼r " * MAX_REPAIRED)
    assert repaired.startswith("Für Für ")
    assert repaired.endswith("FÃ¼r ")


@pytest.mark.parametrize("text", ["a", "👍", "?", "é", "订", "  x", "\u200bx"])
def test_letters_signs_and_emoji_are_visible(text: str) -> None:
    assert has_visible_character(text)


@pytest.mark.parametrize(
    "text", ["", " \n\t", "\u200b\u2060", "\u2800", "\u3164", "\u00ad\ufeff", "\u202e\u202c", "\ufffc"]
)
def test_blanks_and_format_characters_are_not_visible(text: str) -> None:
    assert not has_visible_character(text)
