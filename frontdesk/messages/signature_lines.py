"""Decide what a line of a signature is: a name, contact details, a job title, or a sentence of the customer."""

from __future__ import annotations

import re

from frontdesk.masking.lexicons.given_names import GIVEN_NAMES
from frontdesk.messages.lexicons.sign_offs import PARTICLES, REFERENCES, ROLES

MAX_NAME = 44
MAX_NAME_WORDS = 5
MAX_TITLE = 70
MAX_TITLE_WORDS = 8
MAX_ROLE_WORDS = 4
MAX_CONTACT = 150
MAX_CONTACT_WORDS = 9
MIN_CAPITALS = 0.6
DELIMITERS = frozenset({"--", "---", "- -", "__", "___"})
"""Lines that separate a signature from the text above it."""
PUNCTUATION = " ,.!;:-*_~\t/()<>|&'\"\u2764\u263a\U0001f642\U0001f60a"
"""Characters around names and closing formulas."""


def is_name(line: str) -> bool:
    """Return whether a line looks like the name of a person or company: one to five capitalized words."""
    words = line.strip(PUNCTUATION).split()
    if not 1 <= len(words) <= MAX_NAME_WORDS or len(line) > MAX_NAME or line.endswith(("?", ":")):
        return False
    first = words[0].lower()
    if not first[0].isalpha() or first in _NOT_FIRST_IN_NAME:
        return False
    return (len(words) == 1 and first in GIVEN_NAMES) or all(
        (word[0].isupper() and _NAME_WORD.fullmatch(word)) or word.lower() in PARTICLES or word in _JOINTS
        for word in words
    )


def is_name_below_formula(line: str) -> bool:
    """Return whether the line below a closing formula may be a name, also in small letters."""
    if is_name(line):
        return True
    words = line.strip(PUNCTUATION).split()
    if not 1 <= len(words) <= 3 or len(line) > MAX_NAME or line[-1] in "?!:." or _DIGIT.search(line):
        return False
    return line.islower() and (len(words) == 1 or words[0] in GIVEN_NAMES)


def is_signature_line(line: str) -> bool:
    """Return whether a line is a name, a title, a company, an address or contact details."""
    if is_question(line) or is_postscript(line) or has_reference(line):
        return False
    return is_contact(line) or is_title(line) or is_rule(line) or not _LETTER_OR_DIGIT.search(line)


def is_contact(line: str) -> bool:
    """Return whether a line holds contact details and is not a sentence."""
    if len(line) > MAX_CONTACT or not _CONTACT.search(line):
        return False
    words = _WORD.findall(_ADDRESS.sub("", line))
    return not words or (len(words) <= MAX_CONTACT_WORDS and words[0].lower() not in _SENTENCE_STARTS)


def is_title(line: str) -> bool:
    """Return whether a line is a short phrase in capitals, as job titles, companies and streets are written."""
    if len(line) > MAX_TITLE or line[-1] in "!?:" or (line[-1] == "." and not _ABBREVIATION.search(line)):
        return False
    words = [word for word in _WORD.findall(line) if len(word) > 1 and word.lower() not in PARTICLES]
    if not words:
        return bool(_PHONE.search(line))
    first = words[0].lower()
    if len(words) > MAX_TITLE_WORDS or first in _SENTENCE_STARTS:
        return False
    if first in ROLES and len(words) <= MAX_ROLE_WORDS:
        return True
    capitals = [word for word in words if word[0].isupper()]
    return len(capitals) >= MIN_CAPITALS * len(words)


def is_rule(line: str) -> bool:
    """Return whether a line is a row of at least three equal signs."""
    return len(line) >= 3 and line[0] in "-_*=#~+" and not line.strip(line[0])


def is_signed_name(line: str) -> bool:
    """Return whether a line is a name behind a dash or tilde: "- Anna", "~Tom"."""
    return line[:1] in "-~/\u2013\u2014" and len(line) > 2 and is_name(line[1:].lstrip("-~ "))


