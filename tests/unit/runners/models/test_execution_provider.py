from __future__ import annotations

from pathlib import Path

import pytest

from frontdesk.config import ModelSettings
from frontdesk.errors import ConfigurationError
from runners.models.execution_provider import (
    GPU_CANDIDATES,
    ON_CPU,
    ExecutionProvider,
    ProviderName,
    ProviderSetting,
    choose_execution_provider,
)

ENGINES = Path("engines")
WORKS = None
MISSING = "this build does not offer it"


@pytest.mark.parametrize(
    ("wish", "problems", "chosen"),
    [
        ("auto", {"cuda": WORKS}, "cuda"),
        ("auto", {"cuda": MISSING}, "cpu"),
        ("cuda", {"cuda": WORKS}, "cuda"),
        ("tensorrt", {"tensorrt": WORKS}, "tensorrt"),
        ("cpu", {}, "cpu"),
    ],
)
def test_a_setting_selects_the_provider_that_works(
    wish: ProviderSetting, problems: dict[ProviderName, str | None], chosen: str
) -> None:
    assert choose_execution_provider(wish, problems, ENGINES).name == chosen


@pytest.mark.parametrize("wish", ["cuda", "tensorrt"])
def test_a_configured_provider_that_does_not_work_is_refused_with_reason_and_hint(wish: ProviderSetting) -> None:
    with pytest.raises(ConfigurationError) as refused:
        choose_execution_provider(wish, {wish: "libcudnn.so.9 is not there"}, ENGINES)
    assert f"model.provider is {wish}" in refused.value.message
    assert "libcudnn.so.9 is not there" in refused.value.message
    assert "make ACCELERATOR=gpu serve" in refused.value.hint


def test_the_provider_has_the_reason_for_the_cpu() -> None:
    assert choose_execution_provider("auto", {"cuda": MISSING}, ENGINES).because == f"cuda: {MISSING}"
    assert choose_execution_provider("cpu", {}, ENGINES).because == "configured"


def test_tensorrt_is_only_tried_if_configured() -> None:
    assert {wish for wish, tried in GPU_CANDIDATES.items() if "tensorrt" in tried} == {"tensorrt"}


def test_every_value_of_the_setting_has_candidates() -> None:
    for wish in GPU_CANDIDATES:
        assert ModelSettings(provider=wish).provider == wish
    assert ModelSettings().provider == "auto"


@pytest.mark.parametrize(
    ("provider", "names"),
    [
        (ON_CPU, ["CPU"]),
        (ExecutionProvider("cuda", "", None), ["CUDA", "CPU"]),
        (ExecutionProvider("tensorrt", "", ENGINES), ["Tensorrt", "CUDA", "CPU"]),
    ],
)
def test_onnxruntime_gets_the_chosen_provider_first_and_the_cpu_last(
    provider: ExecutionProvider, names: list[str]
) -> None:
    assert [name for name, _ in provider.session_providers()] == [f"{name}ExecutionProvider" for name in names]
    assert provider.is_gpu == (len(names) > 1)


def test_only_tensorrt_has_a_folder_for_engines() -> None:
    assert choose_execution_provider("tensorrt", {"tensorrt": WORKS}, ENGINES).engines == ENGINES
    assert choose_execution_provider("cuda", {"cuda": WORKS}, ENGINES).engines is None
    (_, options), *_ = ExecutionProvider("tensorrt", "", ENGINES).session_providers()
    assert options["trt_engine_cache_path"] == str(ENGINES)
