"""Loading a bundle in a child process, and what is reported when that process dies."""

from __future__ import annotations

import importlib
import signal
from pathlib import Path
from typing import Any

import pytest

from frontdesk.errors import BundleError
from model_store.bundle import Bundle
from runners.server.preflight import run_preflight


class HarmfulBundle:
    """A stand-in for a bundle: the child process calls `function` when it receives it."""

    version = "a-bundle"

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


def rehearsed(bundle: Any, engines: Path) -> str:
    return run_preflight(bundle, 1, provider="cpu", precision="auto", engines=engines)


def test_the_precision_of_a_bundle_that_loads_is_returned(tiny_bundle: Bundle, tmp_path: Path) -> None:
    assert rehearsed(tiny_bundle, tmp_path) in ("int8", "fp32")


def test_an_error_of_the_child_is_raised_whole(tiny_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError) as caught:
        rehearsed(Bundle(tmp_path / "nothing", tiny_bundle.manifest), tmp_path)

    assert caught.value.hint


def test_a_killed_child_is_reported_with_its_signal_and_the_usual_cause(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="a-bundle was killed by SIGKILL, most often because memory ran out"):
        rehearsed(HarmfulBundle(signal.raise_signal, signal.SIGKILL), tmp_path)


def test_a_child_that_cannot_import_the_code_is_not_reported_as_killed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BundleError, match=r"exited with status 1 before it had loaded it.*ModuleNotFoundError"):
        rehearsed(HarmfulBundle(importlib.import_module, "no_such_module"), tmp_path)

    assert "No module named 'no_such_module'" in capfd.readouterr().err
