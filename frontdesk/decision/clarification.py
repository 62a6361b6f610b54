"""The clarifying question for a message with several plausible intents.

The wording comes from the descriptions in the taxonomy. If a description starts with "The customer wants ..." or "The
customer asks ...", its first clause continues the question "Do you want ...". Any other short description names a
topic. A longer one may be an internal note, so the label is shown instead. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from frontdesk.taxonomy import IntentPolicy
from frontdesk.types import Candidate

MIN_SHARE_OF_BEST = 0.2
"""A candidate less than a fifth as probable as the best one is left out. At worst, one customer in six who gets the
question meant this intent; the others would get a question with an irrelevant choice."""

_MAX_TOPIC_CHARACTERS = 60
"""Maximum length of a description that is shown unchanged."""

_SENTENCE = re.compile(r"(?:The )?(?:customer|user|client) (wants|asks) (\S.*)", re.IGNORECASE)

# "where an order is, or for its tracking": the first clause is enough. An enumeration (", x, or y") is a single clause.
_SECOND_CLAUSE = re.compile(r"^([^,]+?)(?:, (?:or|and) | (?:or|and) (?:asks|wants) ).*")
_INDIRECT_QUESTION = re.compile(r"(?:how|if|under|until|what|when|where|whether|which|who|why)\b")


def likely_candidates(plausible: Sequence[Candidate]) -> tuple[str, ...]:
    """The labels of the candidates with at least `MIN_SHARE_OF_BEST` of the highest probability, in the given order.

    `plausible` starts with the most probable candidate.
    """
    return tuple(
        candidate.label
        for candidate in plausible
        if candidate.probability >= MIN_SHARE_OF_BEST * plausible[0].probability
    )


def clarifying_question(intents: Sequence[IntentPolicy]) -> str:
    """One question that names each of `intents` (at least two): first wishes, then topics, each in their order."""
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
    """The wish of a customer with this intent, to continue "do you want"; None if the description has another form."""
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
