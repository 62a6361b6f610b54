"""Find signatures: the closing formula of a mail, the name and the contact lines below it.

A signature ends before the first line that looks like a sentence, a question, a postscript or an order number: what a
customer writes below the name stays own text.
"""

from __future__ import annotations

import re

from frontdesk.masking.lexicons.given_names import GIVEN_NAMES
from frontdesk.messages.lexicons.sign_offs import FIRST_WORDS, FORMULA, PARTICLES, REFERENCES, ROLES, THANKS
from frontdesk.messages.lines import Lines
from frontdesk.messages.message import PartKind

MAX_SIGNATURE_LINES = 15
MAX_SIGN_OFF = 160
MAX_SHORT_SIGN_OFF = 60
MAX_LINES_TO_END = 30
"""A signature begins at most so many lines before the end of the text or the next quotation."""
MAX_CANDIDATES = 200
MAX_NAME = 44
MAX_TITLE = 70
MAX_TITLE_WORDS = 4
MAX_CONTACT = 150
MAX_SENTENCE_WORDS = 9


def mark_signatures(lines: Lines) -> None:
    """Set the kind of all signature lines that are not yet part of something else."""
    _check_hints(lines)
    has_text = False
    examined = 0
    for start, end in list(lines.runs()):
        index = start
        while index < end:
            key = lines.keys[index]
            stop = index
            if key and len(key) <= MAX_SIGN_OFF and end - index <= MAX_LINES_TO_END and examined < MAX_CANDIDATES:
                examined += 1
                stop = _signature_end(lines, index, end) if has_text else index
                if stop == index and key in _DELIMITERS:
                    stop = _delimited_end(lines, index, end)
            if stop > index:
                lines.mark(index, stop, PartKind.SIGNATURE)
                index = stop
            else:
                has_text = has_text or bool(key)
                index += 1
    if has_text:
        _mark_last_name(lines)


def _check_hints(lines: Lines) -> None:
    """Drop the kind that markup gave to a signature where it holds sentences: some clients let people write there."""
    for index, kind in enumerate(lines.kinds):
        if kind is PartKind.SIGNATURE and (_is_sentence(lines.keys[index]) or _POSTSCRIPT.match(lines.keys[index])):
            lines.kinds[index] = None


def _signature_end(lines: Lines, index: int, end: int) -> int:
    """The line after the signature whose closing formula is line `index`; `index` where there is none."""
    key = lines.keys[index]
    lowered = key.lower()
    is_long = any(word in lowered for word in _LONG_FORMULA)
    if not is_long and (len(key) > MAX_SHORT_SIGN_OFF or _first_letters(lowered) not in FIRST_WORDS):
        return index
    following = _next_written(lines, index + 1, end)
    follower = lines.keys[following] if following < end else ""
    match = FORMULA.match(key)
    if match and _is_rest_of_formula(key[match.end() :]):
        if follower and not _is_first_name_line(follower) and not _is_signature_line(follower) and following == index + 1:
            return index
        return _block_end(lines, index + 1, end)
    match = THANKS.match(key)
    if match is None:
        return index
    rest = key[match.end() :].strip(_PUNCTUATION)
    if rest:
        return _block_end(lines, index + 1, end) if is_name(rest) and key[match.end()] in ", -!." else index
    return _block_end(lines, index + 1, end) if follower and is_name(follower) and _ends_block(lines, following, end) else index


def _first_letters(lowered: str) -> str:
    match = _WORD.search(lowered, 0, 24)
    return match[0].partition("'")[0].partition("-")[0][:4] if match else ""


def _ends_block(lines: Lines, index: int, end: int) -> bool:
    """Return whether no sentence follows the name in line `index` within its paragraph."""
    following = lines.keys[index + 1] if index + 1 < end else ""
    return not following or _is_signature_line(following) or bool(REFERENCES.match(following))


def _block_end(lines: Lines, index: int, end: int) -> int:
    """The line after the name and contact lines that begin at `index`."""
    stop = index
    count = 0
    while index < end and count < MAX_SIGNATURE_LINES:
        key = lines.keys[index]
        if key:
            accepted = _is_signature_line(key) or (count == 0 and _is_first_name_line(key))
            if not accepted:
                break
            count += 1
            stop = index + 1
        index += 1
    return stop


