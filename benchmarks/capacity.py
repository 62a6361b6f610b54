"""Estimate the machines for 10,000 requests per second from measured cost. Prints all assumptions.

    python -m benchmarks.capacity [var/benchmarks/serving.json] [--rate 10000] [--cores 16] ...

Measured (by a run of `benchmarks.serving`): CPU per request of all server processes, stored and not stored; CPU per
text of the models alone; memory of a worker. All other inputs are assumptions, most with an option: the cost of a
request is the same on more cores (one worker per core, only the database is shared); a core of the new machines is as
fast as one here; the share of the cores that may be busy at the peak (queues grow without bound towards 1); spare
machines; everything about GPUs. No GPU was measured: those rows show what follows from the assumptions.

Only API machines are counted, not the database, which stores one row per request, and not the load balancer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from benchmarks.closed_loop import MAIN_CASE, STORED_CASE
from benchmarks.results import PROJECT, Column, argument_parser, print_result, print_table

DEFAULT_RUN = PROJECT / "var" / "benchmarks" / "serving.json"
TOKENS, ENCODERS, ENCODER_PARAMETERS = 20, 2, 10.6e6
"""Tokens per message with padding; encoders of the ensemble; parameters in the six layers of one encoder.

Embeddings are left out, because they are looked up and not multiplied."""
COLUMNS: tuple[Column, ...] = (
    ("requests", "what", ""),
    ("cores busy", "cores", ".1f"),
    ("machines", "machines", "d"),
    ("GPUs", "gpus", "d"),
    ("because", "because", ""),
)


def _assumed(default: float, flag: str, explanation: str) -> Any:
    return field(default=default, metadata={"option": (flag, explanation)})


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Inputs that were not measured. Shares are between 0 and 1."""

    requests_per_s: float = _assumed(10_000.0, "--rate", "requests per second at the peak")
    cores_per_machine: int = _assumed(16, "--cores", "cores of a machine")
    busy_share: float = _assumed(0.60, "--busy-share", "share of the cores and GPUs that may be busy at the peak")
    spare_machines: int = _assumed(1, "--spare", "machines (and GPUs) that may fail")
    encoder_share: float = _assumed(0.80, "--encoder-share", "share of the encoders in the CPU of the models")
    gpu_tflops: float = _assumed(60.0, "--gpu-tflops", "TFLOP/s of one GPU in fp16")
    gpu_use: float = _assumed(0.20, "--gpu-use", "share of the TFLOP/s that small encoders reach")


@dataclass(frozen=True, slots=True)
class MeasuredCosts:
    """Measurements of one run: CPU ms per request, CPU ms per text of the models alone, and MB per worker."""

    not_stored_ms: float
    stored_ms: float
    models_ms: float
    worker_mb: float

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> MeasuredCosts:
        """Extract the measurements. Raises SystemExit if the run lacks a required group."""
        cost = {row["name"]: row for row in result["closed"] if row["concurrency"] == MAIN_CASE.concurrency}
        if STORED_CASE.name not in cost:
            raise SystemExit("This run did not measure stored requests: python -m benchmarks.serving --only stored")
        return cls(
            not_stored_ms=cost[MAIN_CASE.name]["cpu_ms_per_text"]["median"],
            stored_ms=cost[STORED_CASE.name]["cpu_ms_per_text"]["median"],
            models_ms=result["kernel"][result["kernel_reference"]]["cpu_ms_per_text"]["median"],
            worker_mb=max(row["rss_mb"] for row in result["closed"]) / result["workers"],
        )


@dataclass(frozen=True, slots=True)
class Requirement:
    """Required machines for one kind of request; `because` states the calculation."""

    what: str
    cores: float
    machines: int
    gpus: int
    because: str


def estimate_on_cpus(what: str, cpu_ms: float, assumptions: Assumptions) -> Requirement:
    """Machines that run everything on CPUs."""
    cores = assumptions.requests_per_s * cpu_ms / 1000
    machines = math.ceil(cores / (assumptions.cores_per_machine * assumptions.busy_share)) + assumptions.spare_machines
    because = (
        f"{assumptions.requests_per_s:,.0f}/s x {cpu_ms:.2f} ms = {cores:.1f} cores busy; / "
        f"({assumptions.cores_per_machine} cores x {assumptions.busy_share:.0%}), rounded up, "
        f"+ {assumptions.spare_machines} spare"
    )
    return Requirement(what, cores, machines, 0, because)


