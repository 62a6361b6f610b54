# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Names of people, where something says that one stands there, or where a known given name begins it.

What comes before decides how much is asked of the words: after "Dear" any capital word will do that is no stop word;
after "Hi" it must be a known given name, or end at a comma or the line's end; after "this is" only a known given name
counts. Two capital words of which the first is a known given name are a name anywhere. Titles are left to read.

Not known: names in lower case that are in no list, names that are also brands, nicknames.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from frontdesk.security.masking import name_words as words
from frontdesk.security.masking.given_names import AMBIGUOUS, GIVEN_NAMES
from frontdesk.security.masking.spans import END, START, Found

_UPPER = "A-ZÀ-ÖØ-ÞĆČĐĞĽŁŃŇŐŒŘŚŞŠŤŰŹŻŽİ"
_LETTER = r"[^\W\d_]"
_CAPITAL = rf"[{_UPPER}]{_LETTER}{{1,30}}+(?:['’-]{_LETTER}{{1,30}}+){{0,3}}"
_PART = rf"(?:(?:Mc|Mac|O['’]|D['’]|d['’]|Dell['’]|L['’])?{_CAPITAL})"
_INITIAL = rf"[{_UPPER}]\.(?:-?[{_UPPER}]\.)?"
_RUN = rf"(?:{_PART}|{_INITIAL})(?: ?(?:(?<=\.)| )(?:{words.PARTICLE} )?(?:{_PART}|{_INITIAL})){{0,3}}{END}"
_ANY_CASE = rf"{_LETTER}{{2,30}}+(?:-{_LETTER}{{2,30}}+)?{END}"
_GAP = r"[ \t]{1,3}"
_TITLES = rf"(?:{words.TITLE}[ ]){{0,3}}"
_LINE_ENDS = r"(?=[ \t]*[.,!)\"]{0,2}[ \t]*(?:\r?\n|\Z))"


def _cue(before: str, after: str = "") -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{before})(?P<name>(?-i:{_RUN})){after}", re.IGNORECASE)


_SURE = _cue(rf"(?:{words.SURE}){_GAP}{_TITLES}|(?:{words.TITLE_ALONE})\.?{_GAP}{_TITLES}")
_GREETED = _cue(rf"(?:{words.GREETING}),?{_GAP}{_TITLES}", r"(?=[ ]?[,!:;\n\r–—-]|\.?\s*\Z|[ ]?\.\s)")
_CLOSED = _cue(
    rf"(?:{words.CLOSING}|{words.THANKS}(?:,? (?:and|und|et|y|e) (?:{words.CLOSING}))?)[,.!]?(?:[ \t]*\r?\n[ \t]*){{1,3}}{_TITLES}"
    rf"|(?:{words.CLOSING})[ ]?[,.!-]?{_GAP}{_TITLES}|(?:{words.THANKS})[ ]?[,-]{_GAP}",
    _LINE_ENDS,
)
_SPOKEN = re.compile(rf"(?<![^\W_])(?P<name>{_RUN}),? (?:{words.SPEAKING}){END}")
_PERSON = _cue(
    rf"(?:{words.PERSON}|{words.GREETING}|{words.THANKS}|{words.CLOSING})[,!.]?{_GAP}(?:(?:so much|again|a lot|mille|beaucoup"
    rf"|mucho|muchas|vielmals),?[ ])?",
)
_LINE = _cue(r"(?:\A|\n)[ \t]*[-–—~]?[ ]?", _LINE_ENDS)
_LOWER = re.compile(
    rf"{START}(?:{words.GREETING}|dear|{words.THANKS}|{words.CLOSING}|name is|this is|heiße|appelle|llamo|chiamo)[,!]?\s{{1,3}}"
    rf"(?P<name>{_ANY_CASE})",
    re.IGNORECASE,
)
_FULL = re.compile(
    rf"[{_UPPER}](?<![^\W_].){_LETTER}{{1,30}}+(?:-{_LETTER}{{1,30}}+)?(?: (?:{words.PARTICLE} )?(?:{_PART}|{_INITIAL})){{1,3}}{END}"
)

Judge = Callable[[list[str]], bool]

_LOOKED_FOR_AGAIN = 16

