"""Take personal data out of a message: deterministic patterns, no model, no lookup.

    mask("order 48213, mail me at tom@example.com").text  ->  "order [ORDER_1], mail me at [EMAIL_1]"

Kinds are looked for one after the other; what one has taken is blanked with NULs before the next looks. Three rules
make `mask` idempotent, and a new pattern has to keep them:

1. It begins and ends where a word does (no letter or digit beside it), so blanking a neighbour cannot open it up.
2. Whether it is taken depends on its own characters alone, or on words that nothing blanks ("order", "#").
3. Every start, and for checked kinds every end, is tried, so that nothing valid is left for a second pass.

Every pattern is linear in the length of the text: possessive or bounded quantifiers, and starts only at the start
of a run. Deliberately not known: names, postal addresses, passwords, card numbers with a typing error in them, and
which of two readings of a bare number is right (long ones are masked).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from stdnum import iban, luhn, numdb

from frontdesk.types import MaskedText

MASKING_VERSION = "1"
"""Part of the feature fingerprint: change it whenever a text could come out of `mask` differently."""

KINDS = ("EMAIL", "URL", "IBAN", "CARD", "PHONE", "ORDER", "IP")

Spans = Iterator[tuple[int, int]]

_BLANK = "\0"
_START = r"(?<![^\W_])"
_END = r"(?![^\W_])"

_ENOUGH_DIGITS = re.compile(r"\d(?:\D{0,3}\d){2}")
_TYPED_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(KINDS)})_\d{{1,3}}\]")

_URL = re.compile(r"(?:(?<![a-z\d+.-])[a-z][a-z\d+.-]{0,15}+://|(?<![^\W_])www\.)[^\s<>\"\0]+", re.IGNORECASE)
_URL_TAIL = ".,;:!?)]}'*"
_EMAIL = re.compile(rf"{_START}\w[\w.%+-]{{0,99}}+@(?=[\w.-]*?[^\W\d_]{{2}})[\w-]++(?:\.[\w-]++)++")
_IBAN_REGISTER = numdb.get("iban")
_IBAN = re.compile(rf"{_START}[A-Za-z]{{2}}\d\d[A-Za-z\d]{{0,30}}(?:[ -][A-Za-z\d]{{1,30}}){{0,8}}{_END}", re.ASCII)
_CARD = re.compile(rf"{_START}\d{{3,19}}(?:[ -]\d{{3,16}}){{0,5}}{_END}", re.ASCII)
_CARD_DIGITS = range(13, 20)

_OCTET, _HEX = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)", r"[\da-f]{1,4}"
_IP = re.compile(
    rf"{_START}(?:(?:{_OCTET}\.){{3}}{_OCTET}|(?:{_HEX}:){{7}}{_HEX}"
    rf"|[\da-f]{{4}}:(?:{_HEX}:){{0,5}}(?::{_HEX}){{1,6}}){_END}",
    re.ASCII | re.IGNORECASE,
)

# The two below are tried only where a number starts: `\d` first lets the engine skip to it, three times as fast.
_NUMBER = re.compile(r"\d(?<![^\W_]\d)")

# An amount of money or a date is not personal, and says much about what the customer wants.
_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:\d{4}|\d\d)"
_DATE = "|".join(
    rf"(?:{_DAY}{by}{_MONTH}|{_MONTH}{by}{_DAY}){by}{_YEAR}|(?:19|20)\d\d{by}{_MONTH}{by}{_DAY}"
    for by in (r"\.", "/", "-")
)
_SIGNS = "$€£¥₹"
_CODES = "EUR USD GBP CHF JPY INR AUD CAD SEK NOK DKK PLN"
_CURRENCY = rf"(?:[{_SIGNS}]|(?:{_CODES.replace(' ', '|')}|euros?|dollars?|pounds?|bucks|quid))"
_CURRENCY_BEFORE = re.compile(rf"(?:[{_SIGNS}] ?|\b(?:{_CODES.replace(' ', '|')}) )\Z", re.IGNORECASE)
_WHOLE = r"(?:\d{1,3}(?:[.,' ]\d{3}){1,4}(?!\d)|\d++)(?:[.,]\d{1,2})?"
_FREE = rf"{_END}(?!-[^\W_])"  # nothing hangs on it, or keeping it could part a reference in two
_AMOUNT = re.compile(rf"{_WHOLE}{_FREE}")
_KEPT = re.compile(
    rf"(?<!\d[./-])(?:{_DATE})(?:-(?:{_DATE}))?{_FREE}(?![./]\d)"
    rf"|{_WHOLE} ?{_CURRENCY}{_FREE}(?! ?\d)"
    rf"|(?<!\d[.,])\d++(?:,\d{{3}}){{0,4}}[.,]\d\d{_FREE}(?![.,]\d)",
    re.IGNORECASE,
)

# International; trunk prefix 0, a first group of at most six digits, nine digits in all; the groups of ten- and
# nine-digit plans without a prefix.
_GAP = r"[ \u00a0./()-]{0,3}"
_TRUNK = "|".join(rf"\d{{{n}}}\)?[ \u00a0/-](?:[ \u00a0/()-]{{0,3}}\d){{{8 - n},10}}" for n in range(1, 6))
_PHONE = re.compile(
    rf"(?:(?<=\+)[1-9]|00[1-9]\d{{0,2}}[ \u00a0./-])(?:{_GAP}\d){{7,13}}{_END}"
    rf"|0(?:{_TRUNK}){_END}"
    rf"|0\d(?:\.\d\d){{4}}{_END}"
    rf"|(?:1[ .-])?\(?[2-9]\d\d(?:\) ?|[ .-])[2-9]\d\d[ .-]\d{{4}}{_END}"
    rf"|[2-9]\d\d(?:(?:[ -]\d{{3}}){{2}}|(?:[ -]\d\d){{3}}){_END}"
)

_TOKEN = re.compile(rf"{_START}(?<![^\W_]-)(?:[^\W\d_]++(?:-[^\W\d_]++)*+-?)?+\d[^\W_]*+(?:-[^\W_]++)*+")
_CODE = re.compile(
    rf"(?!(?:{_CODES.replace(' ', '|')})\d+\Z)"
    r"(?:.*\d{6}|[a-z]{1,4}-?\d{5}|[a-z]{1,4}(?:-\d+){2}"
    r"|(?:order|ord|inv|invoice|po|rma|ref|trk|tkt|ticket|so|case)-?\d{3})",
    re.IGNORECASE,
)
_JOINT = re.compile(r"\s*(?:,|and|&|or|/|\+)\s*#?|\s*#")
_NAMED_WITHIN = 40
_REFERENCE = re.compile(
    r"orders?(?:'s|-?number)?|purchases?|invoices?|receipts?|tracking|track|parcels?|packages?|shipments?|bookings?"
    r"|reservation|tickets?|case|request|ref(?:erence|\.)?|confirmation|transaction|account|customer|contract|voucher"
    r"|rma|cancel|cancell?ing|bestellung|bestellnummer|auftrag|rechnung|commande|facture|pedido|factura|ordine"
)
_NUMBER_WORD = re.compile(r"numbers?,?|no\.?|(?:nr|num)\.?|id|code|ref(?:erence|\.)?")
_NUMBER_ALONE = re.compile(r"number|(?:no|nr|num)\.")
_COPULA = re.compile(r"is|are|was|were")
_MIN_DIGITS = 3


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


def _find(text: str) -> list[tuple[int, int, str]]:
    """(start, end, kind) of everything to be masked, kind after kind."""
    rest = text
    found: list[tuple[int, int, str]] = []
    if "[" in rest:
        rest = _blanked(rest, [typed.span() for typed in _TYPED_PLACEHOLDER.finditer(rest)])
    if "://" in rest or "www." in rest.lower():
        rest = _take("URL", _urls, rest, found)
    if "@" in rest:
        rest = _take("EMAIL", _emails, rest, found)
    if _ENOUGH_DIGITS.search(rest):
        for kind, spans_in in _NUMERIC:
            rest = _take(kind, spans_in, rest, found)
    return found


def _take(kind: str, spans_in: Callable[[str], Spans], rest: str, found: list[tuple[int, int, str]]) -> str:
    """Add what `spans_in` finds to `found`, unless it is only to be kept (no kind); `rest` without it."""
    spans = list(spans_in(rest))
    if not spans:
        return rest
    if kind:
        found += [(start, end, kind) for start, end in spans]
    return _blanked(rest, spans)


def _blanked(text: str, spans: list[tuple[int, int]]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in spans:
        pieces += text[done:start], _BLANK * (end - start)
        done = end
    return "".join((*pieces, text[done:]))


def _urls(text: str) -> Spans:
    """Links that may carry a secret: with user information, a query or a fragment. Others are left to read."""
    for found in _URL.finditer(text):
        link = found[0].rstrip(_URL_TAIL)
        authorities = [rest.partition("/")[0] for rest in link.split("://")[1:]]
        if "?" in link or "#" in link or any("@" in authority for authority in authorities):
            yield found.start(), found.start() + len(link)


def _emails(text: str) -> Spans:
    for found in _EMAIL.finditer(text):
        yield found.span()


def _ibans(text: str) -> Spans:
    return _checked(_IBAN, _is_iban, text)


def _is_iban(candidate: str) -> bool:
    compact = candidate.replace(" ", "").replace("-", "")
    return len(compact) == _iban_length(compact[:2].upper()) and iban.is_valid(compact, check_country=False)


@cache
def _iban_length(country: str) -> int:
    """Characters of an IBAN of `country`, by the register that python-stdnum carries; 0 where it has none."""
    _, rules = _IBAN_REGISTER.info(country)[0]
    structure = rules.get("bban", "")
    return sum(map(int, re.findall(r"(\d+)!", structure))) + 4 if structure else 0


def _cards(text: str) -> Spans:
    return _checked(_CARD, _is_card, text)


def _is_card(candidate: str) -> bool:
    digits = candidate.replace(" ", "").replace("-", "")
    return len(digits) in _CARD_DIGITS and luhn.is_valid(digits)


def _checked(pattern: re.Pattern[str], valid: Callable[[str], bool], text: str) -> Spans:
    """The longest valid run of groups from each start; where a start has none, the next group is tried."""
    at = 0
    while found := pattern.search(text, at):
        start, candidate = found.start(), found[0]
        while candidate and not valid(candidate):
            candidate = candidate[: max(candidate.rfind(" "), candidate.rfind("-"), 0)]
        if candidate:
            yield start, start + len(candidate)
        at = start + max(len(candidate), 1)


def _kept(text: str) -> Spans:
    """Dates and amounts, a currency before the number included: no other kind may take it away."""
    done = 0
    for number in _NUMBER.finditer(text):
        start = number.start()
        if start < done:
            continue
        currency = _CURRENCY_BEFORE.search(text, max(0, start - 4), start)
        found = (currency and _AMOUNT.match(text, start)) or _KEPT.match(text, start)
        if found:
            done = found.end()
            yield currency.start() if currency else start, done


def _ips(text: str) -> Spans:
    if text.count(".") >= 3 or text.count(":") >= 2:
        for found in _IP.finditer(text):
            yield found.span()


def _phones(text: str) -> Spans:
    done = 0
    for number in _NUMBER.finditer(text):
        start = number.start()
        if start >= done and (found := _PHONE.match(text, start)):
            done = found.end()
            before = text[start - 1 : start]
            opened = before == "(" and found[0].count(")") > found[0].count("(")
            yield start - (before == "+" or opened), done


def _orders(text: str) -> Spans:
    """Order, invoice and tracking references, and whatever else looks like an identifier.

    A short number counts when a word before it says what it is, or when it follows one that was so named ("orders
    48213 and 48214"). A value named once is masked wherever else it stands.
    """
    tokens = [found.span() for found in _TOKEN.finditer(text)]
    taken: set[str] = set()
    named_until = -1
    for start, end in tokens:
        token = text[start:end]
        digits = sum(map(str.isdigit, token))
        if digits < _MIN_DIGITS:
            continue
        needed = _digits_needed(text[max(0, start - _NAMED_WITHIN) : start], token)
        joined = named_until >= 0 and digits > _MIN_DIGITS and _JOINT.fullmatch(text, named_until, start)
        if joined or (needed and digits >= needed):
            named_until = end
            taken.add(token)
        elif _CODE.match(token):
            taken.add(token)
    for start, end in tokens:
        if text[start:end] in taken:
            yield start, end


def _digits_needed(before: str, token: str) -> int:
    """How many digits make `token` a reference, given the words before it; 0 where they do not name one.

    Three after '#', after 'order number', or in 'A-771' after 'order'; a plain number needs four after 'order', and
    five after 'number' or 'no.' alone.
    """
    if before.endswith("#"):
        return _MIN_DIGITS
    certain = token[0].isalpha()
    alone = 0
    for written in reversed(before.lower().split()):
        word = written.strip("#:=([\"'_")
        if word and _REFERENCE.fullmatch(word):
            return _MIN_DIGITS if certain else _MIN_DIGITS + 1
        if _NUMBER_WORD.fullmatch(word):
            certain = True
            alone = _MIN_DIGITS + 2 if _NUMBER_ALONE.fullmatch(word) else alone
        elif word and not _COPULA.fullmatch(word):
            break
    return alone


# In this order. Cards and IBANs come before the kept amounts, whose patterns would cut into their groups; telephones
# before addresses, which would take four of the five groups of a French number.
_NUMERIC: tuple[tuple[str, Callable[[str], Spans]], ...] = (
    ("IBAN", _ibans),
    ("CARD", _cards),
    ("", _kept),
    ("PHONE", _phones),
    ("IP", _ips),
    ("ORDER", _orders),
)
