"""Given names that are common where the five languages are spoken, and who comes there. Lower case.

Not complete, and need not be: a name that is not here is still found where a greeting, a title or a closing says so.
"""

from __future__ import annotations

from frontdesk.masking.lexicons import read_words

_WORDS = read_words("given_names")

AMBIGUOUS = frozenset(_WORDS["ambiguous"])
GIVEN_NAMES = frozenset(_WORDS["given_names"]) - AMBIGUOUS
