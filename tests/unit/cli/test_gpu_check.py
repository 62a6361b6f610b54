from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli.doctor import SetupFinding
from cli.gpu_check import (
    Gpu,
    GpuCheck,
    GpuTiming,
    _compare_gpu_with_cpu,
    agreement_finding,
    execution_provider_finding,
    parse_gpus,
    show_check,
)
from cli.main import app
from frontdesk.config import Settings
from model_store.bundle import Bundle
from runners.models.execution_provider import ON_CPU

GOOD, BAD = SetupFinding("GPU", "good", "one"), SetupFinding("provider", "bad", "broken")


def render_check(check: GpuCheck) -> str:
    output = StringIO()
    show_check(check, Console(file=output, width=200))
    return output.getvalue()


def test_the_output_of_nvidia_smi_is_parsed_device_by_device() -> None:
    printed = "NVIDIA L4, 23034 MiB, 550.54.15\nNVIDIA Odd, Named, [N/A], 570.1\n\n"
    assert parse_gpus(printed) == (
        Gpu("NVIDIA L4", "23034 MiB", "550.54.15"),
        Gpu("NVIDIA Odd, Named", "[N/A]", "570.1"),
    )
    assert parse_gpus("") == ()


def test_a_machine_without_a_gpu_is_no_failure_but_the_finding_says_that_nothing_ran() -> None:
    finding = execution_provider_finding("cuda", "not offered", gpu_visible=False, offered=False)
    assert finding.state == "warning"
    assert "the GPU path was NOT run" in finding.told
    assert "make ACCELERATOR=gpu serve" in finding.told


@pytest.mark.parametrize(
    ("offered", "todo"), [(False, "make ACCELERATOR=gpu serve"), (True, "onnxruntime-gpu[cuda,cudnn]")]
)
def test_a_gpu_that_does_not_work_is_bad_and_comes_with_what_to_do(offered: bool, todo: str) -> None:
    finding = execution_provider_finding("cuda", "libcublas is missing", gpu_visible=True, offered=offered)
    assert finding.state == "bad"
    assert "libcublas is missing" in finding.told
    assert todo in finding.told


def test_a_provider_that_computed_is_good_whether_or_not_nvidia_smi_is_installed() -> None:
    for visible in (True, False):
        assert execution_provider_finding("cuda", None, gpu_visible=visible, offered=True).state == "good"


def test_golden_rows_that_change_their_intent_are_noted() -> None:
    assert agreement_finding(2e-4, 16, 16).state == "good"
    changed = agreement_finding(0.2, 15, 16)
    assert (changed.state, "15 of 16" in changed.told) == ("warning", True)


def test_one_bad_finding_makes_the_whole_check_bad() -> None:
    assert GpuCheck((GOOD,)).good
    assert not GpuCheck((GOOD, BAD)).good


def test_a_table_is_printed_only_if_a_gpu_was_used() -> None:
    assert "No model was run on a GPU" in render_check(GpuCheck((GOOD,)))
    output = render_check(GpuCheck((GOOD,), gpu_path_run=True, timings=(GpuTiming(8, 10.0, 2.0, 12.0, 4.0),)))
    assert "No model was run" not in output
    assert output.splitlines()[-1].split() == ["8", "10.00", "2.00", "5.0", "12.00", "4.00", "3.0"]


def test_words_in_brackets_survive_the_printing() -> None:
    assert "onnxruntime-gpu[cuda,cudnn]" in render_check(
        GpuCheck((SetupFinding("provider", "bad", "onnxruntime-gpu[cuda,cudnn]"),))
    )


def test_golden_rows_and_every_batch_size_are_run_on_both(tiny_bundle: Bundle) -> None:
    """With the CPU in place of the GPU, the comparison must find no difference."""
    check = _compare_gpu_with_cpu(GpuCheck((GOOD,)), tiny_bundle, Settings(), ON_CPU)
    golden, compared = check.findings[1:]
    assert check.gpu_path_run
    assert (golden.state, compared.state) == ("good", "good")
    assert "16 of 16" in compared.told
    assert "at most 0" in compared.told
    assert [timing.texts for timing in check.timings] == [1, 8, 32]
    assert all(timing.ensemble_gpu_ms > 0 for timing in check.timings)


def test_a_machine_without_nvidia_smi_has_exit_code_0_and_says_what_was_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTDESK_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(app, ["gpu-check", "--json"])
    output = json.loads(result.stdout)
    assert (result.exit_code, output["good"]) == (0, True)
    assert output["findings"][0]["told"].startswith("no NVIDIA driver found")


def test_a_driver_that_fails_has_exit_code_1_and_its_error_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'Driver/library version mismatch'\nexit 18\n")
    tool.chmod(0o755)
    monkeypatch.setenv("FRONTDESK_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(app, ["gpu-check", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["findings"][0] == {
        "what": "GPU",
        "state": "bad",
        "told": "nvidia-smi fails: Driver/library version mismatch",
    }
