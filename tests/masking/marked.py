"""Messages with their personal data marked, and how much of it `mask` finds.

⟨EMAIL|tom@example.com⟩    «EMAIL:tom@example.com»
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from frontdesk.masking import KINDS, mask

READ = ("look", "check")
HALVES = (*READ, "unseen", "unseen2")
MAIL_AND_CHAT = "mail_and_chat"
STRUCTURED = ("EMAIL", "URL", "IBAN", "CARD", "PHONE", "ORDER", "ACCOUNT", "ID", "IP")
_MARK = re.compile(r"(?:⟨(?=[A-Z]+\|[^⟩]+⟩)|«(?=[A-Z]+:[^»]+»))(?P<kind>[A-Z]+)[|:](?P<value>[^⟩»]+)[⟩»]")


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one kind: `exact` spans were found with the right kind and ends, `readable` ones were left in part."""

    marked: int
    found: int
    exact: int
    readable: int

    @property
    def recall(self) -> float:
        return self.exact / self.marked if self.marked else 1.0

    @property
    def precision(self) -> float:
        return self.exact / self.found if self.found else 1.0

    @property
    def recall_at_least(self) -> float:
        """The lower end of Wilson's interval: recall is above it with a confidence of 95 %, one-sided."""
        n, z = self.marked, 1.645
        if not n:
            return 0.0
        centre, spread = (
            self.recall + z * z / (2 * n),
            z * sqrt(self.recall * (1 - self.recall) / n + z * z / (4 * n * n)),
        )
        return (centre - spread) / (1 + z * z / n)


def marked_messages(half: str) -> list[str]:
    lines = (Path(__file__).parent / f"{half}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def plain(message: str) -> str:
    return _MARK.sub(r"\g<value>", message)


def values(message: str) -> list[str]:
    """The personal data that is marked in `message`."""
    return [mark["value"] for mark in _MARK.finditer(message)]


def figures(messages: Iterable[str]) -> dict[str, Figures]:
    """Figures by kind, and by "structured" and "all" for the sums."""
    marked, results, exact, readable = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for message in messages:
        expected = _marked_spans(message)
        stored_value = _masked_spans(plain(message))
        covered = {at for start, end, _ in stored_value for at in range(start, end)}
        marked.update(kind for _, _, kind in expected)
        results.update(kind for _, _, kind in stored_value)
        exact.update(kind for _, _, kind in expected & stored_value)
        readable.update(
            kind
            for start, end, kind in expected
            if any(at not in covered for at in range(start, end) if plain(message)[at].isalnum())
        )
    groups = {kind: (kind,) for kind in KINDS} | {"structured": STRUCTURED, "all": KINDS}
    return {
        name: Figures(*(sum(counted[kind] for kind in kinds) for counted in (marked, results, exact, readable)))
        for name, kinds in groups.items()
    }


def table(half: str) -> str:
    """Figures of one half as lines for people."""
    lines = [f"{half:<12}{'spans':>7}{'recall':>9}{'at least':>10}{'precision':>11}{'readable':>10}"]
    lines += [
        f"{kind:<12}{of.marked:>7}{of.recall:>9.3f}{of.recall_at_least:>10.3f}{of.precision:>11.3f}{of.readable:>10}"
        for kind, of in figures(marked_messages(half)).items()
    ]
    return "\n".join(lines)


def _marked_spans(message: str) -> set[tuple[int, int, str]]:
    spans, removed = set(), 0
    for mark in _MARK.finditer(message):
        start = mark.start() - removed
        spans.add((start, start + len(mark["value"]), mark["kind"]))
        removed += len(mark[0]) - len(mark["value"])
    return spans


def _masked_spans(text: str) -> set[tuple[int, int, str]]:
    """Where `mask` put its placeholders: they are walked in order through the text between them."""
    masked = mask(text)
    spans, at, last = set(), 0, 0
    for placeholder in re.finditer(r"\[([A-Z]+)_\d+\]", masked.text):
        if (value := masked.originals.get(placeholder[0])) is not None:
            start = at + placeholder.start() - last
            spans.add((start, start + len(value), placeholder[1]))
            at, last = start + len(value), placeholder.end()
    return spans
