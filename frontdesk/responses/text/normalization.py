"""Split text into words, stems and sentences, which retrieval, checks and `knowledge check` compare.

A stem is a word without common endings, at most six letters: coarse, the same for every European language, and without
data. It is enough to relate "cancelled" to "cancelling". Stop words also identify languages (`language_detection.py`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType

STEM_LETTERS = 6

STOP_WORDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "en": frozenset(
            "a about after all also an and any are as at be because been before but by can could did do does for from "
            "had has have he her his how i if in into is it its just me my no not of on or our out please she should "
            "so some still than that the their them then there these they this those to too up us was we were what "
            "when where which while who why will with would you your".split()
        ),
        "de": frozenset(
            "aber alle als am an auch auf aus bei bin bis bitte da das dass dem den der des die doch du ein eine einem "
            "einen einer es für haben hat habe ich ihr ihre ihren ihnen im in ist ja kann können man mein meine meinen "
            "meiner mich mir mit nach nicht noch nur oder schon sehr sich sie sind so um und uns unser unsere von vor "
            "war warum was wann wenn werden wie wir wird wo wurde zu zum zur".split()
        ),
        "fr": frozenset(
            "a ai alors au aussi aux avec avez ce ces cette comment dans de des du elle en encore est et eu il ils "
            "j'ai je la le les leur ma mais mes moi mon ne non nos notre nous on ou où pas pour pourquoi plus que "
            "quand quel quelle qui sa se si son sont sur un une vos votre vous était être c'est n'est l'ai".split()
        ),
        "es": frozenset(
            "al como con cuando cuál de del desde dónde donde el ella en era es esta está este están estoy ha han hay "
            "he la las le les lo los me mi mis muy más no nos o para pero por porque puede puedo que qué se si sin "
            "sobre su sus también tengo tiene un una uno y ya yo".split()
        ),
        "it": frozenset(
            "a ai al alla anche che chi ci come con cosa da dal dalla dei del della delle di dove e ed è gli ha hai ho "
            "i il in io la le lo loro ma mi mia mie mio nel nella non o per perché più può posso quando quanto questa "
            "questo se si sono sua sulla suo un una voglio vorrei".split()
        ),
        "nl": frozenset(
            "aan als ben bij dat de deze die dit door een en er had heb hebben heeft het hoe ik in is je kan kunnen "
            "maar me met mijn mij na naar niet nog nu of om onze ook op over te tot uit uw van veel voor waar waarom "
            "wanneer was wat we wel werd wie wij wil worden wordt zijn".split()
        ),
        "pt": frozenset(
            "a ainda ao aos as até com como da das de do dos e é ela ele em entre era essa esta está este estou eu foi "
            "há isso já mais mas me meu minha muito na nas no nos não o onde os ou para pela pelo por porque posso "
            "qual quando que quero são se sem seu sua também tem tenho um uma você".split()
        ),
        "sv": frozenset(
            "av att blev de den det din efter en ett från för ha hade han har hur i inte jag kan kommer med men mig "
            "min mina mitt mot ni nu när och om oss på så sin ska skulle som till ut var varför vad vi vid vill är "
            "också eller era ert".split()
        ),
    }
)

NEGATIONS = frozenset(
    "no not never none neither nor nothing without cannot can't don't doesn't didn't isn't aren't won't wouldn't "
    "couldn't shouldn't nicht kein keine keinen keiner nie niemals ohne ne pas jamais sans aucun aucune nunca sin "
    "ningún ninguna non mai senza nessun nessuna niet geen nooit zonder não sem nenhum nenhuma inte ingen inget aldrig "
    "utan unless".split()
)

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_ENDINGS = ("ings", "ing", "edly", "ied", "ies", "ed", "es", "en", "s", "e", "y")
_MIN_STEM_LENGTH = 3
_SENTENCE_END = re.compile(r"(?<![.!?…。！？])[.!?…。！？]+[\"'”’)]*\s+|\n+")
_CLAUSE_END = re.compile(r"[.,;:!?()](?:\s|\Z)|\s[–—-]\s|\n+")


def normalize_text(text: str) -> str:
    """Convert to lower case and compatibility forms, remove invisible characters, and straighten apostrophes."""
    folded = unicodedata.normalize("NFKC", text).replace("’", "'")
    return "".join(char for char in folded if unicodedata.category(char) != "Cf").lower()


def split_words(text: str) -> list[str]:
    """The normalized words of `text`, in order, without numbers."""
    return _WORD.findall(normalize_text(text))


@lru_cache(maxsize=16_384)
def stem(word: str) -> str:
    """The stem of a normalized word, for comparisons."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM_LENGTH:
            word = word[: -len(ending)]
            break
    return word[:STEM_LETTERS]


def content_stems(text: str, language: str = "en") -> list[str]:
    """Stems of the words that are neither stop words of `language` nor negations, in order."""
    stop_words = STOP_WORDS.get(language, STOP_WORDS["en"])
    return [stem(word) for word in split_words(text) if word not in stop_words and word not in NEGATIONS]


def count_negations(text: str) -> int:
    """The number of negations in `text`."""
    return sum(word in NEGATIONS for word in split_words(text))


def split_sentences(text: str, ends_from: int = 0) -> list[str]:
    """Split `text` where a sentence or a line ends. The pieces include blanks: joined, they are the text again.

    Ends are searched for from the character `ends_from` on.
    """
    ends = [end.end() for end in _SENTENCE_END.finditer(text, ends_from)]
    cuts = [0, *ends, len(text)]
    return [text[begin:end] for begin, end in pairwise(cuts) if begin < end]


def split_clauses(text: str) -> list[str]:
    """Split `text` at commas, colons, brackets and ends of sentences, so that a quantity stays with its subject."""
    return [piece for piece in _CLAUSE_END.split(text) if piece.strip()]
