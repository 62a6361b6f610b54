"""Common given names in the five supported languages, including frequent names of immigrant communities. Lower case.

The list need not be complete: a greeting, a title or a closing identifies other names.
"""

from __future__ import annotations

from frontdesk.masking.lexicons import read_word_lists

_WORDS = read_word_lists("given_names")

AMBIGUOUS = frozenset(_WORDS["ambiguous"])
GIVEN_NAMES = frozenset(_WORDS["given_names"]) - AMBIGUOUS
