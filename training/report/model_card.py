"""`model_card.md`: description of a version, its intended use and its limits (structure of Mitchell et al. 2019).

Markdown with the same tables as the page. The card may be published, so unlike the page it contains no messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from training.report.guarantee_tables import (
    automation_table,
    conformal_table,
    data_table,
    latency_table,
    out_of_scope_table,
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
from training.report.table import ReportTable

FILE_NAME = "model_card.md"
STARTING_WEIGHTS = {
    "minilm": "all-MiniLM-L6-v2, copied into the {architecture} architecture: no {architecture} weights",
}
"""Descriptions of the short names of weights in a profile. Any other name is a model of a hub."""

_MARKUP = re.compile(
    r"([\\`*\[\]<>|~&$]|(?<!\w)_|_(?!\w))"
)  # an underscore within a word needs no escape in CommonMark


def model_card(report_data: ReportData, calibrations: Sequence[IntentCalibration], limits: Sequence[Limitation]) -> str:
    """Render the model card."""
    return "\n".join(_card_lines(report_data, tuple(calibrations), limits))


def escape_markdown(text: str) -> str:
    """Escape text for one line of Markdown. Labels, sources and profile names come from users."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _card_lines(
    report_data: ReportData, calibrations: tuple[IntentCalibration, ...], limits: Sequence[Limitation]
) -> Iterator[str]:
    manifest = report_data.manifest
    yield f"# Model card: Frontdesk bundle {escape_markdown(manifest.version)}\n"
    yield "## Model details\n"
    yield from _model_details_lines(report_data)
    yield "\n## Intended use\n"
    yield from _intended_use_lines(report_data)
    yield "\n## Limits\n"
    yield "Limitations of this version, with reasons:\n"
    yield from (f"- **{limit.topic}.** {escape_markdown(limit.sentence)}" for limit in limits)
    yield "\n## Data\n"
    yield from _table(data_table(report_data))
    yield f"\nIntents: {', '.join(escape_markdown(label) for label in manifest.intents)}."
    yield f"Sentiments: {', '.join(escape_markdown(label) for label in manifest.sentiments)}."
    yield "\n## Metrics\n"
    yield f"All metrics: on {manifest.metrics['rows']} held-out messages, not used for training or calibration."
    tables = [
        *(base_models_table(report_data, task) for task in report_data.tasks),
        fallback_table(report_data),
        calibration_table(report_data),
        intent_calibration_table(report_data, calibrations),
        uncertainty_table(report_data),
        automation_table(report_data),
        conformal_table(report_data),
        out_of_scope_table(report_data),
        latency_table(report_data),
        thresholds_table(report_data),
        intents_table(report_data),
    ]
    for table in tables:
        if table is not None:
            yield f"\n### {escape_markdown(table.title)}\n"
            yield from _table(table)
    yield "\n## How to reproduce\n"
    yield from _reproduction_lines(report_data)


def _model_details_lines(report_data: ReportData) -> Iterator[str]:
    manifest = report_data.manifest
    producer = f"Frontdesk {escape_markdown(manifest.code_version)}, profile `{_escape_code_span(manifest.profile)}`"
    yield "- Kind: intent and sentiment of customers' messages, from a calibrated LightGBM scorer over base models"
    yield f"- Created by: {producer}, {escape_markdown(manifest.created_at)}"
    yield f"- Base models: {', '.join(escape_markdown(name) for name in manifest.members)}"
    for name, weights in manifest.data.get("weights", {}).items():
        description = STARTING_WEIGHTS.get(weights, "{weights}").format(architecture=name, weights=weights)
        yield f"- {escape_markdown(name)} starts from: {escape_markdown(description)}"
    yield f"- Size: {report_data.size_bytes / 1e6:.1f} MB"


def _intended_use_lines(report_data: ReportData) -> Iterator[str]:
    yield "- Classification of customers' messages by intent and sentiment, prioritisation, and drafts of replies."
    if report_data.calibration.automation_threshold is not None or report_data.calibration.intent_thresholds:
        yield "- Replies without a person where the confidence is certified and the team's policy allows it."
    yield "- Users: support teams, and the engineers who run Frontdesk for them."
    yield "- Messages are masked before they are passed to a model."


def _reproduction_lines(report_data: ReportData) -> Iterator[str]:
    manifest, data = report_data.manifest, report_data.manifest.data
    source = "" if data["source"] == "starter corpus" else f" --data {_escape_code_span(str(data['source']))}"
    yield "```"
    yield f"frontdesk train{source} --profile {_escape_code_span(manifest.profile)}"
    yield "```\n"
    yield (
        f"with Frontdesk {escape_markdown(manifest.code_version)} and the data whose SHA-256 over its masked rows is "
        f"`{_escape_code_span(str(data['sha256']))}`. The same data, profile and code give the same split; "
        "metrics of encoders can differ in the third digit between machines."
    )


def _table(table: ReportTable) -> Iterator[str]:
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


def _escape_code_span(text: str) -> str:
    """Text for a code span. Backticks are removed, because they cannot be escaped there."""
    return " ".join(text.replace("`", "").split())