_WORDS = re.compile(r"[^\W\d_]+")
_SURE_WORDS = frozenset(
    """
    dear geehrte geehrter geehrtes liebe lieber liebes werte werter estimado estimada querido querida gentile
    egregio egregia gent beste name nom nombre nome heiße heisse appelle nomme llamo chiamo den intestato
    intestata cardholder holder kontoinhaber kontoinhaberin titular titulaire intestatario recipient empfänger
    empfängerin destinataire destinatario attn c hd signed gezeichnet mr mrs ms miss mister dr prof herr herrn
    frau mme mlle monsieur madame señor señora sra srta doña signor signora signorina sig mevrouw dhr
    """.split()
)
_GREETING_WORDS = frozenset(
    """
    hi hello hey hiya heya howdy greetings morning afternoon evening hallo hallöchen moin servus tag morgen
    abend grüezi bonjour bonsoir salut coucou cher chère chere hola buenas días tardes noches ciao salve
    buongiorno buonasera caro cara hej
    """.split()
)
_CLOSING_WORDS = frozenset(
    """
    thanks thank thx ty cheers danke dank merci gracias grazie obrigado obrigada tack bedankt regards wishes
    rgds br yours sincerely respectfully best care love xoxo grüße grüßen grüsse grüssen gruß gruss
    hochachtungsvoll mfg lg vg bg ihr ihre eure euer dein cordialement cdt cdlt vous amicalement sincèrement
    salutations bises bientôt saludo saludos atentamente atte abrazo abrazos cordialmente saluti saluto presto
    fede hälsning mvh groet groeten groetjes
    """.split()
)
_SPEAKING_WORDS = frozenset("speaking calling apparat appareil habla telefono writing".split())
_CUES = (
    (_SURE, _SURE_WORDS),
    (_GREETED, _GREETING_WORDS),
    (_CLOSED, _CLOSING_WORDS),
    (_SPOKEN, _SPEAKING_WORDS),
)


def names(text: str) -> Iterator[Found]:
    """A value that was found once is masked wherever else it stands."""
    seen = set(_WORDS.findall(text.lower()))
    known = not GIVEN_NAMES.isdisjoint(seen)
    spans: list[tuple[int, int]] = []
    for cue, first_words in _CUES:
        if not first_words.isdisjoint(seen):
            spans += _after(cue, text, _enough_anywhere)
    if known:
        spans += _after(_PERSON, text, _is_known)
        spans += _after(_LINE, text, _is_known)
        spans += _after(_LOWER, text, _is_known)
        spans += [span for found in _FULL.finditer(text) if (span := _name_in(text, *found.span(), _is_full_name))]
    yield from _apart(text, spans)


def _after(cue: re.Pattern[str], text: str, enough: Judge) -> Iterator[tuple[int, int]]:
    at = 0
    while found := cue.search(text, at):
        if span := _name_in(text, *found.span("name"), enough):
            yield span
        at = max(found.start("name"), found.start() + 1)


def _name_in(text: str, start: int, end: int, enough: Judge) -> tuple[int, int] | None:
    """The words of `text[start:end]` up to the first that is in no name, if they are `enough`."""
    parts: list[str] = []
    stop = start
    for part in re.finditer(r"[^ ]+", text[start:end]):
        plain = part[0].lower().replace("’", "'")
        if plain in words.ORGANISATION:
            return None
        if plain in words.NOT_A_NAME and not (parts and re.fullmatch(words.PARTICLE, plain)):
            break
        parts.append(part[0])
        if part[0][0].isupper() or len(parts) == 1:
            stop = start + part.end()
    while parts and parts[-1].islower() and len(parts) > 1:
        parts.pop()
    return (start, stop) if parts and enough(parts) else None


def _is_known(parts: list[str]) -> bool:
    return re.split(r"[-'’]", parts[0].lower(), maxsplit=1)[0] in GIVEN_NAMES


def _is_full_name(parts: list[str]) -> bool:
    return len(parts) > 1 and _is_known(parts)


def _enough_anywhere(parts: list[str]) -> bool:
    """Known, or written as names are: a capital and small letters, no brand's capitals inside, more than an initial."""
    return _is_known(parts) or any(
        len(part) > 2
        and (part.istitle() or part.lower() in AMBIGUOUS or re.match(r"(?:Mc|Mac|De|Di|La|Le|Van)[A-Z][a-z]", part))
        for part in parts
    )


def _apart(text: str, spans: list[tuple[int, int]]) -> Iterator[Found]:
    """The longest of the spans that overlap, and wherever else the values of the first of them stand."""
    for value in dict.fromkeys(text[start:end] for start, end in spans[:_LOOKED_FOR_AGAIN]):
        spans += [found.span() for found in re.finditer(rf"{START}{re.escape(value)}{END}", text)]
    done = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= done:
            done = end
            yield start, end, "NAME"
