# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Patterns of cues that announce a name, and the test that the following words must pass for each cue.

After "Dear" any capitalised word that is not a stop word is a name; after "Hi" it must be a known given name, or a
comma or the end of the line must follow; after "this is" it must be a known given name, have two words, or a word such
as "from" must follow. Each pattern has a group `name`; `person_names.py` decides which of its words are the name.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from frontdesk.masking.lexicons import name_words as words
from frontdesk.masking.lexicons.given_names import AMBIGUOUS, GIVEN_NAMES
from frontdesk.masking.spans import END, MASKED_CHAR, START

_UPPER = "A-ZÀ-ÖØ-Þ" + "".join(
    char for char in map(chr, (*range(0x100, 0x250), *range(0x1E00, 0x1F00))) if char.isupper()
)
_LETTER = r"[^\W\d_]"
_CAPITAL = rf"[{_UPPER}]{_LETTER}{{1,30}}+(?:['’-]{_LETTER}{{1,30}}+){{0,3}}"
_PART = rf"(?:(?:Mc|Mac|O['’]|D['’]|d['’]|Dell['’]|L['’])?{_CAPITAL})"
_INITIAL = rf"[{_UPPER}]\.(?:-?[{_UPPER}]\.)?"
NAME_WORDS = rf"(?:{_PART}|{_INITIAL})(?: ?(?:(?<=\.)| )(?:{words.PARTICLE} )?(?:{_PART}|{_INITIAL})){{0,3}}{END}"
_ANY_CASE = rf"{_LETTER}{{2,30}}+(?:-{_LETTER}{{2,30}}+)?{END}"
_GAP = r"[ \t]{1,3}"
_TITLES = rf"(?:{words.TITLE}[ ]){{0,3}}"
_LINE_ENDS = r"(?=[ \t]*[.,!)\"]{0,2}[ \t]*(?:\r?\n|\Z))"


def _compile_name_pattern(before: str, after: str = "") -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{before})(?P<name>(?-i:{NAME_WORDS})){after}", re.IGNORECASE)


