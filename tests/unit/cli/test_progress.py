"""Progress without a terminal: a limited number of lines."""

from __future__ import annotations

import io

from rich.console import Console

from cli.progress import ProgressLines, progress_display


def test_a_log_gets_a_line_for_each_step() -> None:
    log = io.StringIO()
    with progress_display(Console(file=log)) as show:
        show("fold 1 of 5", 0.0)
        show("fold 1 of 5", 0.05)
        show("fold 2 of 5", 0.1)
    assert log.getvalue().splitlines() == ["  0%  fold 1 of 5, 0:00 so far", " 10%  fold 2 of 5, 0:00 so far"]


def test_a_long_step_gets_a_line_every_thirty_seconds() -> None:
    log, now = io.StringIO(), [0.0]
    lines = ProgressLines(Console(file=log), clock=lambda: now[0])
    for second in range(0, 71, 5):
        now[0] = float(second)
        lines.show("fine-tuning distilbert and roberta", second / 100)
    assert [line.split(", ")[1] for line in log.getvalue().splitlines()] == [
        "0:00 so far",
        "0:30 so far",
        "1:00 so far",
    ]


def test_a_terminal_gets_a_bar() -> None:
    screen = io.StringIO()
    with progress_display(Console(file=screen, force_terminal=True, width=100)) as show:
        show("calibrating", 0.5)
    assert "calibrating" in screen.getvalue()
    assert "50%" in screen.getvalue()
