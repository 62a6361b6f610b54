"""Progress display: a bar on a terminal, lines in a log.

Without a terminal (container log, pipe) rich prints nothing until the work is done, and several minutes of training
look like a hang. There, one line is printed for each step, and another every 30 seconds within a step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

LINE_INTERVAL_S = 30.0

ShowProgress = Callable[[str, float], None]
"""Show the name of the current step and the share of all work that is done, 0 to 1."""


@contextmanager
def progress_display(console: Console) -> Iterator[ShowProgress]:
    """Show a progress bar, or print lines if the console is not a terminal."""
    if not console.is_terminal:
        yield ProgressLines(console).show
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda step, share: bar.update(task, description=step, completed=share)


class ProgressLines:
    """Progress as lines of text: `12%  fine-tuning distilbert and roberta, 1:05 so far`."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._started_at = clock()
        self._printed_at = float("-inf")
        self._step = ""

    def show(self, step: str, share: float) -> None:
        """Print a line if the step is new or the last line is 30 seconds old."""
        now = self._clock()
        if step == self._step and now - self._printed_at < LINE_INTERVAL_S:
            return
        self._step, self._printed_at = step, now
        minutes, seconds = divmod(int(now - self._started_at), 60)
        line = f"{share:4.0%}  {step}, {minutes}:{seconds:02d} so far"
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)