_SURE = _compile_name_pattern(rf"(?:{words.SURE}){_GAP}{_TITLES}|(?:{words.TITLE_ALONE})\.?{_GAP}{_TITLES}")
_GREETING = _compile_name_pattern(rf"(?:{words.GREETING}),?{_GAP}{_TITLES}", r"(?=[ ]?[,!:;\n\r–—-]|\.?\s*\Z|[ ]?\.\s)")
_CLOSING = _compile_name_pattern(
    rf"(?:{words.CLOSING}|{words.THANKS})[,.!]?(?:[ \t]*\r?\n[ \t]*){{1,3}}{_TITLES}"
    rf"|(?:{words.CLOSING})[ ]?[,.!-]?{_GAP}{_TITLES}|(?:{words.THANKS})[ ]?[,-]{_GAP}",
    _LINE_ENDS,
)
_INTRODUCTION = _compile_name_pattern(
    rf"(?:this is|it['’]?s|hier (?:ist|spricht)|ici|soy|je suis|qui parla){_GAP}{_TITLES}",
    r"(?=[ ](?:from|calling|speaking|again|here|von|aus|de|de la|da|dalla)(?![^\W_]))",
)
_LABEL = _compile_name_pattern(rf"(?:{words.LABEL})(?:[ ]?:{_GAP}|[ \t]){_TITLES}")
_RELATIVE = _compile_name_pattern(rf"(?:{words.RELATED}),?{_GAP}\(?")
_SPEAKER = _compile_name_pattern(
    rf"(?:i['’]?m|i am|this is|ich bin|hier ist|hier|je suis|soy|sono|ik ben|jag är){_GAP}{_TITLES}"
)
_COLLEAGUE = _compile_name_pattern(
    rf"(?:kolleg(?:e|in)|colleague|collègue|compañer[oa]|collega|agent|advis[eo]r|engineer|technician|representative|driver|courier|operator"
    rf"|conseill(?:er|ère)|technicien(?:ne)?|livreur|asesora?|técnic[oa]|operatore|operatrice|named|nommée?|llamad[oa]|di nome|genaamd|mitarbeiterin"
    rf"|(?:someone|somebody|guy|man|woman|lady|person|rider|rep|girl|boy|technician|staff member) called|signed for by|received by|left with)"  # vocabulary: word list
    rf"(?:,| is| was| called| named)?{_GAP}{_TITLES}[\"“„«]?"
)
_OWN_RELATIVE = _compile_name_pattern(
    rf"(?:my|our|his|her|mon|ma|notre|mi|mio|mia|nuestr[oa]|meu|minha|mijn) (?:husband|wife|son|daughter|brother|sister|mother|father|mum|mom|dad|friend|partner|neighbour"
    rf"|flatmate|housemate|roommate|girlfriend|boyfriend|fiancée?|mari|femme|fils|fille|frère|sœur|soeur|mère|père|ami|amie|compagne|compagnon|voisin|voisine|marido|mujer|esposa|esposo|hij[oa]|herman[oa]"
    rf"|marito|moglie|figli[oa]|fratello|sorella|man|vrouw|zoon|dochter|broer|zus|esposa|filh[oa]|vecin[oa]|prim[oa]|suegr[oa]|cuñad[oa]|ti[oa]|abuel[oa]|vicin[oa]|genero|suocer[oa]|nuora|cugin[oa]|zi[oa]|nonn[oa]"
    rf"|colocataire|cousine?|oncle|tante|grand-mère|grand-père|beau-frère|belle-sœur|aunt|uncle|cousin|nephew|niece|grandmother|grandfather|grandson|granddaughter|nan|boss|tenant|landlord|carer),?{_GAP}\(?"
)
NAME_IN_TEAM = _compile_name_pattern(
    "",
    r"(?=,? (?:from|in|of|at|vom|von|aus|du|de|del|dal|van|uit) (?:(?:your|the|ihrem|dem|der|ihrer|eurem|votre|la|su|il|vostro|jullie|de|het|l['’]) ?)?(?:\w+ )?(?:team|store|shop|branch|depot|sav|agence|boutique|tienda|filiale|support|sales|billing|accounts|helpdesk|customer|service|kundendienst|kundenservice|kundenbetreuung|buchhaltung|vertrieb|versand|atención|soporte|ventas|assistenza|clientèle|servicio|servizio|klantenservice)(?![^\W_]))",
)
_HEADER = _compile_name_pattern(rf"{words.HEADER}{_GAP}{_TITLES}", rf"(?=[ ]?[<({MASKED_CHAR}\r\n])")
_SENT_TO = _compile_name_pattern(rf"{words.SENT_TO}{_GAP}{_TITLES}", rf"(?=,?[ \r\n]{{1,3}}{MASKED_CHAR})")
NAME_BEFORE_ROLE = re.compile(
    rf"(?P<name>{NAME_WORDS}),[ ](?i:{words.ROLE})(?![^\W_])(?=[^\n]{{0,12}}[\d{MASKED_CHAR}])"
)
NAME_BEFORE_MASKED = re.compile(rf"(?:(?<=[.!?:] )|(?<=\n)|\A)(?P<name>{NAME_WORDS}),[ ](?={MASKED_CHAR})")
NAME_IN_BRACKETS = re.compile(rf"(?<=[{MASKED_CHAR}] \()(?P<name>{NAME_WORDS})(?=\))")
NAME_IN_LETTERHEAD = re.compile(rf"(?P<name>{NAME_WORDS})[ \t]{{0,3}}\r?\n[ \t]{{0,3}}(?={MASKED_CHAR})")
NAME_BEFORE_SPEAKING = re.compile(rf"(?P<name>{NAME_WORDS}),? (?:{words.SPEAKING}){END}")
_PERSON = _compile_name_pattern(
    rf"(?:{words.PERSON}|{words.GREETING}|{words.THANKS}|{words.CLOSING})[,!.]?{_GAP}(?:(?:so much|again|a lot|mille|beaucoup"
    rf"|mucho|muchas|vielmals),?[ ])?",
)
NAME_ON_LINE = re.compile(rf"(?P<name>{NAME_WORDS})(?:{_LINE_ENDS}|[ ]?:|,? (?:here|hier|ici)(?![^\W_]))")
_LOWER = re.compile(
    rf"{START}(?:{words.GREETING}|dear|{words.THANKS}|{words.CLOSING}|name is|this is|it['’]?s|heiße|appelle|llamo|chiamo)[,!]?\s{{1,3}}"
    rf"(?P<name>{_ANY_CASE})",
    re.IGNORECASE,
)
FULL_NAME = re.compile(
    rf"(?P<name>[{_UPPER}](?<![^\W_].){_LETTER}{{1,30}}+(?:-{_LETTER}{{1,30}}+)?(?: (?:{words.PARTICLE} )?(?:{_PART}|{_INITIAL})){{1,3}}{END})"
)
GIVEN_NAME = re.compile(
    rf"(?<!model )(?<!modell )(?<!modelo )(?<!\d[ .])(?P<name>[{_UPPER}](?![{_UPPER}]){_LETTER}{{1,30}}+(?:-[{_UPPER}]{_LETTER}{{1,30}}+)?){END}"
    rf"(?![_@-])(?!(?<=Jan)[ ](?:to|bis|-|–|\d|and Feb))(?:(?=[ ](?P<next>[{_UPPER}]{_LETTER}*))|)",
)
_ABBREVIATION = r"(?!(?:U\.?S|U\.?K|P\.?O|E\.?U|U\.?N|S\.?A|N\.?V|B\.?V|A\.?M|P\.?M|D\.?C|N\.?Y|L\.?A|Z\.?B|I\.?D|V\.?A|D\.?H|I\.?[AV]|U\.?A|R\.?S)\.)"
_INITIALS_OF_PERSON = rf"(?:[{_UPPER}]\.[ ]?-?){{2,3}}"
NAME_AFTER_INITIALS = re.compile(
    rf"(?<![^\W_])(?<![^\W_][.&])(?<!(?<![^\W_])i\. )(?P<name>{_ABBREVIATION}{_INITIALS_OF_PERSON}(?:{words.PARTICLE} )?{_PART}(?:[ -]{_PART})?{END})"
)
"""Two or three initials and a surname: "J. R. Smith", "A.B. Jones"."""
NAME_AFTER_INITIAL = re.compile(
    r"(?:(?<![^\n])[ \t>-]{0,4}|(?<=[.!?:(] )|(?<![^\W_])(?i:with|by|from|to|for|told|and|mit|bei|und|von|an|für|par|de|à|pour|avec|et|por|para|con|y|di|da|per|e|door|van|aan|voor|met|en|od|dla|do|i|name|named|colleague|agent|driver|engineer|technician|courier|manager)[ ])"  # vocabulary: word list
    rf"(?<!(?<![^\W_])i\. )(?P<name>(?P<initial>[{_UPPER}])(?<!M)\.[ ]?(?:{words.PARTICLE} )?{_PART}{END})"
)
"""One initial and a surname, at the start of a sentence or after a word that may precede a person: "by T. Berg"."""
_PERSON_NOUN = _compile_name_pattern(
    rf"(?<!the )(?:{words.PERSON_NOUN})(?:[ ](?:who came|you sent|called|named|que mandaste|pan|pani|sr\\.|o sr\\.))?[,:]?[ ]{_TITLES}[\"“„«(]?"
)
_THANKED = _compile_name_pattern(
    rf"(?:{words.THANKS})(?: so much| very much| a lot| again| a million| beaucoup| mille| bien| vielmals| sehr| muchas| tante| infinies)?,?[ ]",
    r"(?=[ ]?[!,.]|[ ]?\Z|[ ](?:for|pour|por|per|für|from|of|at|vom|de|du|del|der)(?![^\W_]))",
)
NAME_BEFORE_HERE = re.compile(
    rf"(?:(?<=[.!?] )|(?<![^\n])|(?<=[Hh]i )|(?<=[Hh]i, )|(?<=[Hh]ello )|(?<=[Hh]ello, )|(?<=[Hh]allo )|(?<=[Hh]allo, ))(?P<name>{NAME_WORDS})(?=,? (?:here|hier)(?:[ ,.!:]| again| from| wieder|\n|\Z))"
)
NAME_RUN = re.compile(rf"(?P<name>{NAME_WORDS})")
NameTest = Callable[[list[str]], bool]


