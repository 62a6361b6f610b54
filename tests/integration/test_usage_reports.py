"""Usage reports of libraries are off, regardless of which package is imported first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from frontdesk import USAGE_REPORTS_OFF
from tests.support.serving import PROJECT

MODULES = (
    "runners.models.onnx_session",
    "model_store.registry",
    "training.training_run",
    "bentos.service",
    "cli.doctor",
)


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_recorded_in_the_users_home(module: str, tmp_path: Path) -> None:
    """onnxruntime keeps its events below HOME before it sends them."""
    script = f"import {module}, onnxruntime; onnxruntime.get_available_providers()"
    environment = {name: value for name, value in os.environ.items() if name not in USAGE_REPORTS_OFF}
    variables = {
        **environment,
        "HOME": str(tmp_path),
        "FRONTDESK_HOME": str(tmp_path / "home"),
        "BENTOML_HOME": str(tmp_path / "b"),
    }
    variables.pop("XDG_CACHE_HOME", None)
    subprocess.run([sys.executable, "-c", script], cwd=PROJECT, env=variables, capture_output=True, check=True)

    assert not [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name or "Microsoft" in path.name]
