"""Current speed of this machine, for limits of CPU time that also hold on slow and busy machines.

CPU time of the same work varies by a factor of three between machines, and with what the other core does. A limit in
seconds is therefore scaled by a fixed piece of work that is timed at the same moment.
"""

from __future__ import annotations

import re
import time

REFERENCE_S = 0.0025
"""CPU time of `_work` on the machine for which limits are written."""

_TEXT = "Card 4111 1111 1111 1112, call +49 170 123 45 67, 12.11.2024 at 10:42; order A-48213-77. " * 45
_PATTERN = re.compile(r"(?<!\d)(?:\d[ .-]?){13,19}(?!\d)|\b[A-Z]-\d+(?:-\d+)*|\+?\d[\d ./-]{6,}\d")


def slowness() -> float:
    """CPU time of a fixed search relative to the reference machine, at least 1: 2.0 is half as fast."""
    return max(1.0, min(_work() for _ in range(5)) / REFERENCE_S)


def _work() -> float:
    start = time.thread_time()
    for _ in range(4):
        for match in _PATTERN.finditer(_TEXT):
            match.group().translate({32: None})
    return time.thread_time() - start
