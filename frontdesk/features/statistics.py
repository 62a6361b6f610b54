"""Text statistics that need no fitted vocabulary: length, punctuation, tone and counts of placeholders."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from frontdesk.features.tfidf import tokenize

Statistic = Callable[[str, list[str]], float]

NEGATIONS = frozenset(
    "no not never none nothing nobody cannot cant can't dont don't "  # vocabulary: a word list
    "doesnt doesn't didnt didn't wont won't isnt isn't "
    "without".split()
)
COURTESIES = frozenset("please pls kindly could would may thanks thank cheers appreciate grateful".split())
PRAISE = frozenset(
    "love great lovely happy perfect brilliant excellent amazing wonderful fantastic super glad nice best".split()
)
GRIEVANCES = frozenset(
    "bad worst terrible awful horrible ridiculous disappointed angry unacceptable annoying useless joke rude broken "
    "wrong".split()
)

_KINDS = ("EMAIL", "URL", "IBAN", "CARD", "PHONE", "ORDER", "ACCOUNT", "ID", "IP", "ADDRESS", "NAME", "SECRET")
_EMOJI = re.compile(r"[\u2600-\u27bf\U0001f300-\U0001faff]")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _count_placeholders(kind: str) -> Statistic:
    placeholder = re.compile(rf"\[{kind}_\d+\]")
    return lambda text, _: float(len(placeholder.findall(text)))


def _count_words(words: frozenset[str]) -> Statistic:
    return lambda _, tokens: float(sum(token in words for token in tokens))


STATISTICS: Mapping[str, Statistic] = MappingProxyType(
    {
        "log_characters": lambda text, _: math.log1p(len(text)),
        "log_tokens": lambda _, tokens: math.log1p(len(tokens)),
        "lines": lambda text, _: float(text.count("\n")),
        "questions": lambda text, _: float(text.count("?")),
        "exclamations": lambda text, _: float(text.count("!")),
        "capital_share": lambda text, _: _share(sum(c.isupper() for c in text), sum(c.isalpha() for c in text)),
        "digit_share": lambda text, _: _share(sum(c.isdigit() for c in text), len(text)),
        "emoji": lambda text, _: float(len(_EMOJI.findall(text))),
        "negations": _count_words(NEGATIONS),
        "courtesies": _count_words(COURTESIES),
        "praise": _count_words(PRAISE),
        "grievances": _count_words(GRIEVANCES),
        **{f"masked_{kind.lower()}": _count_placeholders(kind) for kind in _KINDS},
    }
)


def statistics(text: str) -> NDArray[np.float32]:
    """Return one value for each name in `STATISTICS`, in that order: (statistics,) float32."""
    tokens = tokenize(text)
    return np.array([statistic(text, tokens) for statistic in STATISTICS.values()], dtype=np.float32)
