"""The result of a benchmark: summary statistics, the machine, tables, and the run as one line of JSON."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import onnxruntime
import psutil
from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).resolve().parent.parent
TABLE_WIDTH = 170

Column = tuple[str, str, str]
"""Heading, key of the row, and number format; text has the format '' and is aligned to the left."""


@dataclass(frozen=True, slots=True)
class RoundStats:
    """Median, minimum and maximum of a value over the rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> RoundStats:
        return cls(statistics.median(values), min(values), max(values))

    def __format__(self, form: str) -> str:
        """Format as `median (least-most)`; `form` applies to each value."""
        return f"{self.median:{form}} ({self.least:{form}}-{self.most:{form}})"


def ratios_by_round(above: Sequence[float], below: Sequence[float]) -> RoundStats:
    """Divide by round: both values of a round were measured at the same speed of the machine."""
    return RoundStats.of([upper / lower for upper, lower in zip(above, below, strict=True)])


def argument_parser(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser with the first line of the docstring. Also records the load of the machine before the run."""
    machine()
    return argparse.ArgumentParser(description=doc.splitlines()[0] if doc else None)


@cache
def machine() -> dict[str, str | int | float]:
    """Describe processor, cores, memory, versions, commit ("+": uncommitted changes), command, load at first call."""
    main = getattr(sys.modules["__main__"], "__spec__", None)
    module = main.name.removesuffix(".__main__") if main else Path(sys.argv[0]).stem
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "commit": _git("rev-parse", "--short", "HEAD") + ("+" if _git("status", "--porcelain") else ""),
        "command": f"python -m {module} {' '.join(sys.argv[1:])}".strip(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def print_table(
    title: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], *, width: int = TABLE_WIDTH
) -> None:
    """Print rows as a table. A RoundStats has minimum and maximum on a second line."""
    table = Table(title=title, title_justify="left")
    for heading, _, form in columns:
        table.add_column(heading, justify="right" if form else "left")
    for row in rows:
        table.add_row(*(_cell(row.get(key), form) for _, key, form in columns))
    Console(width=width).print(table)


def print_result(benchmark: str, result: Mapping[str, Any]) -> None:
    print(result_line({"benchmark": benchmark, "machine": machine(), **result}))


def result_line(result: Any) -> str:
    """Return the run as one line of JSON."""
    return json.dumps(to_json_values(result), allow_nan=False)


def to_json_values(value: Any) -> Any:
    """Convert dataclasses to mappings, and NaN, which JSON does not have, to None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_json_values(dataclasses.asdict(value))
    if isinstance(value, Mapping):
        return {str(name): to_json_values(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [to_json_values(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _cell(value: Any, form: str) -> str:
    if isinstance(value, bool):
        return "[green]yes[/]" if value else "[red]no[/]"
    if isinstance(value, Mapping):
        value = RoundStats(**value)
    if isinstance(value, RoundStats):
        return f"{value.median:{form}}\n[dim]{value.least:{form}}-{value.most:{form}}[/]"
    return "-" if value is None else format(value, form)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _git(*arguments: str) -> str:
    """Return the output of git; empty outside of a repository."""
    result = subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False)
    return result.stdout.strip()
