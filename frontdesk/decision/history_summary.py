"""What a writer is told of a customer's earlier contacts: labels and moods in words, no number that could be repeated.

Pure; knows nothing of where histories are kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from frontdesk.features.customer_history import CustomerHistory


def summarize_contacts(history: CustomerHistory) -> tuple[str, ...]:
    """Short phrases, none for a stranger."""
    return tuple(_phrases(history))


def _phrases(history: CustomerHistory) -> Iterator[str]:
    labels = sorted(label for label, times in history.contacts_7d_by_intent.items() if times)
    if labels:
        yield f"wrote lately about {', '.join(label.replace('_', ' ') for label in labels)}"
    if history.last_sentiment == "negative":
        yield "was upset last time"
    if history.escalations_30d:
        yield "was handed to a person before"
