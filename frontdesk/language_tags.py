"""Language tags (BCP 47) in their canonical form, read from tags and from locale names such as `pt_BR.UTF-8`."""

from __future__ import annotations

import re

MAX_TAG_CHARACTERS = 35
TAG_PATTERN = r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*(\.[A-Za-z0-9_-]{1,20})?(@[A-Za-z0-9]{1,20})?$"
"""A tag, or a locale name (POSIX): language, subtags, then an encoding and a modifier, which are ignored."""

_TAG = re.compile(TAG_PATTERN.replace("$", r"\Z"))
_END_OF_SUBTAGS = re.compile(r"[.@]")


def canonical_language_tag(tag: str) -> str:
    """Return a tag with hyphens and the case of RFC 5646, section 2.1.1: `pt_br` becomes `pt-BR`.

    Raises:
        ValueError: `tag` is neither a language tag nor a locale name; the message does not repeat it.
    """
    if not _TAG.match(tag):
        raise ValueError("should be a language tag such as en or pt-BR")
    language, *subtags = _END_OF_SUBTAGS.split(tag, maxsplit=1)[0].replace("_", "-").lower().split("-")
    canonical = [language]
    for subtag in subtags:
        follows_singleton = any(len(part) == 1 for part in canonical)  # of an extension, such as `u-co-phonebk`
        if not follows_singleton and len(subtag) == 2:
            subtag = subtag.upper()
        elif not follows_singleton and len(subtag) == 4 and subtag.isalpha():
            subtag = subtag.title()
        canonical.append(subtag)
    return "-".join(canonical)
