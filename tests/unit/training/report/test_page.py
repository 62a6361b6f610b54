"""The whole report, from numbers made here: which files there are, and what may not be on the page."""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model_store.bundle import Bundle
from model_store.manifest import Manifest
from runners.models.calibration import Calibration, Platt
from training.curves import Step
from training.held_out import read_held_out
from training.members import MISSING
from training.report.page import draw_report, report_on
from training.report.predictions import Predictions

MEMBERS = ("logistic_regression", "random_forest")
ALWAYS = {"members", "reliability", "risk_coverage", "out_of_scope", "intents", "confusion"}
CURVES = {"distilbert": [Step(number, 3.0 / number, 1e-4 / number) for number in range(1, 40)]}


def calibration(automation_threshold: float | None = 0.6) -> Calibration:
    same = Platt(slope=1.0, offset=0.0)
    return Calibration(same, same, 0.4, 0.05, 0.1, 0.95, automation_threshold, 0.02, 0.95, 200)


def manifest(intents: tuple[str, ...]) -> Manifest:
    row = {"accuracy": 0.9, "macro_f1": 0.8, "log_loss": 0.3, "brier": 0.1, "ece": 0.05}
    figures = dict.fromkeys((*MEMBERS, "soft_vote", "ensemble"), row)
    return Manifest(
        version="20260101-abcdef",
        created_at="2026-01-01T00:00:00+00:00",
        code_version="0.1.0",
        profile="tiny",
        intents=intents,
        sentiments=("negative", "neutral", "positive"),
        members=MEMBERS,
        candidates_per_member=5,
        masking_version="1",
        feature_fingerprint="f00",
        data={"source": "ours", "sha256": "ab" * 32, "rows": 300, "train": 200, "calibration": 50, "test": 50},
        metrics={
            "rows": 50,
            "intent": figures,
            "sentiment": figures,
            "scope": {"ece_with_out_of_scope": 0.03, "recall": 0.7, "false_alarm_rate": 0.05},
            "conformal": {"coverage": 0.95, "mean_set_size": 1.2},
            "automation": {"share": 0.0, "error": 0.0},
        },
        files={},
    )


def predictions(intents: int, out_of_scope: int = 8, rows: int = 50) -> Predictions:
    generator = np.random.default_rng(1)
    members = generator.dirichlet(np.ones(intents), (len(MEMBERS), rows))
    truth = generator.integers(0, intents, rows)
    truth[:out_of_scope] = MISSING
    return Predictions(members, members.mean(axis=0) * 0.9, truth, np.arange(rows) < out_of_scope, rated=rows)


def size_of_png(path: Path) -> tuple[int, int]:
    """Width and height from the header (PNG specification, 11.2.2)."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def test_every_picture_is_a_png_of_readable_size_and_stands_on_the_page(tmp_path: Path) -> None:
    intents = ("refund", "invoice", "order")
    page, *pictures = draw_report(manifest(intents), calibration(), predictions(3), CURVES, tmp_path / "new" / "folder")
    assert {path.stem for path in pictures} == {*ALWAYS, "curves"}
    for path in pictures:
        width, height = size_of_png(path)
        assert width == 1350
        assert 250 < height < 3000
    text = page.read_text(encoding="utf-8")
    assert text.count("<img ") == len(pictures)
    for fact in ("20260101-abcdef", "ab" * 32, "200 train, 50 calibration, 50 test", "soft_vote", "macro-F1"):
        assert fact in text


def test_the_page_asks_the_network_for_nothing(tmp_path: Path) -> None:
    page = draw_report(manifest(("refund", "order")), calibration(), predictions(2), {}, tmp_path)[0]
    text = page.read_text(encoding="utf-8")
    sources = re.findall(r"(?:src|href|action)=\"([^\"]{1,30})", text)
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"https?://|<script|@import|url\(", text)


def test_names_that_a_team_chose_are_escaped(tmp_path: Path) -> None:
    named = manifest(("refund", "order"))
    hostile = replace(
        named, profile="<script>alert(1)</script>", data={**named.data, "source": '"><img onerror=x>&.csv'}
    )
    text = draw_report(hostile, calibration(), predictions(2), {}, tmp_path)[0].read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "&quot;&gt;&lt;img onerror=x&gt;&amp;.csv" in text
    assert "<script" not in text
    assert "<img onerror" not in text


def test_a_label_with_dollar_signs_is_no_formula(tmp_path: Path) -> None:
    assert len(draw_report(manifest((r"$\frac$", "pay_$5_or_$6")), calibration(), predictions(2), {}, tmp_path)) == 7


@pytest.mark.parametrize(
    ("intents", "given", "threshold"),
    [
        (1, {"out_of_scope": 8}, 0.6),
        (3, {"out_of_scope": 0}, 0.6),
        (3, {"out_of_scope": 8}, None),
        (3, {"out_of_scope": 0, "rows": 2}, None),
        (60, {"out_of_scope": 8, "rows": 400}, 0.999),
    ],
    ids=["one intent", "nothing out of scope", "no automation threshold", "two rows", "many intents, none automated"],
)
def test_a_poor_data_set_still_gives_a_report(
    tmp_path: Path, intents: int, given: dict[str, int], threshold: float | None
) -> None:
    names = tuple(f"intent_{number}" for number in range(intents))
    pictures = draw_report(manifest(names), calibration(threshold), predictions(intents, **given), {}, tmp_path)[1:]
    assert {path.stem for path in pictures} == ALWAYS
    assert all(size_of_png(path)[1] < 3000 for path in pictures)


def test_the_same_numbers_give_the_same_bytes(tmp_path: Path) -> None:
    intents = ("refund", "order")
    first, again = (
        draw_report(manifest(intents), calibration(), predictions(2), CURVES, tmp_path / name) for name in "ab"
    )
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_a_bundle_is_reported_without_a_word_of_its_messages_and_stays_as_it_was(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    files = sorted(tiny_bundle.path.rglob("*"))
    page = report_on(tiny_bundle, tmp_path / tiny_bundle.version)
    text = page.read_text(encoding="utf-8")
    assert tiny_bundle.version in text
    examples = read_held_out(tiny_bundle)
    assert examples
    assert not [example.text for example in examples if example.text in text]
    assert sorted(tiny_bundle.path.rglob("*")) == files
