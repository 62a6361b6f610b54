"""Where and of what something was measured: goes into every last line, because a figure without it says nothing."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import onnxruntime
import psutil

PROJECT = Path(__file__).resolve().parent.parent


def machine() -> dict[str, str | int | float]:
    """Processor, cores, memory, versions, commit ("+" where the tree has changes), and the command."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "commit": _git("rev-parse", "--short", "HEAD") + ("+" if _git("status", "--porcelain") else ""),
        "command": f"python -m {_module()} {' '.join(sys.argv[1:])}".strip(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _module() -> str:
    """`benchmarks.serving` of a path that ends in benchmarks/serving.py."""
    return f"benchmarks.{Path(sys.argv[0]).stem}"


def _git(*arguments: str) -> str:
    """What git says; nothing where this is no repository."""
    done = subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