def _delimited_end(lines: Lines, index: int, end: int) -> int:
    """The line after the signature below a delimiter ("-- "); `index` where own text follows it."""
    count = 0
    stop = index + 1
    for at in range(index + 1, end):
        key = lines.keys[at]
        if not key:
            continue
        count += 1
        if count > MAX_SIGNATURE_LINES or _POSTSCRIPT.match(key):
            return stop if count > 1 and count <= MAX_SIGNATURE_LINES else index
        if _is_question(key) or (_is_sentence(key) and count == 1) or REFERENCES.search(key):
            return stop if count > 1 else index
        stop = at + 1
    return stop


def _mark_last_name(lines: Lines) -> None:
    """Mark a name without a closing formula that ends the own text, with the contact lines below it."""
    own = lines.undecided()
    while own and not lines.keys[own[-1]]:
        own.pop()
    if not own:
        return
    end = own[-1] + 1
    start = own[-1]
    while start > 0 and lines.kinds[start - 1] is None and lines.keys[start - 1]:
        start -= 1
    above = lines.keys[: start or end - 1]
    last_above = next((key for key in reversed(above) if key), "")
    if not start:
        start = end - 1  # a text without a blank line: only its last line may be a name
        if start == 0 or last_above[-1:] not in ".!?":
            return
    first = lines.keys[start]
    if not last_above or last_above.endswith((":", ",")) or not is_name(first):
        return
    others = [key for key in lines.keys[start + 1 : end] if key]
    if len(others) > MAX_SIGNATURE_LINES or not all(map(_is_signature_line, others)):
        return
    is_known = first.split()[0].strip(".,").lower() in GIVEN_NAMES
    if is_known or any(_is_contact(key) or not ROLES.isdisjoint(key.lower().split()) for key in others):
        lines.mark(start, end, PartKind.SIGNATURE)


def is_name(key: str) -> bool:
    """Return whether a line looks like the name of a person or company: one to four capitalized words."""
    words = key.strip(_PUNCTUATION).split()
    if not 1 <= len(words) <= 5 or len(key) > MAX_NAME or key.endswith(("?", ":")) or not words[0][0].isalpha():
        return False
    if words[0].lower() in _NOT_FIRST_IN_NAME:
        return False
    return all(
        (word[0].isupper() and _NAME_WORD.fullmatch(word)) or word.lower() in PARTICLES or word in _JOINTS for word in words
    ) or (len(words) == 1 and words[0].lower() in GIVEN_NAMES)


def _is_first_name_line(key: str) -> bool:
    """Return whether the line below a closing formula may be a name, also in small letters."""
    words = key.strip(_PUNCTUATION).split()
    if is_name(key):
        return True
    return 0 < len(words) <= 3 and len(key) <= MAX_NAME and not _HAS_DIGIT.search(key) and key[-1] not in "?!:." and key.islower() and (
        words[0] in GIVEN_NAMES or len(words) == 1
    )


def _is_signature_line(key: str) -> bool:
    """Return whether a line is a name, a title, a company, an address or contact details."""
    if _is_question(key) or _POSTSCRIPT.match(key) or REFERENCES.search(key):
        return False
    return _is_contact(key) or _is_title(key) or key in _DELIMITERS or not _HAS_LETTER_OR_DIGIT.search(key)


def _is_contact(key: str) -> bool:
    """Return whether a line holds contact details and is not a sentence."""
    if len(key) > MAX_CONTACT or not _CONTACT.search(key):
        return False
    words = _WORD.findall(_ADDRESS.sub("", key))
    return len(words) <= MAX_SENTENCE_WORDS and not (words and words[0].lower() in _SENTENCE_STARTS)


def _is_title(key: str) -> bool:
    """Return whether a line is a short phrase in capitals, as job titles, companies and streets are written."""
    if len(key) > MAX_TITLE or key[-1] in "!?:" or (key[-1] == "." and not _ABBREVIATION.search(key)):
        return False
    words = [word for word in _WORD.findall(key) if word.lower() not in PARTICLES and len(word) > 1]
    if not words or len(words) > 8 or words[0].lower() in _SENTENCE_STARTS:
        return not words and bool(_HAS_DIGIT.search(key)) and len(key) <= 30 and bool(_PHONE.search(key))
    if words[0].lower() in ROLES and len(words) <= MAX_TITLE_WORDS:
        return True
    return sum(word[0].isupper() for word in words) >= 0.6 * len(words)