def has_given_name(parts: list[str]) -> bool:
    return re.split(r"[-'’]", parts[0].lower(), maxsplit=1)[0] in GIVEN_NAMES


def is_full_name(parts: list[str]) -> bool:
    return len(parts) > 1 and has_given_name(parts)


def is_multi_word_name(parts: list[str]) -> bool:
    """Return whether there are at least two words, each in the case of a name or an initial."""
    return len(parts) > 1 and all(_is_capitalised(part) or part.lower() in words.PARTICLE_WORDS for part in parts)


def is_plausible_name(parts: list[str]) -> bool:
    """Return whether the name is known or in the case of a name: a capital, then lower case, more than an initial."""
    return has_given_name(parts) or any(
        len(part) > 2 and (_is_capitalised(part) or part.lower() in AMBIGUOUS) for part in parts
    )


def _is_capitalised(part: str) -> bool:
    """Return whether a word is a capital followed by lower case; prefixes such as "Mc" allow a second capital."""
    return part.istitle() or re.match(r"(?:Mc|Mac|De|Di|La|Le|Van)[A-Z][a-z]", part) is not None


_ANY_NAME = (
    (_SURE, words.SURE_FIRST),
    (_GREETING, words.GREETING_FIRST),
    (_CLOSING, words.CLOSING_FIRST | words.THANKS_FIRST),
)
_KNOWN_NAME = (
    (_PERSON, words.PERSON_FIRST | words.GREETING_FIRST | words.THANKS_FIRST | words.CLOSING_FIRST),
    (
        _LOWER,
        words.GREETING_FIRST
        | words.THANKS_FIRST
        | words.CLOSING_FIRST
        | {"dear", "name", "this", "it", "its", "heiße", "appelle", "llamo", "chiamo"},
    ),
)