def is_role(line: str) -> bool:
    """Return whether a line names a job or a department."""
    return not ROLES.isdisjoint(line.lower().split())


def is_question(line: str) -> bool:
    """Return whether a line is a question of more than two words."""
    return line.endswith("?") and len(line.split()) > 2


def is_sentence(line: str) -> bool:
    """Return whether a line reads like a sentence of the customer."""
    if is_question(line):
        return True
    return len(_WORD.findall(line)) > 5 and not (_CONTACT.search(line) or is_title(line))


def is_postscript(line: str) -> bool:
    """Return whether a line begins a postscript."""
    return bool(_POSTSCRIPT.match(line))


def has_reference(line: str) -> bool:
    """Return whether a line names an order, invoice or customer number."""
    return bool(REFERENCES.search(line))


def is_given_name(word: str) -> bool:
    """Return whether a word is a common given name."""
    return word.strip(".,").lower() in GIVEN_NAMES


_JOINTS = frozenset({"&", "+", "/", "-", "|"})
_NAME_WORD = re.compile(r"(?:[^\W\d_]['.-]?){1,24},?")
_NOT_FIRST_IN_NAME = frozenset(
    """
    hello hi hey dear hallo guten bonjour hola olá ciao salve buongiorno beste dzień witam yes no ok ja nein oui non si
    sí não please bitte urgent dringend thanks thank danke merci gracias grazie obrigado obrigada order bestellung and
    und also auch re aw i it the
    """.split()
)
_SENTENCE_STARTS = frozenset(
    """
    please bitte can could would will i we my is are do does why when where what how ich wir mein meine können könnten
    warum wann wo wie je nous mon ma pouvez pourriez quand yo mi puede pueden podrían cuándo eu meu minha podem quando
    io il mio potete ik mijn kunt wanneer proszę czy kiedy chcę also auch and und the call ruf rufen appelez llamen
    ligue chiamate bel
    """.split()
)
_POSTSCRIPT = re.compile(r"(?:p\.?\s?s\.?|n\.?\s?b\.?|edit|nachtrag|update)\s?[:.\-, ]", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_][\w'-]*")
_DIGIT = re.compile(r"\d")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_PHONE = re.compile(r"\+?[\d(][\d ()/.-]{5,}\d")
_ADDRESS = re.compile(r"\S+@\S+|https?://\S+|www\.\S+|\S+\.(?:com|net|org|de|fr|es|pt|it|nl|pl|example|eu|co)\b\S*")
_STREET = r"(?:rue|avenue|boulevard|allée|chemin|place|calle|plaza|via|viale|piazza|rua|avenida|street|road|lane|ulica)"
_CONTACT = re.compile(
    r"\S@\S|https?://|\bwww\.|\+?[\d(][\d ()/.-]{6,}\d|\s\|\s|\b\d{4,5}\s[A-ZÄÖÜ][a-zäöü]+"
    r"|\b(?:tel|telefon|téléphone|tél|teléfono|telefone|telefono|telefoon|phone|mobile?|mobil|handy|móvil|movil|cell|gsm"
    r"|cellulare|fax|e-?mail|web|skype|kom|t|m)\b\.?\s?:|\b(?:tel|tél|mob|kom|cell)\.\s?\d"
    rf"|\b{_STREET}\s[^\W\d_]+.{{0,20}}\b\d|\d\w?,? (?:bis |ter )?{_STREET}\b|\bul\.\s\w"
    r"|\d\w? [^\W\d_]+ (?:st|rd|ave|ln|blvd)\b|[^\W\d_](?:straße|strasse|str\.|weg|platz|gasse|allee|straat|laan) \d"
    r"|\b(?:linkedin|facebook|instagram|twitter)\b",
    re.IGNORECASE,
)
_ABBREVIATION = re.compile(
    r"(?:Ltd|Inc|Co|Corp|S\.A|S\.L|S\.p\.A|S\.r\.l|Lda|B\.V|N\.V|Sp\. z o\.o|z o\.o|e\.V|e\.K|Jr|Sr|Dr|str|Str)\.$"
)
