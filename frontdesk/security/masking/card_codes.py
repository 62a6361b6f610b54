# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Codes that prove who pays: CVV, CVC, PIN, TAN and one-time codes, after or before the words that announce them.

    "CVV 123"    "Prüfziffer: 123"    "my PIN is 4 8 2 1"    "le cryptogramme est le 123"    "123 is my security code"

PCI DSS 3.3 forbids keeping a card's security code at all. Not known: codes that nothing announces, and passwords.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from frontdesk.security.masking.amounts import CODES
from frontdesk.security.masking.reference_words import kind_of
from frontdesk.security.masking.separated import DIGIT_WORD
from frontdesk.security.masking.spans import BLANK, END, START, Found, word_starts

_CUES = (
    # abbreviations
    r"cv[vcn][ -]?2?|ccv2?|cv2|csc|otp|(?-i:CVD|CAV2?|CID|TAN)|mtan|pin[ -]?(?:code|number|nummer|kode|kod|nr)?|puk"
    # English
    r"|(?:card[ -])?(?:security|verification|validation)[ -]?(?:code|digits|value)|card[ -](?:security|verification|validation)[ -]number|card[ -]code|security number|last (?:three|3) digits|passcode|pin code|one[ -]time[ -](?:code|password|passcode|pin)"
    r"|(?:(?:the|last|my) ){0,2}(?:(?:three|four|3|4)[ -]?)?(?:digits?|numbers?|code|digit (?:code|number))(?: code| number)?(?: (?:(?:on|at|from|of) )?(?:the |its |my )?(?:back|rear|front|reverse)(?: side)?)(?: of (?:my|the) card)?"
    r"|(?:(?:the|last|my) ){0,2}(?:three|four|3|4)?[ -]?digit[ -](?:security )?(?:code|number|pin)|(?:the|my) last (?:three|four|3|4)(?: digits)?(?: are| is| (?:on|at|from|of) (?:the |its )?back)"
    r"|(?:digits?|number|code) on the (?:back|rear|reverse)"
    # German
    r"|(?:karten)?(?:prüf|pruef|sicherheits|kontroll|verifizierungs|bestätigungs|geheim)-?(?:ziffern?|nummer|nr|code|zahl)"
    r"|(?:(?:drei|vier)(?:stelligen?)? )?(?:ziffern|zahlen|code|nummer) (?:auf|von) der (?:rückseite|vorderseite)|geheimzahl"
    # French
    r"|cryptogramme(?: visuel)?|code (?:de )?(?:sécurité|securite|secret|confidentiel|vérification|validation|pin|cvv|cvc|carte)"
    r"|(?:(?:trois|quatre) )?(?:derniers )?(?:chiffres|code) (?:au|du) (?:dos|verso)"
    # Spanish
    r"|c[óo]digo (?:de )?(?:seguridad|verificaci[óo]n|secreto|validaci[óo]n|cvv|cvc|pin)|clave(?: secreta)?|n[úu]mero secreto"
    r"|(?:(?:tres|cuatro) )?d[íi]gitos (?:de atr[áa]s|del reverso|por detr[áa]s|al dorso)"
    # Italian
    r"|codice (?:di )?(?:sicurezza|verifica|segreto|controllo|cvv|cvc|pin)|(?:(?:tre|quattro) )?cifre (?:sul|dietro|del) retro"
    # Dutch, Swedish
    r"|(?:beveiligings|veiligheids|verificatie|controle)-?(?:code|nummer|cijfers?|getal)|pincode"
    r"|(?:säkerhets|kontroll|verifierings)-?(?:kod|koden|siffror|siffrorna|nummer)|pinkod(?:en)?|koden"
)
_LINK = (
    r"(?:[\s:#=.,;()\"'„“”«»*/|>–-]|is\b|was\b|are\b|ist\b|war\b|lautet\b|sind\b|est\b|sont\b|es\b|son\b|è\b|sono\b|är\b|number\b|code\b|kod\b|no\b|nr\b|changed\b|reset\b|set\b|to\b|from\b|geändert\b|von\b|wurde\b|has\b|been\b|now\b|new\b|old\b|neue\b|alte\b"
    r"|nummer\b|numéro\b|número\b|numero\b|my\b|the\b|mein\w{0,2}\b|der\b|die\b|das\b|den\b|mon\b|ma\b|mi\b|mio\b|mia\b|le\b|la\b|les\b|los\b|las\b|il\b|el\b|et\b|and\b|und\b|y\b|e\b|o\b|or\b|oder\b"
    r"|card\b|karte\b|carte\b|tarjeta\b|carta\b|kort\b|kaart\b|of\b|on\b|for\b|for my\b|auf\b|meiner\b|de\b|del\b|della\b|di\b|sur\b|back\b|rückseite\b|vorderseite\b|dos\b|au\b|verso\b|reverso\b|retro\b|del\b|sul\b|visuel\b|[34][ -]?(?:digits?|stellig\w{0,2}|chiffres|d[íi]gitos|cifre)\b"
    rf"|(?:{_CUES})(?![^\W_])){{0,12}}?"
)
_UNIT = rf"(?![.,:/-]\d|[ ]?(?:[€$£%°]|(?:{CODES}|euros?|dollars?|pounds?|mal|times|fois|veces|volte|(?<= )x|mm|cm|kg|days?|tage?|hours?|minutes?|digits?|stellig\w*|attempts?)(?![^\W_])))"
_CODE = (
    r"(?:\d\d(?:[ -]\d\d){2}(?![ ./-]{0,3}\d)|\d{3}[ -]\d{3}(?![ ./-]{0,3}\d)|\d{4}[ -]\d{4}(?![ ./-]{0,3}\d)|\d{3,8}(?!\d)|\d(?:[ .,/-]{1,3}\d){2,7}|(?:\d\d[ -]{1,3}\d{1,2}|\d[ -]{1,3}\d\d)(?![ ./-]{0,3}\d)"
    rf"|{DIGIT_WORD}(?:[ ,-]{{1,2}}{DIGIT_WORD}){{2,7}})"
)
_AFTER = re.compile(rf"{START}(?:{_CUES}){_LINK}({_CODE})(?!\d){_UNIT}", re.IGNORECASE)
_CODE_START = re.compile(rf"\d|{START}{DIGIT_WORD}(?![^\W_])", re.IGNORECASE)
_REACH = 96
_MOST_CUES = 8
"""A cue is tried where a digit follows within so many characters, and so many cues for each: many in a row are slow."""
_FAR_CUE = r"(?:cv[vcn]2?|ccv2?|cv2|csc|pin(?:code)?|tan|otp|puk|passcode|(?:security|sicherheits|verification) ?code|geheimzahl|cryptogramme)"
_NO_CODE_BEHIND = r"(?:error|errors|fehler|erreur|errore|code|status|order|bestellung|ticket|case|since|seit|depuis|desde|dal|page|in|room|about|after|within|over|promo|step|line|http|windows|version|model|size|than|least|a|an|per|only|every|wrong)"
_NUMBER_OF_ELSE = re.compile(
    r"(?<![^\W_])(?:error|fehler|erreur|errore|status|http|page|seite|room)(?: code)?:? \Z", re.IGNORECASE
)
_FAR = re.compile(
    rf"{START}{_FAR_CUE}(?![^\W_])(?:[ :=]{{1,3}}(?!{_NO_CODE_BEHIND}[ :])[^\W\d_]{{1,14}}){{1,4}}(?<![ :]is not working)[ :=]{{1,3}}(?!(?:19|20)\d\d(?!\d))(\d{{3,8}}){END}{_UNIT}",
    re.IGNORECASE,
)
"""A cue reaches over a few words, but not over a sentence, and a year is no code."""
_ALSO = re.compile(
    rf"(?:[ ]?(?:to|into|and|or|not|then|now|but|sondern|mais|sino|pero|ma|und|auf|zu|in|oder|et|ou|en|à|a|y|o|e|til|naar|till|,|/|->|=>|→|>)(?![^\W\d_])){{1,3}}[ ]?(\d{{3,8}}){END}{_UNIT}",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    rf"(?<![\w.,:/-])(?<!\d{{3}}[ ])(\d{{3,8}}),?[ ]?[(]?(?:(?:is|ist|est|es|è|är)[ ])?(?:(?:my|the|mein\w{{0,2}}|der|die|das|mon|le|la|el|il|mi|mio)[ ])?(?:{_CUES})(?![^\W_])(?![ :=]{{1,3}}\d)",
    re.IGNORECASE,
)
_BESIDE_A_CARD = re.compile(
    rf"[^\w{BLANK}]{{1,6}}(?:(?:exp|valid|gültig|expire|scad)\w{{0,8}}[ .:]{{1,3}}(?:bis |thru |to |fin )?)?(?:0[1-9]|1[0-2]) ?[/.-]? ?(?:20)?\d\d[ ,;|/\n]{{1,4}}(?!(?:19|20)\d\d(?!\d))(\d{{3,4}}){END}{_UNIT}",
    re.IGNORECASE,
)
_FIRST_WORDS = frozenset(
    """
    cvv cvc cvn ccv cv cvd csc cav cid tan mtan otp pin puk card security verification validation passcode one the last my three four digit digits number code
    kartenprüfziffer kartenprüfnummer kartenprüfzahl prüfziffer prüfziffern prüfnummer prüfzahl prüfcode pruefziffer pruefnummer sicherheitscode sicherheitsnummer
    sicherheitszahl sicherheits kartensicherheitscode kontrollziffer kontrollziffern kontrollnummer kontrollcode kontrollzahl verifizierungscode verifizierungsnummer
    bestätigungscode geheimzahl geheimnummer geheimcode karten prüf drei vier
    cryptogramme chiffres derniers dígitos digitos cifre ziffern zahlen nummer trois quatre código codigo clave número numero tres cuatro codice tre quattro
    beveiligingscode veiligheidscode veiligheidsnummer verificatiecode controlegetal controlecijfers controlecode beveiligingsnummer pincode pinnummer pinnr
    säkerhetskod säkerhetskoden säkerhetsnummer kontrollsiffror kontrollsiffrorna kontrollkod verifieringskod pinkod pinkoden pinkode koden
    """.split()
)
_FAR_WORDS = frozenset(
    "cvv cvc cvn ccv cv csc pin pincode tan otp puk passcode security sicherheitscode verification geheimzahl cryptogramme".split()
)
TELLING = _FIRST_WORDS - frozenset(
    ("the", "last", "my", "one", "number", "numero", "número", "three", "four", "drei", "vier", "tre", "trois", "tres")
) | {"back", "rear", "reverse"}
"""Words without which no cue stands in a text."""


