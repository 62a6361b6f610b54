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
from training.report.intent_calibration import IntentCalibration
from training.report.limitations import Limitation
from training.report.metric_tables import (
    base_models_table,
    calibration_table,
    fallback_table,
    intent_calibration_table,
    intents_table,
    uncertainty_table,
)
from training.report.report_data import ReportData
from training.report.table import Table

FILE_NAME = "model_card.md"
STARTING_WEIGHTS = {
    "minilm": "all-MiniLM-L6-v2, copied into the {architecture} architecture: no {architecture} weights",
}
"""What a profile's short names of weights mean; any other name is a model of a hub."""

_MARKUP = re.compile(r"([\\`*\[\]<>|~&$]|(?<!\w)_|_(?!\w))")  # an underscore within a word is one in CommonMark


def model_card(report_data: ReportData, calibrations: Sequence[IntentCalibration], limits: Sequence[Limitation]) -> str:
    """The whole card."""
    return "\n".join(_lines(report_data, tuple(calibrations), limits))


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is, on one line: labels, sources and profiles are named by whoever trains."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _lines(
    report_data: ReportData, calibrations: tuple[IntentCalibration, ...], limits: Sequence[Limitation]
) -> Iterator[str]:
    manifest = report_data.manifest
    yield f"# Model card: Frontdesk bundle {escape_markdown(manifest.version)}\n"
    yield "## Model details\n"
    yield from _details(report_data)
    yield "\n## Intended use\n"
    yield from _use(report_data)
    yield "\n## Limits\n"
    yield "What this version should not be trusted with, and why:\n"
    yield from (f"- **{limit.topic}.** {escape_markdown(limit.sentence)}" for limit in limits)
    yield "\n## Data\n"
    yield from _table(data_table(report_data))
    yield f"\nIntents: {', '.join(escape_markdown(label) for label in manifest.intents)}."
    yield f"Sentiments: {', '.join(escape_markdown(label) for label in manifest.sentiments)}."
    yield "\n## Metrics\n"
    yield f"All figures are of {manifest.metrics['rows']} held-out messages: no part of training, none of calibration."
    tables = [
        *(base_models_table(report_data, task) for task in report_data.tasks),
        fallback_table(report_data),
        calibration_table(report_data),
        intent_calibration_table(report_data, calibrations),
        uncertainty_table(report_data),
        automation_table(report_data),
        conformal_table(report_data),
        scope_table(report_data),
        latency_table(report_data),
        thresholds_table(report_data),
        intents_table(report_data),
    ]
    for table in tables:
        if table is not None:
            yield f"\n### {escape_markdown(table.title)}\n"
            yield from _table(table)
    yield "\n## How to reproduce\n"
    yield from _reproduce(report_data)


def _details(report_data: ReportData) -> Iterator[str]:
    manifest = report_data.manifest
    producer = f"Frontdesk {escape_markdown(manifest.code_version)}, profile `{_code(manifest.profile)}`"
    yield "- Kind: intent and sentiment of customers' messages, a calibrated LightGBM scorer over the members"
    yield f"- Made by: {producer}, {escape_markdown(manifest.created_at)}"
    yield f"- Members: {', '.join(escape_markdown(name) for name in manifest.members)}"
    for name, weights in manifest.data.get("weights", {}).items():
        description = STARTING_WEIGHTS.get(weights, "{weights}").format(architecture=name, weights=weights)
        yield f"- {escape_markdown(name)} starts from: {escape_markdown(description)}"
    yield f"- Size: {report_data.size_bytes / 1e6:.1f} MB"


def _use(report_data: ReportData) -> Iterator[str]:
    yield "- To sort customers' messages by intent and sentiment, to order them, and to draft answers for a person."
    if report_data.calibration.automation_threshold is not None or report_data.calibration.intent_thresholds:
        yield "- To answer without a person where the confidence is certified and the team's policy allows it."
    yield "- Users: support teams, and the engineers who run Frontdesk for them."
    yield "- Messages are masked before any model sees them."


def _reproduce(report_data: ReportData) -> Iterator[str]:
    manifest, data = report_data.manifest, report_data.manifest.data
    source = "" if data["source"] == "starter corpus" else f" --data {_code(str(data['source']))}"
    yield "```"
    yield f"frontdesk train{source} --profile {_code(manifest.profile)}"
    yield "```\n"
    yield (
        f"with Frontdesk {escape_markdown(manifest.code_version)} and the data whose SHA-256 over its masked rows is "
        f"`{_code(str(data['sha256']))}`. The same data, profile and code deal the same rows to the same parts; "
        "figures of encoders can differ in the third digit between machines."
    )


def _table(table: Table) -> Iterator[str]:
    headers = table.headers or ("", "")
    yield _row(headers)
    yield "|" + " --- |" * len(headers)
    for cells in table.rows:
        yield (
            _row((f"**{escape_markdown(cells[0])}**", *cells[1:]), 1) if cells[0] == table.highlighted else _row(cells)
        )
    if table.note:
        yield f"\n{escape_markdown(table.note)}"


def _row(cells: Sequence[str], unescaped: int = 0) -> str:
    return "| " + " | ".join([*cells[:unescaped], *(escape_markdown(cell) for cell in cells[unescaped:])]) + " |"


def _code(text: str) -> str:
    """Inside a code span nothing can be escaped: what would end it is left out."""
    return " ".join(text.replace("`", "").split())