def estimate_with_gpus(what: str, cpu_ms: float, models_ms: float, assumptions: Assumptions) -> Requirement:
    """Machines that run the encoders on GPUs, which removes the share of the encoders from the CPU of the models."""
    rest = estimate_on_cpus(what, cpu_ms - models_ms * assumptions.encoder_share, assumptions)
    per_gpu = gpu_texts_per_s(assumptions)
    gpus = math.ceil(assumptions.requests_per_s / (per_gpu * assumptions.busy_share)) + assumptions.spare_machines
    because = (
        f"{rest.because}; encoders: {assumptions.requests_per_s:,.0f}/s / ({per_gpu:,.0f} texts/s per GPU x "
        f"{assumptions.busy_share:.0%}), rounded up, + {assumptions.spare_machines} spare"
    )
    return Requirement(what, rest.cores, max(rest.machines, gpus), gpus, because)


def gpu_texts_per_s(assumptions: Assumptions) -> float:
    """Texts per second of one GPU: two operations per parameter, token and encoder, at the assumed utilization."""
    operations = 2 * ENCODER_PARAMETERS * TOKENS * ENCODERS
    return assumptions.gpu_tflops * 1e12 * assumptions.gpu_use / operations


def estimate_requirements(measured: MeasuredCosts, assumptions: Assumptions) -> list[Requirement]:
    return [
        estimate_on_cpus("understood, not stored; CPUs", measured.not_stored_ms, assumptions),
        estimate_on_cpus("understood and stored; CPUs", measured.stored_ms, assumptions),
        estimate_with_gpus("not stored; GPUs, not measured", measured.not_stored_ms, measured.models_ms, assumptions),
        estimate_with_gpus("stored; GPUs, not measured", measured.stored_ms, measured.models_ms, assumptions),
    ]


def main() -> None:
    assumptions, path = _arguments()
    result = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    measured = MeasuredCosts.of(result)
    requirements = estimate_requirements(measured, assumptions)
    _print(result, measured, assumptions)
    print_table(f"For {assumptions.requests_per_s:,.0f} requests per second", COLUMNS, map(asdict, requirements))
    print_result(
        "capacity", {"machine": result["machine"], "measured": measured, "assumed": assumptions, "needs": requirements}
    )


def _arguments() -> tuple[Assumptions, Path]:
    """Parse one option for each assumption, and the path of the run."""
    parser = argument_parser(__doc__)
    parser.add_argument(
        "run", type=Path, nargs="?", default=DEFAULT_RUN, help="JSON file of a run of benchmarks.serving"
    )
    for each in fields(Assumptions):
        flag, explanation = each.metadata["option"]
        parser.add_argument(flag, dest=each.name, type=type(each.default), default=each.default, help=explanation)
    options = vars(parser.parse_args())
    path = options.pop("run")
    return Assumptions(**options), path


def _print(result: Mapping[str, Any], measured: MeasuredCosts, assumptions: Assumptions) -> None:
    machine = result["machine"]
    memory_gb = assumptions.cores_per_machine * measured.worker_mb / 1024
    print(f"Measured on {machine['cores']} cores ({machine['processor']}), bundle {result['bundle']}:")
    print(f"  CPU per request {measured.not_stored_ms:.2f} ms, stored {measured.stored_ms:.2f} ms;")
    print(f"  models alone {measured.models_ms:.2f} ms per text; {measured.worker_mb:.0f} MB per worker")
    print("Assumed, not measured:")
    print(
        f"  machines of {assumptions.cores_per_machine} cores as fast as these, 1 worker per core: {memory_gb:.1f} GB;"
    )
    print(
        f"  cost per request as measured here; at most {assumptions.busy_share:.0%} busy; "
        f"{assumptions.spare_machines} spare"
    )
    print(
        f"  GPU: {assumptions.gpu_tflops:.0f} TFLOP/s x {assumptions.gpu_use:.0%} used / "
        f"(2 x {ENCODER_PARAMETERS / 1e6:.1f} M parameters x {TOKENS} tokens x {ENCODERS} encoders) = "
        f"{gpu_texts_per_s(assumptions):,.0f} texts/s;\n"
        f"  {assumptions.encoder_share:.0%} of the CPU of the models is spent in encoders"
    )


if __name__ == "__main__":
    main()
