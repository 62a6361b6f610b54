"""Labels of numbers: of orders, of accounts, of neither; in the five languages, Dutch and Swedish."""

from __future__ import annotations

import re

from frontdesk.masking.lexicons import read_word_lists

_WORDS = read_word_lists("reference_words")

ORDER = frozenset(_WORDS["order"])
ACCOUNT = frozenset(_WORDS["account"])

ALL = ORDER | ACCOUNT | {"kd"}

SPEAKER = frozenset(_WORDS["speaker"])
CODED = frozenset(_WORDS["coded"])
REFERRING = frozenset(_WORDS["referring"])

_COMPOUND = re.compile(r"(\w{2,30}?)-?(?:nummern?|numret|nr|id|konto|code)")
_ENDINGS = ("nummer", "nummern", "numret", "nr", "id", "konto", "code")
_ACCOUNT_ENDINGS = ("vertrag", "konto", "police", "versicherung")
_ALL_ENDINGS = (*_ENDINGS, *_ACCOUNT_ENDINGS)
_OF_A_PERSON = re.compile(
    r".*(?:kunden?|kund|klant|vertrags?|avtals|mitglieds?|medlems|lid|versicher\w*|försäkrings|kd|police[nr]?|polis|konto|rekening"
    r"|benutzer|teilnehmer|darlehens?|kredit|abo|depot|mandanten|mieter|patienten)"
)
_OF_A_THING = re.compile(
    r".*(?:telefon|ruf|handy|mobil|mobiel|fax|haus|huis|artikel|modell?|typ|ahv|sv|rv|serien?|seiten|zähler|zimmer|platz|raum|steuer|ausweis"
    r"|pass|führerschein|rijbewijs|körkorts|sozial\w*|renten\w*|ident\w*|person|burgerservice|post|fehler|error|fout|geräte|teile|größen?|barcode|postal|zip|promo\w*"
    r"|gutschein|rabatt|pin|geheim|version\w*|charge[n]?|fahrgestell\w*|organisations)"
)


TRAVEL = frozenset(_WORDS["travel"])

_ANNOUNCING = ALL | TRAVEL

OTHER_NUMBER_WORDS = frozenset(_WORDS["else"])
CONNECTING_WORDS = frozenset(_WORDS["link"])
NUMBER_WORD = frozenset(_WORDS["number_word"])


def may_label_number(text_words: frozenset[str]) -> bool:
    """Return whether a word of the text may be a label: a fast check before numbers are searched."""
    return not _ANNOUNCING.isdisjoint(text_words) or any(word.endswith(_ALL_ENDINGS) for word in text_words)


def announced_number_kind(word: str) -> str:
    """Return ORDER or ACCOUNT if `word` (lower case), or its ending, is such a label; else ""."""
    if word in ORDER:
        return "ORDER"
    if word in ACCOUNT:
        return "ACCOUNT"
    if word.endswith(_ACCOUNT_ENDINGS):
        return "ACCOUNT"
    compound = _COMPOUND.fullmatch(word) if word.endswith(_ENDINGS) else None
    if not compound or _OF_A_THING.fullmatch(compound[1]):
        return ""
    if _OF_A_PERSON.fullmatch(compound[1]) or word.endswith("konto"):
        return "ACCOUNT"
    return "ORDER" if not word.endswith(("id", "code")) or compound[1].rstrip("s") in ORDER else ""
