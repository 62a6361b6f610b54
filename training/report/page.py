"""The report of a bundle: `report.html`, a single file with metrics and plots, and `model_card.md`.

The page makes no network requests. It contains masked held-out messages only as examples of confusions; these and all
names are escaped. Both files are stored outside of the bundles.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple

from model_store.bundle import Bundle
from runners.ensemble.ensemble import Ensemble
from training.data.held_out import read_held_out
from training.data.labels import encode_labels
from training.evaluation.bundle_evaluation import list_confusions, predict_timed
from training.models.curves import read_curves
from training.report import guarantee_tables, metric_tables
from training.report.calibration_plots import draw_out_of_scope_scores, draw_reliability, draw_risk_coverage
from training.report.intent_calibration import IntentCalibration, measure_intent_calibration
from training.report.intent_plots import draw_accuracy, draw_confusion, draw_intent_calibration
from training.report.learning_curve_plot import draw_curves
from training.report.limitations import Limitation, list_limitations
from training.report.model_card import FILE_NAME as CARD_NAME
from training.report.model_card import model_card
from training.report.predictions import Predictions
from training.report.report_data import ReportData
from training.report.table import ReportTable, percent

PAGE = Path(__file__).with_name("page.html")
FILE_NAME = "report.html"
MAX_CONFUSIONS = 20
FOLDED_ROWS = 40
"""Tables with more rows are collapsed."""


class PlotFile(NamedTuple):
    """A plot file and a caption that explains how to read it."""

    path: Path
    caption: str


class ReportSection(NamedTuple):
    heading: str
    parts: tuple[PlotFile | ReportTable | None, ...]


def write_report(bundle: Bundle, folder: Path) -> Path:
    """Evaluate a sealed bundle on its held-out rows and write its report and model card. Returns the page.

    Raises:
        BundleError: the bundle has no held-out rows, because an older version sealed it.
    """
    ensemble, examples = Ensemble.load(bundle), read_held_out(bundle)
    texts, labels = [example.text for example in examples], ensemble.taxonomy.labels
    prediction, latency = predict_timed(ensemble, texts)
    truth = encode_labels(examples, labels, ensemble.sentiments)
    report_data = ReportData(
        manifest=bundle.manifest,
        calibration=ensemble.calibration,
        predictions=Predictions.of(prediction, truth, examples),
        curves=read_curves(bundle.path),
        confusions=list_confusions(prediction, truth.intent, labels, texts, MAX_CONFUSIONS),
        latency=latency,
        size_bytes=sum((bundle.path / name).stat().st_size for name in bundle.manifest.files),
    )
    return render_report(report_data, folder)[0]


def render_report(report_data: ReportData, folder: Path) -> tuple[Path, ...]:
    """Write page, model card and plots into `folder`. Returns their paths: page, card, plots."""
    folder.mkdir(parents=True, exist_ok=True)
    calibrations = measure_intent_calibration(report_data.predictions)
    limitations = list_limitations(report_data, calibrations)
    sections = tuple(_sections(report_data, calibrations, folder))
    page, card = folder / FILE_NAME, folder / CARD_NAME
    page.write_text(_render_page(report_data, limitations, sections), encoding="utf-8")
    card.write_text(model_card(report_data, calibrations, limitations), encoding="utf-8")
    pictures = (part.path for section in sections for part in section.parts if isinstance(part, PlotFile))
    return (page, card, *pictures)


def _sections(
    report_data: ReportData, calibrations: Sequence[IntentCalibration], folder: Path
) -> Iterator[ReportSection]:
    manifest, calibration, predictions = report_data.manifest, report_data.calibration, report_data.predictions

    def plot_file(name: str, caption: str) -> PlotFile:
        return PlotFile(folder / f"{name}.png", caption)

    members = (metric_tables.base_models_table(report_data, task) for task in report_data.tasks)
    yield ReportSection("Base models and meta-learner", (*members, metric_tables.fallback_table(report_data)))

    reliability = plot_file("reliability", "On the dotted line, confidence equals accuracy.")
    draw_reliability(reliability.path, manifest.members, predictions)
    claims = plot_file(
        "claims",
        "The bar is the mean confidence, the dot the accuracy. Coloured: significant (exact binomial test, Holm's "
        "correction); all other gaps may be chance.",
    )
    draw_intent_calibration(claims.path, manifest.intents, calibrations)
    yield ReportSection("Calibration", (metric_tables.calibration_table(report_data), reliability, claims))

    risk = plot_file("risk_coverage", "The longer a curve stays low, the more can be automated.")
    draw_risk_coverage(risk.path, manifest.members, manifest.intents, predictions, calibration)
    yield ReportSection(
        "Uncertainty and automation",
        (guarantee_tables.automation_table(report_data), risk, metric_tables.uncertainty_table(report_data)),
    )

    yield ReportSection("Plausible intents", (guarantee_tables.conformal_table(report_data),))

    scope = plot_file("out_of_scope", "Messages to the right of the dashed line are predicted as out of scope.")
    draw_out_of_scope_scores(scope.path, predictions, calibration)
    yield ReportSection("Out of scope", (guarantee_tables.out_of_scope_table(report_data), scope))

    accuracy = plot_file("intents", "For a short bar with many rows, more or clearer examples help most.")
    draw_accuracy(accuracy.path, manifest.intents, predictions)
    confusion = plot_file(
        "confusion", "Orange cells are errors. Two cells mirrored at the diagonal are intents confused with each other."
    )
    draw_confusion(confusion.path, manifest.intents, predictions)
    examples, all_intents = metric_tables.confusions_table(report_data), metric_tables.intents_table(report_data)
    yield ReportSection("Intents", (accuracy, examples, confusion, all_intents))

    if report_data.curves:
        curves = plot_file("curves", "If the loss still falls at the end, more epochs may help.")
        draw_curves(curves.path, report_data.curves)
        yield ReportSection("Learning", (curves,))

    details = (
        guarantee_tables.latency_table(report_data),
        guarantee_tables.thresholds_table(report_data),
        guarantee_tables.data_table(report_data),
    )
    yield ReportSection("Latency, thresholds, data", details)


def _render_page(report_data: ReportData, limitations: Sequence[Limitation], sections: Sequence[ReportSection]) -> str:
    manifest = report_data.manifest
    subtitle = (
        f"Profile {manifest.profile}, trained {manifest.created_at} by Frontdesk {manifest.code_version}. "
        f"All metrics are measured on {manifest.metrics['rows']} messages that were not used in training."
    )
    return Template(PAGE.read_text(encoding="utf-8")).substitute(
        version=escape(manifest.version),
        subtitle=escape(subtitle),
        tiles="".join(_tile(*tile) for tile in _headline_metrics(report_data)),
        limits="".join(f"<li><b>{escape(topic)}.</b> {escape(sentence)}</li>" for topic, sentence in limitations),
        sections="\n".join(_section(section) for section in sections),
    )


def _headline_metrics(report_data: ReportData) -> Iterator[tuple[str, str, str]]:
    """The most important metrics: (title, value, details)."""
    metrics, calibration = report_data.metrics, report_data.calibration
    scope, sets, automation = metrics["scope"], metrics["conformal"], metrics["automation"]
    for task in report_data.tasks:
        ensemble = metrics[task]["ensemble"]
        yield (
            f"{task} accuracy",
            percent(ensemble["accuracy"]),
            f"log loss {ensemble['log_loss']:.3f}, macro-F1 {ensemble['macro_f1']:.3f}",
        )
    detail = f"{scope['ece_with_out_of_scope']:.3f} with out of scope counted as wrong"
    yield "calibration error, intent", f"{metrics['intent']['ensemble']['ece']:.3f}", detail
    near = percent(scope["near_recall"]) if scope.get("near_rows") else ""
    recall = percent(scope["recall"]) if report_data.far_out_of_scope_rows else near or "not known"
    detail = f", {near} of near ones" if near and report_data.far_out_of_scope_rows else ", near ones" if near else ""
    yield "out of scope detected", recall, f"at {percent(scope['false_alarm_rate'])} false alarms{detail}"
    promised = f"guaranteed: at most {percent(calibration.max_error)}"
    wrong = f"{percent(automation['error'])} of them wrong, {promised}"
    yield "automated", percent(automation["share"]), wrong if automation["share"] else "no message passes a threshold"
    yield (
        "plausible intents",
        f"{sets['mean_set_size']:.2f}",
        f"includes the right one in {percent(sets['coverage'])}",
    )


def _tile(title: str, value: str, detail: str) -> str:
    return f"<div><dt>{escape(title)}</dt><dd>{escape(value)}</dd><dd>{escape(detail)}</dd></div>"


def _section(section: ReportSection) -> str:
    parts = "\n".join(_render_part(part) for part in section.parts if part is not None)
    return f"<section>\n<h2>{escape(section.heading)}</h2>\n{parts}\n</section>"


def _render_part(part: PlotFile | ReportTable) -> str:
    return _figure(part) if isinstance(part, PlotFile) else _table(part)


def _figure(plot_file: PlotFile) -> str:
    data = base64.b64encode(plot_file.path.read_bytes()).decode()
    name, caption = escape(plot_file.path.stem.replace("_", " ")), escape(plot_file.caption)
    return f'<figure><img alt="{name}" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'


def _table(table: ReportTable) -> str:
    """Render a table. Without headers it is a table of names and values; long tables are collapsed."""
    kind = "" if table.headers else ' class="pairs"'
    headers = "".join(
        f"<th{_words_class_attribute(table, column)}>{escape(head)}</th>" for column, head in enumerate(table.headers)
    )
    top = f"<thead><tr>{headers}</tr></thead>" if headers else ""
    rows = "".join(_row(table, cells) for cells in table.rows)
    body = f'<div class="scroll"><table{kind}>{top}<tbody>{rows}</tbody></table></div>'
    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    title = escape(table.title)
    if len(table.rows) > FOLDED_ROWS:
        return f"<details><summary>{title} ({len(table.rows)})</summary>{body}{note}</details>"
    return f'<div class="table"><h3>{title}</h3>{body}{note}</div>'


def _row(table: ReportTable, cells: tuple[str, ...]) -> str:
    marked = ' class="strong"' if cells[0] == table.highlighted else ""
    return f"<tr{marked}>{''.join(_cell(table, column, cell) for column, cell in enumerate(cells))}</tr>"


def _cell(table: ReportTable, column: int, cell: str) -> str:
    tag = "td" if table.headers or column else "th"
    if column in table.bar_columns:
        return f'<td class="bar" style="--share:{escape(cell)}">{escape(cell)}</td>'
    return f"<{tag}{_words_class_attribute(table, column)}>{escape(cell)}</{tag}>"


def _words_class_attribute(table: ReportTable, column: int) -> str:
    return ' class="words"' if column in table.text_columns else ""
