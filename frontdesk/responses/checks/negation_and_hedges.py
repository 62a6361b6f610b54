"""Find modifiers: small words that change the meaning of a sentence ("not", "until", "after", "only", "usually", "we").

Each modifier is paired with the word or number that it modifies, the next one that carries meaning:

    find_modifiers("You can cancel it until it leaves, usually within 24 hours", "en")
    -> (until, leav), (usually, 24), (within, 24)

Two sentences with the same words have the same meaning only if their modifiers are the same: "after it leaves" is
another promise, and so is 24 hours without "usually".
"""

from __future__ import annotations

import re
from types import MappingProxyType

from frontdesk.responses.text.normalization import NEGATIONS, content_stems, normalize_text

CONDITIONS = (
    "if until unless provided only within outside once before after afterwards except above below "
    "wenn falls bis nur sofern solange innerhalb binnen vor nach außer sobald "
    "si jusqu'à jusqu'au sauf seulement avant après dès hasta salvo solo antes después dentro "
    "se fino tranne prima dopo entro als tot tenzij alleen voor na "
    "até exceto apenas depois om tills bara innan efter inom"
).split()
EVERY = (
    "all any every each both always whenever whatever wherever "  # vocabulary: a word list
    "alle jede jeder immer tous toutes"
).split()
_HEDGES = (
    "usually often sometimes möglicherweise meist meistens normalerweise généralement normalmente di-solito".split()
)
_WE = "we wir nous nosotros noi wij nós vi".split()
_WILL = "will shall must".split()

NOT, WE, WILL, USUALLY, AT_ONCE = "not", "we", "will", "usually", "at once"

_MODIFIER_CLASSES = MappingProxyType(
    {
        **{word: word for word in (*CONDITIONS, *EVERY)},
        **dict.fromkeys(NEGATIONS - {"unless"}, NOT),
        **dict.fromkeys(_HEDGES, USUALLY),
        **dict.fromkeys(_WE, WE),
        **dict.fromkeys(_WILL, WILL),
        "once": "after",
        "afterwards": "after",
        "we'll": WE,
        "immediately": AT_ONCE,
    }
)
_PHRASES = (
    (re.compile(r"\bas soon as\b"), "after"),
    (re.compile(r"\bas long as\b|\bprovided that\b"), "provided"),
    (re.compile(r"\bat once\b|\bright away\b"), "immediately"),
    (re.compile(r"\bany (?:more|longer)\b|\b(?<=no )longer\b"), ""),
    (re.compile(r"\bat any time\b"), "always"),
    (re.compile(r"\bnot only\b"), "not"),
)
_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’-][^\W\d_]+)*")

Modifier = tuple[str, str]


def find_modifiers(text: str, language: str) -> frozenset[Modifier]:
    """Return pairs of a modifier's class and the stem or number that follows, "" at the end of the text."""
    normalized = normalize_text(text)
    for phrase, word in _PHRASES:
        normalized = phrase.sub(word, normalized)
    modifiers: set[Modifier] = set()
    pending: list[str] = []
    for token in _TOKEN.findall(normalized):
        if token in _MODIFIER_CLASSES:
            pending.append(_MODIFIER_CLASSES[token])
        elif token[0].isdigit() or content_stems(token, language):
            head = token if token[0].isdigit() else content_stems(token, language)[0]
            modifiers.update((modifier, head) for modifier in pending)
            pending = []
    return frozenset(modifiers | {(modifier, "") for modifier in pending})
