"""Quality of masking on the test set of personal data, and time of masking per message.

    python -m benchmarks.masking

Method: one thread, both halves of tests/masking. Microseconds are medians over the messages, each the minimum of
several rounds. Hostile text is the slowest of some repetitive texts of about 4,000 characters.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict

from benchmarks.results import argument_parser, print_result
from frontdesk.masking import MASKING_VERSION, mask
from tests.masking.marked import HALVES, MAIL_AND_CHAT, figures, marked_messages, plain, table

ALL = (*HALVES, MAIL_AND_CHAT)
ROUNDS = 7
HOSTILE = ("1 " * 2000, "1." * 2000, "123 " * 1000, "020 7946 0958 " * 285, "5 High " * 570, "Anna Berg " * 400)


def main() -> None:
    argument_parser(__doc__).parse_args()
    texts = [plain(message) for half in HALVES for message in marked_messages(half)]
    for half in ALL:
        print(table(half), end="\n\n")
    unmasked = [text for text in texts if not mask(text).originals]
    cost = {
        "nothing to mask": statistics.median(map(_seconds, unmasked)) * 1e6,
        "something to mask": statistics.median(_seconds(text) for text in texts if mask(text).originals) * 1e6,
        "hostile, 4,000 characters": max(map(_seconds, HOSTILE)) * 1e6,
    }
    for name, microseconds in cost.items():
        print(f"{name:<28}{microseconds:>10.1f} us")
    kinds = {half: {kind: asdict(of) for kind, of in figures(marked_messages(half)).items()} for half in ALL}
    print_result("masking", {"version": MASKING_VERSION, "microseconds": cost, "figures": kinds})


def _seconds(text: str) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        mask(text)
        best = min(best, time.perf_counter() - started)
    return best


if __name__ == "__main__":
    main()
