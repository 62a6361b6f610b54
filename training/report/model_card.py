"""`model_card.md`: what a version is, what it is for and what it is not (structure of Mitchell et al. 2019).

Plain Markdown made of the same tables as the page. It may leave the house, so it holds no message: the page has
examples, the card has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from training.report.guarantee_tables import (
    automation_table,
    conformal_table,
    data_table,
    latency_table,
    scope_table,
    thresholds_table,
)
from training.report.intent_calibration import Claim
from training.report.limitations import Limit
from training.report.metric_tables import (
    calibration_table,
    claims_table,
    doubts_table,
    intents_table,
    members_table,
    reserves_table,
)
from training.report.report_data import Subject
from training.report.table import Table

FILE_NAME = "model_card.md"
STARTING_WEIGHTS = {
    "minilm": "all-MiniLM-L6-v2, copied into the {architecture} architecture: no {architecture} weights",
}
"""What a profile's short names of weights mean; any other name is a model of a hub."""

_MARKUP = re.compile(r"([\\`*\[\]<>|~&$]|(?<!\w)_|_(?!\w))")  # an underscore within a word is one in CommonMark


def model_card(subject: Subject, found: Sequence[Claim], limits: Sequence[Limit]) -> str:
    """The whole card."""
    return "\n".join(_lines(subject, tuple(found), limits))


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line: labels, sources and profiles are named by whoever trains."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _lines(subject: Subject, found: tuple[Claim, ...], limits: Sequence[Limit]) -> Iterator[str]:
    manifest = subject.manifest
    yield f"# Model card: Frontdesk bundle {escaped(manifest.version)}\n"
    yield "## Model details\n"
    yield from _details(subject)
    yield "\n## Intended use\n"
    yield from _use(subject)
    yield "\n## Limits\n"
    yield "What this version should not be trusted with, and why:\n"
    yield from (f"- **{limit.topic}.** {escaped(limit.sentence)}" for limit in limits)
    yield "\n## Data\n"
    yield from _table(data_table(subject))
    yield f"\nIntents: {', '.join(escaped(label) for label in manifest.intents)}."
    yield f"Sentiments: {', '.join(escaped(label) for label in manifest.sentiments)}."
    yield "\n## Metrics\n"
    yield f"All figures are of {manifest.metrics['rows']} held-out messages: no part of training, none of calibration."
    tables = [
        *(members_table(subject, task) for task in subject.tasks),
        reserves_table(subject),
        calibration_table(subject),
        claims_table(subject, found),
        doubts_table(subject),
        automation_table(subject),
        conformal_table(subject),
        scope_table(subject),
        latency_table(subject),
        thresholds_table(subject),
        intents_table(subject),
    ]
    for table in tables:
        if table is not None:
            yield f"\n### {escaped(table.title)}\n"
            yield from _table(table)
    yield "\n## How to reproduce\n"
    yield from _reproduce(subject)


def _details(subject: Subject) -> Iterator[str]:
    manifest = subject.manifest
    made = f"Frontdesk {escaped(manifest.code_version)}, profile `{_code(manifest.profile)}`"
    yield "- Kind: intent and sentiment of customers' messages, a calibrated LightGBM scorer over the members"
    yield f"- Made by: {made}, {escaped(manifest.created_at)}"
    yield f"- Members: {', '.join(escaped(name) for name in manifest.members)}"
    for name, weights in manifest.data.get("weights", {}).items():
        known = STARTING_WEIGHTS.get(weights, "{weights}").format(architecture=name, weights=weights)
        yield f"- {escaped(name)} starts from: {escaped(known)}"
    yield f"- Size: {subject.size_bytes / 1e6:.1f} MB"


def _use(subject: Subject) -> Iterator[str]:
    yield "- To sort customers' messages by intent and sentiment, to order them, and to draft answers for a person."
    if subject.calibration.automation_threshold is not None or subject.calibration.intent_thresholds:
        yield "- To answer without a person where the confidence is certified and the team's policy allows it."
    yield "- Users: support teams, and the engineers who run Frontdesk for them."
    yield "- Messages are masked before any model sees them."


def _reproduce(subject: Subject) -> Iterator[str]:
    manifest, data = subject.manifest, subject.manifest.data
    source = "" if data["source"] == "starter corpus" else f" --data {_code(str(data['source']))}"
    yield "```"
    yield f"frontdesk train{source} --profile {_code(manifest.profile)}"
    yield "```\n"
    yield (
        f"with Frontdesk {escaped(manifest.code_version)} and the data whose SHA-256 over its masked rows is "
        f"`{_code(str(data['sha256']))}`. The same data, profile and code deal the same rows to the same parts; "
        "figures of encoders can differ in the third digit between machines."
    )


def _table(table: Table) -> Iterator[str]:
    heads = table.heads or ("", "")
    yield _row(heads)
    yield "|" + " --- |" * len(heads)
    for cells in table.rows:
        yield _row((f"**{escaped(cells[0])}**", *cells[1:]), 1) if cells[0] == table.strong else _row(cells)
    if table.note:
        yield f"\n{escaped(table.note)}"


def _row(cells: Sequence[str], ready: int = 0) -> str:
    return "| " + " | ".join([*cells[:ready], *(escaped(cell) for cell in cells[ready:])]) + " |"


def _code(text: str) -> str:
    """Inside a code span nothing can be escaped: what would end it is left out."""
    return " ".join(text.replace("`", "").split())
