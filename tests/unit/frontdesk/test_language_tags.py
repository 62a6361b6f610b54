from __future__ import annotations

import pytest

from frontdesk.language_tags import canonical_language_tag


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("pt-BR", "pt-BR"),
        ("pt_BR", "pt-BR"),
        ("PT_br", "pt-BR"),
        ("zh_Hans_CN", "zh-Hans-CN"),
        ("ZH-HANT-tw", "zh-Hant-TW"),
        ("es_419", "es-419"),
        ("de_DE.UTF-8", "de-DE"),
        ("sr_RS@latin", "sr-RS"),
        ("ca_ES.ISO8859-15@euro", "ca-ES"),
        ("de-DE-u-co-phonebk", "de-DE-u-co-phonebk"),
        ("en-x-US", "en-x-us"),
        ("sl-rozaj-biske", "sl-rozaj-biske"),
        ("de-CH-1996", "de-CH-1996"),
    ],
)
def test_tags_and_locale_names_become_canonical_tags(sent: str, canonical: str) -> None:
    assert canonical_language_tag(sent) == canonical
    assert canonical_language_tag(canonical) == canonical


@pytest.mark.parametrize(
    "sent", ["", "e", "-", "_BR", "pt_", "pt__BR", "pt BR", "pt-BR\n", "english please", "12", "é", "pt.", "C"]
)
def test_other_texts_are_refused_without_repeating_them(sent: str) -> None:
    with pytest.raises(ValueError, match=r"^should be a language tag such as en or pt-BR$"):
        canonical_language_tag(sent)
