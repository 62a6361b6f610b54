"""Time and peak memory of reading a large file: tables, `classify` without models, rows of `train`, `data check`.

    python -m benchmarks.table_reading [--rows 1000000] [--stages tables classify train check]

Method: a CSV file of messages of 5 to 40 words, half of them with a number to be masked. Each stage runs in its own
process, whose largest resident memory is compared with the limit of the stage.
"""

from __future__ import annotations

import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

STAGES = ("tables", "classify", "train", "check")
MAX_PEAK_MB = {"tables": 1024, "classify": 1024, "train": 4096, "check": 4096}
INTENTS = 20
_STAGE_OPTION = "--stage"
_WORDS = (
    "order parcel invoice refund account late broken blue kettle please where when thanks never again number street "
    "card charged twice address change cancel delivery courier door neighbour receipt email password login shop"
).split()


def main() -> None:
    from benchmarks.results import argument_parser, print_result, print_table

    parser = argument_parser(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.csv")
        write_rows(path, arguments.rows)
        size_mb = path.stat().st_size / 1e6
        results = [_run_in_process(stage, path) for stage in arguments.stages]
    columns = (
        ("stage", "stage", ""),
        ("results", "results", "d"),
        ("seconds", "seconds", ".1f"),
        ("peak MB", "peak_mb", ".0f"),
        ("limit MB", "limit_mb", ".0f"),
    )
    print_table(f"{arguments.rows} rows, {size_mb:.0f} MB", columns, results)
    print_result("table_reading", {"rows": arguments.rows, "size_mb": size_mb, "stages": results})
    if exceeded := [result["stage"] for result in results if result["peak_mb"] > result["limit_mb"]]:
        sys.exit(f"Over the limit of memory: {', '.join(exceeded)}.")


def write_rows(path: Path, rows: int) -> None:
    """Write a CSV file with the columns id, text and intent."""
    generator = random.Random(13)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "intent"])
        for number in range(rows):
            words = generator.choices(_WORDS, k=generator.randint(5, 40))
            order = f" order {generator.randint(10_000, 99_999)}" if number % 2 else ""
            writer.writerow([number, " ".join(words) + order, f"intent {number % INTENTS}"])


def read_tables(path: Path) -> int:
    """Read all rows and return their number."""
    from training.data.tables import open_tables

    return sum(1 for table in open_tables(path, ("text", "intent"))[0] for _ in table.rows())


def classify(path: Path) -> int:
    """Run `frontdesk classify` with constant predictions, and return the number of rows."""
    from cli.classify import COLUMNS, ERROR, ClassifyProgress, ClassifyRun, identify_run
    from cli.message_columns import MessageColumns
    from cli.resumable_rows import open_rows

    def predict(texts: Sequence[str]) -> list[dict[str, Any]]:
        return [{**dict.fromkeys(COLUMNS, 0.5), "decision": "draft"} for _ in texts]

    rows = open_rows(path, MessageColumns(("text",)), [f"p_{name}" for name in (*COLUMNS, ERROR)])
    progress = ClassifyProgress()
    run = ClassifyRun(path.with_suffix(".out.csv"), rows, identify_run(rows, "v", {}), predict, "p_")
    for _ in run.classify_in_steps(progress):
        pass
    return progress.rows


def read_training_rows(path: Path) -> int:
    """Read the examples and split them, as `frontdesk train` does before any model is fitted."""
    from training.data.examples import read_examples
    from training.data.splits import split
    from training.profiles.profile import read_profile

    examples = read_examples(path)
    split(examples, read_profile("starter").split, 13)
    return len(examples)


def check(path: Path) -> int:
    """Run the checks of `frontdesk data check` and return the number of issues."""
    from training.data.data_check import find_row_issues
    from training.data.examples import read_rows

    return len(find_row_issues(read_rows(path), lambda step: print(f"  {step}", file=sys.stderr)))


_RUN = {"tables": read_tables, "classify": classify, "train": read_training_rows, "check": check}


def _run_in_process(stage: str, path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.table_reading", _STAGE_OPTION, stage, str(path)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return {"stage": stage, "limit_mb": MAX_PEAK_MB[stage], **result}


def _run_stage(stage: str, path: Path) -> None:
    """Run one stage in this process and print its result as JSON."""
    started = time.perf_counter()
    results = _RUN[stage](path)
    seconds = time.perf_counter() - started
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"results": results, "seconds": round(seconds, 1), "peak_mb": round(peak_mb)}))


if __name__ == "__main__":
    if sys.argv[1:2] == [_STAGE_OPTION]:
        _run_stage(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
