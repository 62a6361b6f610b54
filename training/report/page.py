"""The report of a bundle: pictures as PNG files, and `report.html`, one file that shows them beside the figures.

The page asks the network for nothing and holds no text of a message: it is made of the manifest's figures, of
thresholds and of arrays. It lies beside the bundles, not in one.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import numpy as np

from model_store.bundle import Bundle
from model_store.manifest import Manifest
from runners.ensemble import Ensemble
from runners.models.calibration import Calibration
from training.appraisal import judge_all
from training.curves import Curves, read_curves
from training.evaluation import table
from training.held_out import read_held_out
from training.members import labels_of
from training.report.confidence import draw_reliability, draw_risk_coverage, draw_scope
from training.report.intents import draw_accuracy, draw_confusion
from training.report.members import draw_curves, draw_members
from training.report.predictions import Predictions

PAGE = Path(__file__).with_name("page.html")
FILE_NAME = "report.html"
TASKS = ("intent", "sentiment")


class Picture(NamedTuple):
    """A file, and in one sentence how to read it."""

    path: Path
    caption: str


def report_on(bundle: Bundle, folder: Path) -> Path:
    """Ask a sealed bundle about its held-out rows once more and draw its report; returns the page.

    Raises:
        BundleError: when the bundle was sealed before bundles kept their held-out rows.
    """
    ensemble, examples = Ensemble.load(bundle), read_held_out(bundle)
    judgement = judge_all(ensemble, [example.text for example in examples])
    out_of_scope = np.array([example.out_of_scope for example in examples])
    labels = labels_of(examples, ensemble.taxonomy.labels, ensemble.sentiments)
    predictions = Predictions.of(judgement, labels, out_of_scope)
    return draw_report(bundle.manifest, ensemble.calibration, predictions, read_curves(bundle.path), folder)[0]


def draw_report(
    manifest: Manifest, calibration: Calibration, predictions: Predictions, curves: Curves, folder: Path
) -> tuple[Path, ...]:
    """Write the page and its pictures into `folder` and return their paths, the page first.

    Args:
        predictions: of at least one row with an intent.
        curves: of the encoders; without any there is no picture of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = tuple(_pictures(manifest, calibration, predictions, curves, folder))
    page = folder / FILE_NAME
    page.write_text(_page(manifest, calibration, pictures), encoding="utf-8")
    return (page, *(picture.path for picture in pictures))


def _pictures(
    manifest: Manifest, calibration: Calibration, predictions: Predictions, curves: Curves, folder: Path
) -> Iterator[Picture]:
    figures = {task: manifest.metrics[task] for task in TASKS if manifest.metrics[task]}
    members = Picture(
        folder / "members.png", "The blue bar should be the longest on the left, the shortest on the right."
    )
    rows = {"intent": int(predictions.in_scope.sum()), "sentiment": predictions.rated}
    draw_members(members.path, _order(manifest), figures, rows)
    yield members
    reliable = Picture(
        folder / "reliability.png", "On the dotted line, a confidence of 80 % is right in 80 % of cases."
    )
    draw_reliability(reliable.path, manifest.members, predictions)
    yield reliable
    answered = Picture(folder / "risk_coverage.png", "The longer a curve stays low, the more can be automated.")
    draw_risk_coverage(answered.path, manifest.members, predictions, calibration)
    yield answered
    scope = Picture(
        folder / "out_of_scope.png", "Messages to the right of the dashed line are taken to be out of scope."
    )
    draw_scope(scope.path, predictions, calibration)
    yield scope
    hard = Picture(folder / "intents.png", "A short bar on many rows is where more or clearer examples help most.")
    draw_accuracy(hard.path, manifest.intents, predictions)
    yield hard
    confused = Picture(
        folder / "confusion.png", "An orange cell is a mistake; two such cells across the diagonal are twins."
    )
    draw_confusion(confused.path, manifest.intents, predictions)
    yield confused
    if curves:
        learned = Picture(folder / "curves.png", "A loss that still falls at the end asks for more epochs.")
        draw_curves(learned.path, curves)
        yield learned


