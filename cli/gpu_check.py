"""`frontdesk gpu-check`: run the encoders on the GPU, compare results with the CPU, and measure the speed-up.

Reports success only for a path that was run. Without a GPU the exit code is 0, because none is required. With a GPU
that does not work the exit code is 1, and the output states the remedy.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import cycle, islice
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer

from cli.doctor import SetupFinding, show_findings

if TYPE_CHECKING:
    from rich.console import Console

    from frontdesk.config import Settings
    from model_store.bundle import Bundle
    from runners.ensemble.ensemble import Ensemble
    from runners.models.execution_provider import ExecutionProvider

SIZES = (1, 8, 32)
REPETITIONS = 20
TRAIN_COMMAND = "frontdesk train --promote"
INSTALL_COMMAND = "make ACCELERATOR=gpu serve"
LIBRARIES_HINT = "pip install 'onnxruntime-gpu[cuda,cudnn]', and a driver that is new enough for them"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One device as listed by nvidia-smi; `memory` includes its unit."""

    name: str
    memory: str
    driver: str


@dataclass(frozen=True, slots=True)
class GpuTiming:
    """Median milliseconds of one call with `texts` texts, for the encoders alone and for the whole ensemble."""

    texts: int
    encoders_cpu_ms: float
    encoders_gpu_ms: float
    ensemble_cpu_ms: float
    ensemble_gpu_ms: float


@dataclass(frozen=True, slots=True)
class GpuCheck:
    """All findings. `gpu_path_run` is true only if encoders ran on the GPU and were compared with the CPU."""

    findings: tuple[SetupFinding, ...]
    gpu_path_run: bool = False
    timings: tuple[GpuTiming, ...] = ()

    @property
    def good(self) -> bool:
        return all(finding.state != "bad" for finding in self.findings)


