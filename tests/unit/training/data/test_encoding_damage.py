from __future__ import annotations

import pytest

from training.data.encoding_damage import describe_mojibake


@pytest.mark.parametrize("text", ["café", "don’t", "naïve €5", "日本", "👍", "è"])
def test_text_that_was_read_with_the_wrong_encoding_is_recognised(text: str) -> None:
    broken = "".join(
        bytes([byte]).decode("cp1252") if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(byte)
        for byte in text.encode()
    )
    assert "Windows-1252" in describe_mojibake(f"and 👍 {broken} too")
    assert describe_mojibake(text) == ""


@pytest.mark.parametrize("text", ["", "plain", "São João à ñandú", "Übergröße", "“quoted” – dash…", "Ä ö ü ß", "£5 €3"])
def test_sound_text_is_left_alone(text: str) -> None:
    assert describe_mojibake(text) == ""


def test_a_character_that_was_lost_is_recognised() -> None:
    assert "U+FFFD" in describe_mojibake("caf\ufffd")
