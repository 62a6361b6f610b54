"""Common given names in the five supported languages, including frequent names of immigrant communities. Lower case.

The list need not be complete: a greeting, a title or a closing identifies other names.
"""

from __future__ import annotations

from frontdesk.masking.lexicons import read_words

_WORDS = read_words("given_names")

AMBIGUOUS = frozenset(_WORDS["ambiguous"])
GIVEN_NAMES = frozenset(_WORDS["given_names"]) - AMBIGUOUS
