"""Summary of a customer's earlier contacts for the reply writer: labels and moods in words.

It has no numbers, because a language model could repeat them. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterator

from frontdesk.features.customer_history import CustomerHistory


def summarize_contacts(history: CustomerHistory) -> tuple[str, ...]:
    """Return short phrases on the earlier contacts; none for an empty history."""
    return tuple(_contact_phrases(history))


def _contact_phrases(history: CustomerHistory) -> Iterator[str]:
    labels = sorted(label for label, times in history.contacts_7d_by_intent.items() if times)
    if labels:
        yield f"wrote lately about {', '.join(label.replace('_', ' ') for label in labels)}"
    if history.last_sentiment == "negative":
        yield "was upset last time"
    if history.escalations_30d:
        yield "was handed to a person before"