def gpu_check(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Run the encoders on the GPU, if there is one, and compare with the CPU. Exit code 1 if that fails."""
    from rich.console import Console

    from frontdesk.config import load_settings

    check = run_gpu_check(load_settings())
    if as_json:
        typer.echo(json.dumps({"good": check.good, **asdict(check)}, indent=2))
    else:
        show_check(check, Console())
    if not check.good:
        raise typer.Exit(1)


def run_gpu_check(settings: Settings) -> GpuCheck:
    """Detect a GPU, test it, and run the encoders of the champion on it if it works."""
    import onnxruntime

    from runners.models.execution_provider import ONNXRUNTIME_NAMES, ExecutionProvider, ProviderName
    from runners.models.onnx_session import find_execution_provider_problem

    gpus, machine = _list_gpus()
    name: ProviderName = "tensorrt" if settings.model.provider == "tensorrt" else "cuda"
    problem = find_execution_provider_problem(name, settings.engines)
    offered = ONNXRUNTIME_NAMES[name] in onnxruntime.get_available_providers()
    provider_result = execution_provider_finding(name, problem, gpu_visible=bool(gpus), offered=offered)
    findings = (machine, *_check_onnxruntime(), _check_torch(), provider_result)
    if problem is not None:
        return GpuCheck(findings)
    bundle, champion = _find_champion_with_encoders(settings)
    if bundle is None:
        return GpuCheck((*findings, champion))
    return _compare_gpu_with_cpu(
        GpuCheck((*findings, champion)), bundle, settings, ExecutionProvider(name, "gpu-check", settings.engines)
    )


def parse_gpus(csv: str) -> tuple[Gpu, ...]:
    """Parse the output of `nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader`."""
    rows = (line.rsplit(",", 2) for line in csv.splitlines() if line.strip())
    return tuple(Gpu(name.strip(), memory.strip(), driver.strip()) for name, memory, driver in rows)


def execution_provider_finding(name: str, problem: str | None, *, gpu_visible: bool, offered: bool) -> SetupFinding:
    """Return the finding for an execution provider that was tested.

    Args:
        name: `cuda` or `tensorrt`.
        problem: reason why it does not work here; None if a graph was computed on it.
        gpu_visible: whether nvidia-smi lists a device.
        offered: whether the installed build of onnxruntime includes it.
    """
    if problem is None:
        return SetupFinding("provider", "good", f"{name}: a graph was computed on the GPU")
    if not gpu_visible:
        message = f"the GPU path was NOT run. {name}: {problem}. On a machine with a GPU: {INSTALL_COMMAND}"
        return SetupFinding("provider", "warning", message)
    remedy = LIBRARIES_HINT if offered else INSTALL_COMMAND
    return SetupFinding("provider", "bad", f"there is a GPU, but {name} does not work: {problem}. To do: {remedy}")


def agreement_finding(difference: float, same: int, rows: int) -> SetupFinding:
    """Return the finding for golden rows on CPU and GPU; `difference` is the largest of any probability."""
    state = "good" if same == rows else "warning"
    return SetupFinding(
        "against the CPU",
        state,
        f"{same} of {rows} golden rows get the same intent; probabilities differ by at most {difference:.2g}",
    )


def median_ms(call: Callable[[], object], repetitions: int = REPETITIONS) -> float:
    """Median milliseconds of a call, after one warm-up call."""
    call()
    durations_s = []
    for _ in range(repetitions):
        started = time.perf_counter()
        call()
        durations_s.append(time.perf_counter() - started)
    return round(median(durations_s) * 1000, 3)


def show_check(check: GpuCheck, console: Console) -> None:
    """Print the findings, and the timings as a table."""
    from rich.table import Table

    show_findings(check.findings, console)
    if not check.gpu_path_run:
        console.print("No model was run on a GPU: speed and precision there are not known.", soft_wrap=True)
        return
    table = Table("texts", "encoders, CPU ms", "GPU ms", "times", "ensemble, CPU ms", "GPU ms", "times", box=None)
    for row in check.timings:
        table.add_row(
            str(row.texts),
            f"{row.encoders_cpu_ms:.2f}",
            f"{row.encoders_gpu_ms:.2f}",
            f"{row.encoders_cpu_ms / row.encoders_gpu_ms:.1f}",
            f"{row.ensemble_cpu_ms:.2f}",
            f"{row.ensemble_gpu_ms:.2f}",
            f"{row.ensemble_cpu_ms / row.ensemble_gpu_ms:.1f}",
        )
    console.print(table)


def _list_gpus() -> tuple[tuple[Gpu, ...], SetupFinding]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return (), SetupFinding("GPU", "warning", "no NVIDIA driver found (there is no nvidia-smi)")
    query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    result = subprocess.run([tool, *query], capture_output=True, text=True, check=False)  # noqa: S603 - found on the path
    if result.returncode != 0:
        output = (result.stdout + result.stderr).strip().splitlines()
        return (), SetupFinding(
            "GPU", "bad", f"nvidia-smi fails: {output[0] if output else f'exit code {result.returncode}'}"
        )
    gpus = parse_gpus(result.stdout)
    if not gpus:
        return (), SetupFinding("GPU", "warning", "an NVIDIA driver, but no device")
    description = "; ".join(f"{gpu.name}, {gpu.memory}, driver {gpu.driver}" for gpu in gpus)
    return gpus, SetupFinding("GPU", "good", description)


def _check_onnxruntime() -> Iterator[SetupFinding]:
    import onnxruntime

    from runners.models.onnx_session import find_onnxruntime_build

    yield SetupFinding(
        "onnxruntime", "good", f"{find_onnxruntime_build()}, offers {', '.join(onnxruntime.get_available_providers())}"
    )


def _check_torch() -> SetupFinding:
    """Report the device that PyTorch sees: it would train encoders, and confirms driver and device."""
    if find_spec("torch") is None:
        return SetupFinding("torch", "good", "not installed; a server does not need it")
    import torch

    if not torch.cuda.is_available():
        return SetupFinding("torch", "good", f"{torch.__version__}, sees no GPU")
    return SetupFinding(
        "torch", "good", f"{torch.__version__}, CUDA {torch.version.cuda}, {torch.cuda.get_device_name(0)}"
    )


def _find_champion_with_encoders(settings: Settings) -> tuple[Bundle | None, SetupFinding]:
    """Return the champion if it has encoders, else None; and a finding."""
    from bentos.wiring.model import open_trusted_bundle
    from frontdesk.errors import BundleError
    from runners.models.onnx_encoder import ENCODER_MEMBERS

    try:
        bundle = open_trusted_bundle(settings)
    except BundleError as error:
        return None, SetupFinding(
            "champion", "warning", f"{error.message} Encoders were NOT run; train some: {TRAIN_COMMAND}"
        )
    if not set(ENCODER_MEMBERS) & set(bundle.manifest.members):
        message = (
            f"{bundle.version} has no encoders, so no model of it runs on a GPU. Encoders were NOT run; train some: "
        )
        return None, SetupFinding("champion", "warning", f"{message}{TRAIN_COMMAND}")
    return bundle, SetupFinding("champion", "good", bundle.version)


def _compare_gpu_with_cpu(check: GpuCheck, bundle: Bundle, settings: Settings, provider: ExecutionProvider) -> GpuCheck:
    """Compare golden rows and timings of CPU and GPU."""
    import numpy as np

    from frontdesk.errors import FrontdeskError
    from runners.ensemble.ensemble import Ensemble
    from runners.ensemble.warm_up import warm_up
    from runners.models.execution_provider import ON_CPU

    texts: Sequence[str] = json.loads((bundle.files / "golden.json").read_bytes())["texts"]
    try:
        on_cpu, on_gpu = (
            Ensemble.load(bundle, settings.model.onnx_threads, provider=target) for target in (ON_CPU, provider)
        )
        warm_up(on_gpu, bundle)
    except FrontdeskError as error:
        return GpuCheck((*check.findings, SetupFinding("golden rows", "bad", f"not on {provider.name}: {error}")))
    golden = SetupFinding("golden rows", "good", f"reproduced on {provider.name}")
    cpu, gpu = on_cpu.predict(texts).intent, on_gpu.predict(texts).intent
    same = int((cpu.argmax(axis=1) == gpu.argmax(axis=1)).sum())
    compared = agreement_finding(float(np.abs(cpu - gpu).max()), same, len(texts))
    timings = tuple(_measure_timing(list(islice(cycle(texts), size)), on_cpu, on_gpu) for size in SIZES)
    return GpuCheck((*check.findings, golden, compared), gpu_path_run=True, timings=timings)


def _measure_timing(texts: Sequence[str], on_cpu: Ensemble, on_gpu: Ensemble) -> GpuTiming:
    from runners.models.base_model import ModelBatch
    from runners.models.onnx_encoder import Encoder

    batch = ModelBatch(texts, on_cpu.features.extract(texts))

    def run_encoders(ensemble: Ensemble) -> float:
        members = [member for member in ensemble.members if isinstance(member, Encoder)]
        return median_ms(lambda: [member.scores(batch) for member in members])

    def run_ensemble(ensemble: Ensemble) -> float:
        return median_ms(lambda: ensemble.predict(texts))

    return GpuTiming(len(texts), run_encoders(on_cpu), run_encoders(on_gpu), run_ensemble(on_cpu), run_ensemble(on_gpu))
