"""Types of the data checks: an issue of one row, and a row with its location."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from frontdesk.taxonomy import OUT_OF_SCOPE
from training.data.examples import Example, RowLocation

_NUMBERED = re.compile(r"\[([A-Z]+)_\d+\]")


@dataclass(frozen=True, slots=True)
class RowIssue:
    """An issue of one row. `rule` is a stable name for programs, `message` a sentence for users."""

    location: RowLocation
    kind: Literal["error", "note"]
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """An example with its location."""

    location: RowLocation
    example: Example

    @property
    def label(self) -> str | None:
        return OUT_OF_SCOPE if self.example.out_of_scope else self.example.intent

    @property
    def quoted_label(self) -> str:
        return "no intent" if self.label is None else f"'{self.label}'"

    @property
    def normalised_text(self) -> str:
        """The text in lower case, with single spaces and without the numbers of placeholders; equal for duplicates."""
        return " ".join(_NUMBERED.sub(r"[\1]", self.example.text).lower().split())

    def leaks_into(self, other: LabelledRow) -> bool:
        """Whether both rows have a part of the data's own split, and the parts differ."""
        parts = {self.example.part, other.example.part}
        return len(parts) == 2 and None not in parts


def groups_by_label(rows: Sequence[LabelledRow]) -> Mapping[str | None, set[str]]:
    """The groups in which each label occurs. A group may have several labels."""
    groups: dict[str | None, set[str]] = {}
    for row in rows:
        groups.setdefault(row.label, set()).add(row.example.group)
    return groups
