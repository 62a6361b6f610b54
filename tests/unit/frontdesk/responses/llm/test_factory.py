from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from frontdesk.config import LlmSettings
from frontdesk.errors import ConfigurationError
from frontdesk.observability.llm_metrics import LanguageModelMetrics
from frontdesk.responses.llm.factory import build_openai_client, check_llm_settings, read_api_key

SERVER = {"base_url": "http://127.0.0.1:9/v1", "model": "m"}


def key_file(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(("settings", "missing"), [({}, "base_url"), ({"base_url": "http://h/v1"}, "model")])
def test_a_server_without_a_name_is_refused(settings: dict[str, str], missing: str) -> None:
    with pytest.raises(ConfigurationError, match=f"llm.{missing}"):
        check_llm_settings(LlmSettings.model_validate(settings))


def test_a_server_may_need_no_key() -> None:
    check_llm_settings(LlmSettings.model_validate(SERVER))


def test_a_key_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    assert read_api_key(key_file(tmp_path / "key", "sk-1234\n")).get_secret_value() == "sk-1234"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigurationError, match="open to other users"):
        read_api_key(key_file(tmp_path / "key", "sk-1234", mode))


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.key"):
        read_api_key(tmp_path / "none.key")


@pytest.mark.parametrize("key", ["", " ", "two words", "line\nbreak", "café", "a\x00b"])
def test_a_key_that_breaks_the_header_is_refused_without_being_shown(tmp_path: Path, key: str) -> None:
    for settings in (
        LlmSettings.model_validate({**SERVER, "api_key": SecretStr(key)}),
        LlmSettings.model_validate({**SERVER, "api_key_file": key_file(tmp_path / "key", key)}),
    ):
        with pytest.raises(ConfigurationError, match="printable ASCII") as caught:
            check_llm_settings(settings)
        assert not key.strip() or key not in str(caught.value)


async def test_the_environments_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "not an address")
    monkeypatch.setenv("ALL_PROXY", "not an address")
    metrics = LanguageModelMetrics("m", CollectorRegistry())
    await build_openai_client(LlmSettings.model_validate(SERVER), metrics).close()


@pytest.mark.parametrize(
    "changed",
    [
        {"base_url": "http://llm.example.com/v1"},
        {"base_url": "http://10.0.0.7:8000/v1"},
        {"base_url": "http://127.0.0.1.example.com/v1"},
        {"base_url": "http://[2001:db8::1]/v1"},
        {"base_url": "http://127.0.0.1:9/v1", "proxy": "http://proxy.example.com:3128"},
    ],
    ids=lambda changed: str(changed["base_url"]),
)
def test_a_key_is_not_sent_over_http_to_another_machine(tmp_path: Path, changed: dict[str, str]) -> None:
    for key in ({"api_key": SecretStr("sk-1")}, {"api_key_file": key_file(tmp_path / "key", "sk-1")}):
        settings = LlmSettings.model_validate({**SERVER, **changed, **key})
        with pytest.raises(ConfigurationError, match=r"llm\.base_url is http") as refused:
            check_llm_settings(settings)
        assert "sk-1" not in str(refused.value)
    check_llm_settings(LlmSettings.model_validate({**SERVER, **changed}))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://localhost/v1", "http://[::1]:9/v1", "https://h/v1"])
def test_a_key_is_sent_over_https_and_to_this_machine(url: str) -> None:
    check_llm_settings(LlmSettings.model_validate({**SERVER, "base_url": url, "api_key": SecretStr("sk-1")}))
