"""What a support agent might write in good faith: the price of the checks is how many of these they stop.

`FAITHFUL` keep to the passages' words, as the prompt asks; `PARAPHRASED` say the same freely; `TRANSLATED` in other
languages.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from frontdesk.responses.text.normalization import split_sentences
from tests.support.reply_writing import KNOWLEDGE

_WRITTEN = yaml.safe_load((Path(__file__).parent / "honest.yaml").read_text(encoding="utf-8"))

_OPENINGS = (
    "We are sorry to hear that and glad to help.",
    "Thank you for your question.",
    "We understand that this is frustrating.",
    "Of course, here is how.",
)


@dataclass(frozen=True, slots=True)
class Honest:
    """`reply` is the body, to the customer's `message`."""

    intent: str
    message: str
    reply: str
    language: str = "en"


def _from_passages() -> list[Honest]:
    """The passages themselves, and their beginnings after a kind word."""
    results = []
    for at, passage in enumerate(KNOWLEDGE.passages):
        output = [sentence.strip() for sentence in split_sentences(passage.text)]
        request = f"Hello, I have a question: {passage.title.lower()}?"
        results.append(Honest(passage.intents[0], request, " ".join(output)))
        results.append(Honest(passage.intents[0], request, f"{_OPENINGS[at % len(_OPENINGS)]} {' '.join(output[:3])}"))
    return results


FAITHFUL = (*_from_passages(), *(Honest(**fields) for fields in _WRITTEN["faithful"]))
PARAPHRASED = tuple(Honest(**fields) for fields in _WRITTEN["paraphrased"])
TRANSLATED = tuple(Honest(**fields) for fields in _WRITTEN["translated"])
