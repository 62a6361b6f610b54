"""What to ask a customer whose message may mean several things.

The words come from the taxonomy's descriptions. One that begins "The customer wants ..." or "The customer asks ..."
continues "Do you want ..." by its first clause. Any other one names a topic if it is short; a long one may be a note
for colleagues, so the label is shown instead. Pure; knows nothing of models, thresholds, moods or the reply around it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from frontdesk.taxonomy import IntentPolicy
from frontdesk.types import Candidate

MIN_SHARE_OF_BEST = 0.2
"""A candidate less than a fifth as probable as the best one does not matter: at worst one customer in six who is asked
would have meant it, and the others would read a question with a strange choice in it."""

_MAX_TOPIC_CHARACTERS = 60
"""Characters of a description that is shown as it stands."""

_SENTENCE = re.compile(r"(?:The )?(?:customer|user|client) (wants|asks) (\S.*)", re.IGNORECASE)

# "where an order is, or for its tracking": the first clause says enough. An enumeration (", x, or y") is no clause.
_SECOND_CLAUSE = re.compile(r"^([^,]+?)(?:, (?:or|and) | (?:or|and) (?:asks|wants) ).*")
_INDIRECT_QUESTION = re.compile(r"(?:how|if|under|until|what|when|where|whether|which|who|why)\b")


def likely_candidates(plausible: Sequence[Candidate]) -> tuple[str, ...]:
    """The labels of those candidates that matter beside the best, which comes first in `plausible` as in the result."""
    return tuple(
        candidate.label
        for candidate in plausible
        if candidate.probability >= MIN_SHARE_OF_BEST * plausible[0].probability
    )


def clarifying_question(intents: Sequence[IntentPolicy]) -> str:
    """One question that names each of `intents`, at least two, in their order but wishes before topics."""
    wishes = [wish for intent in intents if (wish := _wish_clause(intent.description)) is not None]
    topics = [f"about “{_topic(intent)}”" for intent in intents if _wish_clause(intent.description) is None]
    parts = []
    if wishes:
        parts.append(f"do you want {', or '.join(wishes)}")
    if topics:
        parts.append(f"is this {', or '.join(topics)}")
    text = ", or ".join(parts)
    return f"{text[0].upper()}{text[1:]}?"


def _wish_clause(description: str) -> str | None:
    """What somebody with this intent wants, in words that continue "do you want"; None where it is not written so."""
    sentence = _SENTENCE.fullmatch(description.rstrip(". "))
    if sentence is None:
        return None
    verb, rest = sentence.groups()
    clause = _SECOND_CLAUSE.sub(r"\1", rest)
    if verb == "wants":
        return clause
    return f"to {'know' if _INDIRECT_QUESTION.match(clause) else 'ask'} {clause}"


def _topic(intent: IntentPolicy) -> str:
    description = intent.description.rstrip(". ")
    return description if 0 < len(description) <= _MAX_TOPIC_CHARACTERS else intent.name.replace("_", " ")
