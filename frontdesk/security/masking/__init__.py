"""Take personal data out of a message: deterministic patterns and word lists, no model, no lookup.

    mask("Hi Tom, order 48213, mail me at anna@example.com").text
    ->  "Hi [NAME_1], order [ORDER_1], mail me at [EMAIL_1]"

Kinds are looked for one after the other, a file for each family; what one has taken is blanked with NULs before the
next looks. `spans` has the rules that keep `mask` idempotent and linear in the length of the text.

Deliberately not known: passwords, names and addresses that nothing announces, and languages other than English, German,
French, Spanish and Italian (with the common forms of Dutch and Swedish).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from frontdesk.security.masking.amounts import kept
from frontdesk.security.masking.banking import cards, ibans, sort_codes
from frontdesk.security.masking.links import bare_urls, emails, ips, urls
from frontdesk.security.masking.named import LOCATOR, named_numbers
from frontdesk.security.masking.names import names
from frontdesk.security.masking.national_ids import national_ids
from frontdesk.security.masking.phones import phones
from frontdesk.security.masking.postal import postal_addresses
from frontdesk.security.masking.references import parcels, references
from frontdesk.security.masking.spans import Found, blanked
from frontdesk.types import MaskedText

MASKING_VERSION = "3"
"""Part of the feature fingerprint: change it whenever a text could come out of `mask` differently."""

KINDS = ("EMAIL", "URL", "IBAN", "CARD", "PHONE", "ORDER", "ACCOUNT", "ID", "IP", "ADDRESS", "NAME")

_TYPED_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(KINDS)})_\d{{1,3}}\]")
_DIGIT = re.compile(r"\d")
_THREE_DIGITS = re.compile(r"\d(?:\D{0,3}\d){2}")
_SIX_DIGITS = re.compile(r"\d(?:\D{0,6}\d){5}")

Finder = Callable[[str], Iterator[Found]]


def mask(text: str) -> MaskedText:
    """`text` with personal data replaced by typed placeholders, numbered in reading order within each kind.

    The same value gets the same placeholder. A placeholder that already stands in the text, typed by the customer,
    stays as it is: its number is passed over, so it never stands for, or is restored to, anything else.
    `mask(text).restore(mask(text).text) == text`, and masking a masked text changes nothing.
    """
    found = sorted(_find(text))
    if not found:
        return MaskedText(text)
    placeholders: dict[tuple[str, str], str] = {}
    numbers = dict.fromkeys(KINDS, 0)
    pieces: list[str] = []
    done = 0
    for start, end, kind in found:
        value = text[start:end]
        placeholder = placeholders.get((kind, value))
        if placeholder is None:
            placeholder = placeholders[kind, value] = _next_free(kind, numbers, text)
        pieces += text[done:start], placeholder
        done = end
    pieces.append(text[done:])
    return MaskedText("".join(pieces), {placeholder: value for (_, value), placeholder in placeholders.items()})


def _next_free(kind: str, numbers: dict[str, int], text: str) -> str:
    while True:
        numbers[kind] += 1
        placeholder = f"[{kind}_{numbers[kind]}]"
        if placeholder not in text:
            return placeholder


def _find(text: str) -> list[Found]:
    """Everything to be masked, family after family, each only where a cheap look says that it may be there.

    Cards and IBANs come before addresses, identities and kept amounts, whose patterns would cut into their groups;
    telephones before IPs, which would take four of the five groups of a French number.
    """
    found: list[Found] = []
    rest = text
    if "[" in rest:
        rest = blanked(rest, [(*typed.span(), "") for typed in _TYPED_PLACEHOLDER.finditer(rest)])
    if "://" in rest or "www." in rest.lower():
        rest = _take(urls, rest, found)
    if "/" in rest and "?" in rest and "=" in rest:
        rest = _take(bare_urls, rest, found)
    if "@" in rest:
        rest = _take(emails, rest, found)
    if _DIGIT.search(rest):
        enough = _THREE_DIGITS.search(rest) is not None
        if enough:
            rest = _take(ibans, rest, found)
            rest = _take(cards, rest, found)
        rest = _take(postal_addresses, rest, found)
        if enough:
            long = _SIX_DIGITS.search(rest) is not None
            for finder in _NUMBERS_AND_IDS if long else _NUMBERS:
                before, rest = rest, _take(finder, rest, found)
                if rest is not before and not _THREE_DIGITS.search(rest):
                    break
        elif LOCATOR.search(rest):
            rest = _take(named_numbers, rest, found)
    _take(names, rest, found)
    return found


_NUMBERS: tuple[Finder, ...] = (named_numbers, kept, phones, ips, references)
_NUMBERS_AND_IDS: tuple[Finder, ...] = (parcels, sort_codes, named_numbers, national_ids, *_NUMBERS[1:])


def _take(finder: Finder, rest: str, found: list[Found]) -> str:
    """Add what `finder` finds to `found`, unless it is only to be kept (no kind); `rest` without it."""
    spans = list(finder(rest))
    if not spans:
        return rest
    found += [span for span in spans if span[2]]
    return blanked(rest, spans)