def _page(manifest: Manifest, calibration: Calibration, pictures: Iterable[Picture]) -> str:
    subtitle = (
        f"Profile {manifest.profile}, trained {manifest.created_at} by Frontdesk {manifest.code_version}. "
        f"Every figure is of {manifest.metrics['rows']} messages that took no part in training."
    )
    return Template(PAGE.read_text(encoding="utf-8")).substitute(
        version=escape(manifest.version),
        subtitle=escape(subtitle),
        tiles="".join(_tile(*tile) for tile in _headlines(manifest.metrics)),
        pictures="\n".join(_figure(picture) for picture in pictures),
        tables="\n".join(_table(manifest, task) for task in TASKS if manifest.metrics[task]),
        thresholds=_pairs(_thresholds(calibration)),
        data=_pairs(_data(manifest)),
    )


def _order(manifest: Manifest) -> tuple[str, ...]:
    """The rows of tables and bars; a manifest's figures themselves come in alphabetical order."""
    return (*manifest.members, "soft_vote", "ensemble")


def _headlines(metrics: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(what, figure, beside it) of what one asks first."""
    scope, sets, automation = metrics["scope"], metrics["conformal"], metrics["automation"]
    for task in TASKS:
        if ensemble := metrics[task].get("ensemble"):
            beside = f"log loss {ensemble['log_loss']:.3f}, macro-F1 {ensemble['macro_f1']:.3f}"
            yield f"{task} right", f"{ensemble['accuracy']:.1%}", beside
    if ensemble := metrics["intent"].get("ensemble"):
        beside = f"{scope['ece_with_out_of_scope']:.3f} with out of scope counted as wrong"
        yield "calibration error, intent", f"{ensemble['ece']:.3f}", beside
    yield "out of scope found", f"{scope['recall']:.1%}", f"at {scope['false_alarm_rate']:.1%} false alarms"
    wrong = f"{automation['error']:.1%} of them wrong" if automation["share"] else "no threshold could be certified"
    yield "automated", f"{automation['share']:.1%}", wrong
    yield "plausible intents", f"{sets['mean_set_size']:.2f}", f"the right one among them in {sets['coverage']:.1%}"


def _thresholds(calibration: Calibration) -> Iterator[tuple[str, str]]:
    certified = calibration.automation_threshold
    promise = f"error at most {calibration.max_error:.1%} at {calibration.certificate_confidence:.0%} confidence"
    yield (
        "automation",
        f"none could be certified for an {promise}" if certified is None else f"{certified:.4f}, {promise}",
    )
    yield "out of scope", f"{calibration.out_of_scope_threshold:.4f}, false alarms {calibration.false_alarm_rate:.1%}"
    yield "plausible intent", f"{calibration.conformal_threshold:.4f}, coverage {calibration.conformal_coverage:.1%}"
    for task, platt in (("intent", calibration.intent), ("sentiment", calibration.sentiment)):
        yield f"{task} calibrator", f"sigmoid({platt.slope:.4f} · logit(p) {platt.offset:+.4f})"
    yield "calibrated on", f"{calibration.rows} messages that no member and no meta-learner saw"


def _data(manifest: Manifest) -> Iterator[tuple[str, str]]:
    data = manifest.data
    yield "source", str(data["source"])
    yield "SHA-256", str(data["sha256"])
    yield "messages", f"{data['rows']}: {data['train']} train, {data['calibration']} calibration, {data['test']} test"
    yield "labels", f"{len(manifest.intents)} intents, {len(manifest.sentiments)} sentiments"
    yield "features, masking", f"{manifest.feature_fingerprint}, {manifest.masking_version}"


def _tile(what: str, figure: str, beside: str) -> str:
    return f"<div><dt>{escape(what)}</dt><dd>{escape(figure)}</dd><dd>{escape(beside)}</dd></div>"


def _figure(picture: Picture) -> str:
    data = base64.b64encode(picture.path.read_bytes()).decode()
    name, caption = escape(picture.path.stem.replace("_", " ")), escape(picture.caption)
    return f'<figure><img alt="{name}" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'


def _table(manifest: Manifest, task: str) -> str:
    heads = "".join(f"<th>{head}</th>" for head in ("", "accuracy", "macro-F1", "log loss", "ECE"))
    rows = []
    by_name = {name: values for name, *values in table(dict(manifest.metrics), task)}
    for name in _order(manifest):
        cells = "".join(f"<td>{value:.3f}</td>" for value in by_name[name])
        marked = ' class="ensemble"' if name == "ensemble" else ""
        rows.append(f"<tr{marked}><td>{escape(name)}</td>{cells}</tr>")
    body = f"<table><tr>{heads}</tr>{''.join(rows)}</table>"
    return f'<section><h2>{task.capitalize()}</h2><div class="scroll">{body}</div></section>'


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in pairs)
