"""The page of a report with synthetic numbers: its content, and what it must not contain. No plots are drawn."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.reports import (
    ROW,
    calibration,
    manifest,
    metrics,
    names,
    predictions,
    report_data,
    with_old_metrics,
)
from training.evaluation.bundle_evaluation import IntentConfusion
from training.report import page as report_page
from training.report.page import FOLDED_ROWS, render_report
from training.report.report_data import ReportData

INTENTS = ("refund", "invoice", "order")
PageText = Callable[[ReportData], str]


@pytest.fixture
def page_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> PageText:
    """The text of a report's page. Plots, which take most of the time, are replaced by empty files."""
    for name in [name for name in vars(report_page) if name.startswith("draw_") and name != render_report.__name__]:
        monkeypatch.setattr(report_page, name, lambda path, *_: path.write_bytes(b""))
    return lambda report_data: render_report(report_data, tmp_path)[0].read_text(encoding="utf-8")


def test_the_page_contains_all_stored_metrics(page_of: PageText) -> None:
    text = page_of(report_data(calibration=calibration(0.6, refund=0.55)))
    for fact in (
        "20260101-abcdef", "ab" * 32, "200 train, 50 calibration, 50 test",
        "soft vote of all", "all without distilbert", "ms per text", "<td>4.50</td>", "<td>+0.030</td>",
        "95.1% ± 0.4 points", "20 re-splits", "1.25 intents",
        "near: of intents withheld from training", "<td>40.0%</td>", "<td>0.810</td>",
        "1.0%, at most 6.0% at 95%", "confidence 0.5500",
        "disagreement between base models", "<td>0.0400</td>",
        "2.50 ms", "3.0 MB", "where is [ORDER_1]",
    ):  # fmt: skip
        assert fact in text, fact


def test_a_member_that_adds_nothing_is_named(page_of: PageText) -> None:
    figures = metrics(INTENTS)
    assert "does not rise" not in page_of(report_data(manifest=manifest(INTENTS, figures)))
    figures["ablation"]["intent"]["without_distilbert"] = {**ROW, "log_loss": 0.24}
    text = page_of(report_data(manifest=manifest(INTENTS, figures)))
    assert "Log loss does not rise without distilbert." in text


def test_fallback_ensembles_are_compared_with_all_base_models(page_of: PageText) -> None:
    text = page_of(report_data())
    assert "Fallback ensembles while encoders are unavailable" in text
    assert '<td class="words">all without distilbert</td><td>0.777</td><td>0.300</td>' in text
    assert '<td class="words">all base models</td><td>0.900</td><td>0.250</td>' in text


def test_names_and_messages_are_escaped(page_of: PageText) -> None:
    evil = "<script>alert(1)</script>"
    named = manifest((evil, "order"))
    hostile = report_data(
        (evil, "order"),
        manifest=replace(named, profile=evil, data={**named.data, "source": '"><img onerror=x>&.csv'}),
        confusions=(IntentConfusion(evil, "order", 1, 'see <a href="https://x.y">this</a> & ${version} $$', 0.5),),
    )
    text = page_of(hostile)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "&quot;&gt;&lt;img onerror=x&gt;&amp;.csv" in text
    assert "&lt;a href=&quot;https://x.y&quot;&gt;this&lt;/a&gt; &amp; ${version} $$" in text
    assert not re.search("<script|<img onerror|<a ", text)


def test_an_older_bundle_has_a_report_without_the_metrics_that_it_lacks(
    page_of: PageText,
) -> None:
    old = manifest(INTENTS, with_old_metrics(metrics(INTENTS)))
    text = page_of(report_data(manifest=old))
    assert "Detection of wrong predictions" in text
    for absent in (
        "ms per text",
        "while encoders are unavailable",
        "all without",
        "re-splits",
        "near:",
        "AURC</th>",
        "All intents",
    ):
        assert absent not in text, absent


def test_without_a_sentiment_the_page_has_no_metric_of_it_and_says_so(page_of: PageText) -> None:
    text = page_of(report_data(manifest=manifest(INTENTS, {**metrics(INTENTS), "sentiment": {}})))
    assert "sentiment accuracy" not in text
    assert "Sentiment: base models" not in text
    assert "No held-out message has a sentiment" in text


@pytest.mark.parametrize(
    ("rows", "near_rows", "told"),
    [(6, 4, ", 40.0% of near ones"), (6, 0, "<dd>90.0%</dd>"), (0, 4, "<dd>40.0%</dd>"), (0, 0, "<dd>not known</dd>")],
)
def test_a_recall_without_messages_is_not_shown_as_zero(
    page_of: PageText, rows: int, near_rows: int, told: str
) -> None:
    figures = metrics(INTENTS)
    figures["scope"] |= {"rows": rows, "near_rows": near_rows, "recall": 0.9 if rows else 0.0}
    text = page_of(report_data(manifest=manifest(INTENTS, figures)))
    assert told in text
    assert ("far: fit no intent" in text) == bool(rows)


@pytest.mark.parametrize(("intents", "folded"), [(FOLDED_ROWS, False), (FOLDED_ROWS + 1, True)])
def test_a_long_table_of_intents_is_folded(page_of: PageText, intents: int, folded: bool) -> None:
    text = page_of(report_data(names(intents), predictions=predictions(intents, rows=300)))
    assert ("<details>" in text) == folded
    assert f'<td class="words">intent_{intents - 1}</td>' in text