_NEAR = re.compile(rf"(?<![\w.,:$€£¥+#-])(?<!\d[ ])(?<!\d/)(\d{{3,4}})(?![\w%°]|[-/:., ]\d){_UNIT}", re.IGNORECASE)
_NEAR_BEHIND, _NEAR_BEFORE = 48, 32
_YEAR = re.compile(r"20[0-4]\d|19\d\d")
_WORDS_BEFORE = re.compile(r"(?:[^\W\d_]+[ .:#]{1,3}){1,3}\Z")
_CARD_WORDS = frozenset(("card", "code", "number", "nr", "no", "karte", "carte", "tarjeta", "carta"))
_SAYS_ELSE = frozenset(
    """
    error errors status page room size model ext extension flat apartment house street version than over under within for per paid
    charged price cost costs total eur usd gbp chf year since in fehler seit seite zimmer größe depuis desde dal order orders bestellung
    http step ending ends endet terminant
    """.split()
)


def card_codes(text: str) -> Iterator[Found]:
    """Codes behind a cue, and before one ("123 is my PIN")."""
    after = (_AFTER.match(text, start) for start in _promising(text, word_starts(text, _FIRST_WORDS)))
    found = [match.span(1) for match in after if match]
    found += [
        match.span(1)
        for match in _BEFORE.finditer(text)
        if not _NUMBER_OF_ELSE.search(text, max(0, match.start() - 20), match.start())
    ]
    found += [match.span(1) for match in (_FAR.match(text, start) for start in word_starts(text, _FAR_WORDS)) if match]
    for _, end in tuple(found):
        if also := _ALSO.match(text, end):
            found.append(also.span(1))
    done = 0
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if start >= done:
            done = end
            yield start, end, "SECRET"