def _is_question(key: str) -> bool:
    return key.endswith("?") and len(key.split()) > 2


def _is_sentence(key: str) -> bool:
    """Return whether a line reads like a sentence of the customer."""
    if _is_question(key):
        return True
    return len(_WORD.findall(key)) > 5 and not _CONTACT.search(key) and not _is_title(key)


def _is_rest_of_formula(rest: str) -> bool:
    """Return whether what follows a closing formula on its line is nothing, a name or a place."""
    if rest and rest[0] not in _PUNCTUATION:
        return False
    rest = rest.strip(_PUNCTUATION)
    return not rest or is_name(rest) or bool(_PLACE.fullmatch(rest)) or (rest.islower() and rest.split()[0] in GIVEN_NAMES and len(rest.split()) < 3)


def _next_written(lines: Lines, index: int, end: int) -> int:
    while index < end and not lines.keys[index]:
        index += 1
    return index


_LONG_FORMULA = ("salut", "salud", "sentiment", "considération", "porg", "particular")
_DELIMITERS = frozenset({"--", "-- ", "---", "- -", "__", "___"})
_PUNCTUATION = " ,.!;:-*_~\t/()<>|&'\"\u2764\u263a\U0001f642\U0001f60a"
_JOINTS = frozenset({"&", "+", "/", "-", "|"})
_NAME_WORD = re.compile(r"(?:[^\W\d_]['.-]?){1,24}(?:,)?")
_NOT_FIRST_IN_NAME = frozenset(
    "hello hi hey dear hallo guten bonjour hola olá ciao salve buongiorno beste dzień witam yes no ok ja nein oui non si sí não please bitte urgent dringend "
    "thanks thank danke merci gracias grazie obrigado obrigada order bestellung and und also auch re aw i it the".split()
)
_SENTENCE_STARTS = frozenset(
    "please bitte could can would will i we my is are do does why when where what how ich wir mein meine können könnten warum wann wo wie je nous mon ma pouvez "
    "pourriez quand yo mi puede pueden podrían cuándo eu meu minha podem quando io il mio potete ik mijn kunt wanneer proszę czy kiedy chcę also auch and und the "
    "call ruf rufen appelez llamen ligue chiamate bel".split()
)
_POSTSCRIPT = re.compile(r"(?:p\.?\s?s\.?|n\.?\s?b\.?|edit|nachtrag|update)\s?[:.\-, ]", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_][\w'-]*")
_HAS_DIGIT = re.compile(r"\d")
_HAS_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_PHONE = re.compile(r"\+?[\d(][\d ()/.-]{5,}\d")
_ADDRESS = re.compile(r"\S+@\S+|https?://\S+|www\.\S+|\S+\.(?:com|net|org|de|fr|es|pt|it|nl|pl|example|eu|co)\b\S*")
_CONTACT = re.compile(
    r"\S@\S|https?://|\bwww\.|\+?[\d(][\d ()/.-]{6,}\d|\b(?:tel|telefon|téléphone|tél|teléfono|telefone|telefono|telefoon|phone|mobile?|mobil|handy|móvil|movil|cell|cellulare|gsm|fax|e-?mail"
    r"|web|skype|kom|t|m)\b\.?\s?:|\b(?:tel|tél|mob|kom)\.\s?\d|\s\|\s|\b\d{4,5}\s[A-ZÄÖÜ][a-zäöü]+|\b(?:rue|avenue|boulevard|calle|plaza|via|viale|piazza|rua|avenida|street|road|lane|ul\.|ulica|aleja)\s[^\W\d_]+.{0,20}\b\d|\d\w?,? (?:bis |ter )?(?:rue|avenue|boulevard|allée|chemin|place)\b|\b(?:linkedin|facebook|instagram|twitter)\b",
    re.IGNORECASE,
)
_ABBREVIATION = re.compile(r"(?:Ltd|Inc|Co|Corp|S\.A|S\.L|S\.p\.A|S\.r\.l|Lda|B\.V|N\.V|Sp\. z o\.o|z o\.o|e\.V|e\.K|Jr|Sr|Dr|str|Str)\.$")
_PLACE = re.compile(r"(?:aus|from|de|von|vom|uit|da|z|ze|från|fra|nach|in|an alle) (?:[^\W\d_]['-]?){2,30}(?: (?:[^\W\d_]['-]?){2,30}){0,3}", re.IGNORECASE)