def _index_cues_by_first_word(
    *cues: tuple[re.Pattern[str], frozenset[str], NameTest],
) -> dict[str, tuple[tuple[re.Pattern[str], NameTest], ...]]:
    firsts = frozenset[str]().union(*(firsts for _, firsts, _ in cues))
    return {word: tuple((cue, name_test) for cue, firsts, name_test in cues if word in firsts) for word in firsts}


_COMMON_CUES = [
    *((cue, firsts, is_plausible_name) for cue, firsts in _ANY_NAME),
    (_INTRODUCTION, frozenset(("this", "it", "its", "hier", "ici", "soy", "je", "qui")), is_plausible_name),
    (_LABEL, words.LABEL_FIRST, is_multi_word_name),
    (_RELATIVE, words.RELATED_FIRST, is_multi_word_name),
    (_SPEAKER, frozenset("i im this ich hier je soy sono ik jag".split()), is_multi_word_name),
    (
        _COLLEAGUE,
        frozenset(
            "kollege kollegin colleague collègue compañero compañera collega agent adviser advisor engineer technician representative driver "
            "courier operator conseiller conseillère technicien technicienne livreur asesor asesora técnico técnica operatore operatrice named "
            "nommé nommée llamado llamada di genaamd mitarbeiterin someone somebody guy man woman lady person rider rep girl boy staff signed "  # vocabulary: word list
            "received left".split()
        ),
        is_plausible_name,
    ),
    (_PERSON_NOUN, words.PERSON_NOUN_FIRST, is_plausible_name),
    (_THANKED, words.THANKS_FIRST, is_plausible_name),
    (
        _OWN_RELATIVE,
        frozenset("my our his her mon ma notre mi mio mia nuestro nuestra meu minha mijn".split()),
        is_plausible_name,
    ),
]
CUES_BEFORE_MASKED = _index_cues_by_first_word(
    (_HEADER, frozenset(("from", "to", "cc", "von", "an", "de", "à", "da", "van", "aan")), is_multi_word_name),
    (_SENT_TO, frozenset(words.SENT_TO.strip("(?:)").split("|")), is_multi_word_name),
)
CUES = _index_cues_by_first_word(*_COMMON_CUES)
CUES_WITH_GIVEN_NAMES = _index_cues_by_first_word(
    *_COMMON_CUES, *((cue, firsts, has_given_name) for cue, firsts in _KNOWN_NAME)
)
"""Cues by their first word. Trying every cue at every word takes ten times as long."""