def _promising(text: str, starts: Iterable[int]) -> Iterator[int]:
    """Starts of cues with a digit near behind, of each digit the nearest, in order."""
    behind = [(start, digit.start()) for start in starts if (digit := _CODE_START.search(text, start, start + _REACH))]
    for index, (start, digit_at) in enumerate(behind):
        later = index + _MOST_CUES
        if later >= len(behind) or behind[later][1] != digit_at:
            yield start


def codes_beside_cards(text: str, cards: Sequence[Found]) -> Iterator[Found]:
    """Codes behind `cards`, which are blanked already: behind a date of expiry, and any three or four digits near."""
    spans: set[tuple[int, int]] = set()
    for low, high, _ in cards:
        if behind := _BESIDE_A_CARD.match(text, high):
            spans.add(behind.span(1))
        for start, end in ((max(0, low - _NEAR_BEFORE), low), (high, min(len(text), high + _NEAR_BEHIND))):
            spans.update(near.span(1) for near in _NEAR.finditer(text, start, end) if _is_code(text, near))
    done = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= done:
            done = end
            yield start, end, "SECRET"


def _is_code(text: str, near: re.Match[str]) -> bool:
    """Three or four digits that nothing says to be something else: no year, no order, no amount."""
    if _YEAR.fullmatch(near[1]):
        return False
    words = _WORDS_BEFORE.search(text, max(0, near.start(1) - 32), near.start(1))
    if not words:
        return True
    said = words[0].lower().replace(".", " ").replace("#", " ").split()
    return _SAYS_ELSE.isdisjoint(said) and not any(kind_of(word) for word in said if word not in _CARD_WORDS)
