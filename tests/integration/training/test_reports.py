"""Whole reports with plots, of synthetic numbers and of a trained bundle."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from model_store.bundle import Bundle
from tests.support.reports import (
    CURVES,
    calibration,
    names,
    predictions,
    report_data,
)
from training.data.held_out import read_held_out
from training.report.page import render_report, write_report

ALWAYS = {"reliability", "claims", "risk_coverage", "out_of_scope", "intents", "confusion"}


def size_of_png(path: Path) -> tuple[int, int]:
    """Width and height from the header (PNG specification, 11.2.2)."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """A report with all plots, in a new folder."""
    return render_report(report_data(curves=CURVES), tmp_path_factory.mktemp("drawn") / "new" / "folder")


def test_every_picture_is_a_png_of_readable_size_and_stands_on_the_page(drawn: tuple[Path, ...]) -> None:
    page, card, *pictures = drawn
    assert (page.name, card.name) == ("report.html", "model_card.md")
    assert {path.stem for path in pictures} == {*ALWAYS, "curves"}
    for path in pictures:
        width, height = size_of_png(path)
        assert width == 1350
        assert 250 < height < 3000
    assert page.read_text(encoding="utf-8").count("<img ") == len(pictures)


def test_the_page_asks_the_network_for_nothing(drawn: tuple[Path, ...]) -> None:
    text = drawn[0].read_text(encoding="utf-8")
    sources = re.findall(r"(?:src|href|action)=\"([^\"]{1,30})", text)
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"https?://|<script|@import|url\(|<link", text)
    assert "default-src 'none'" in text


def test_a_label_with_dollar_signs_is_no_formula(tmp_path: Path) -> None:
    assert len(render_report(report_data((r"$\frac$", "pay_$5_or_$6")), tmp_path)) == 2 + len(ALWAYS)


@pytest.mark.parametrize(
    ("intents", "given", "threshold"),
    [
        (1, {}, 0.6),
        (2, {"rows": 400}, 0.6),
        (3, {"out_of_scope": 0, "near": 0}, 0.6),
        (3, {"out_of_scope": 8, "near": 8}, 0.6),
        (3, {}, None),
        (3, {"out_of_scope": 0, "near": 0, "rows": 2}, None),
        (150, {"rows": 2000}, 0.999),
    ],
    ids=[
        "one",
        "two",
        "nothing out of scope",
        "all near",
        "no automation threshold",
        "two rows",
        "150, none automated",
    ],
)
def test_any_data_set_gives_a_report(
    tmp_path: Path, intents: int, given: dict[str, int], threshold: float | None
) -> None:
    data = report_data(names(intents), calibration=calibration(threshold), predictions=predictions(intents, **given))
    pictures = render_report(data, tmp_path)[2:]
    assert {path.stem for path in pictures} == ALWAYS
    assert all(size_of_png(path)[1] < 3000 for path in pictures)


def test_the_same_numbers_give_the_same_bytes(drawn: tuple[Path, ...], tmp_path: Path) -> None:
    again = render_report(report_data(curves=CURVES), tmp_path)
    assert [path.read_bytes() for path in drawn] == [path.read_bytes() for path in again]


def test_a_bundle_is_reported_with_no_more_messages_than_its_examples_and_stays_as_it_was(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    files = sorted(tiny_bundle.path.rglob("*"))
    page = write_report(tiny_bundle, tmp_path / tiny_bundle.version)
    text, card = (page.with_name(name).read_text(encoding="utf-8") for name in ("report.html", "model_card.md"))
    assert tiny_bundle.version in text
    assert tiny_bundle.version in card
    messages = [example.text for example in read_held_out(tiny_bundle)]
    assert 0 < sum(message in text for message in messages) <= 20
    assert not [message for message in messages if message in card]
    assert sorted(tiny_bundle.path.rglob("*")) == files
