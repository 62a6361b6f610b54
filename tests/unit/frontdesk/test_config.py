from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from frontdesk.config import PROJECT, Settings, load_settings
from frontdesk.errors import ConfigurationError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "configuration.yaml"
    path.write_text(text)
    return path


def test_the_shipped_file_states_every_setting_with_its_default() -> None:
    content = yaml.safe_load((PROJECT / "configuration.yaml").read_text())
    defaults = Settings().model_dump(mode="json")
    assert set(content) == set(defaults)
    for section in set(defaults) - {"home", "bentoml"}:
        assert content[section] == defaults[section], section


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "server: {port: 3100, workers: 4}")
    settings = load_settings(path, {"FRONTDESK_SERVER__PORT": "3200", "PATH": "/bin"})
    assert (settings.server.port, settings.server.workers) == (3200, 4)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("sevrer: {port: 1}", "sevrer"),
        ("server: {prot: 1}", "server.prot"),
        ("server: {port: 0}", "server.port"),
        ("server: {port: many}", "server.port"),
        ("security: {algorithm: none}", "security.algorithm"),
        ("server: {cors_origins: ['*']}", "server.cors_origins"),
        ("server: {cors_origins: ['https://a.example/path']}", "server.cors_origins"),
        ("server: {trusted_proxies: [10.0.0.1/8]}", "server.trusted_proxies"),
        ("security: {algorithm: RS256}", "security: .*jwks"),
        ("security: {jwks: https://issuer.example}", "security: .*jwks"),
        ("- a list", "mapping"),
        ("a: [", "YAML"),
    ],
)
def test_a_wrong_file_is_refused_by_the_name_of_the_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        load_settings(write(tmp_path, text), {})


@pytest.mark.parametrize(
    "name", ["FRONTDESK_SEVRER__PORT", "FRONTDESK_PORT", "FRONTDESK_SERVER__PROT", "FRONTDESK_HOME__X"]
)
def test_a_misspelt_variable_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError):
        load_settings(write(tmp_path, ""), {name: "1"})


def test_home_is_relative_to_the_file_that_names_it(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, "home: state"), {})
    assert settings.home == tmp_path / "state"
    assert settings.database_url == f"sqlite:///{tmp_path}/state/frontdesk.db"


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no configuration file"):
        load_settings(None, {"FRONTDESK_CONFIG": str(tmp_path / "none.yaml")})


def test_settings_are_frozen_and_hide_urls(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, "storage: {url: 'postgresql+psycopg2://u:geheim@h/d'}"), {})
    with pytest.raises(ValueError, match="frozen"):
        settings.home = tmp_path
    assert "geheim" not in repr(settings)


def test_features_need_a_redis_and_come_with_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"set redis\.url"):
        load_settings(write(tmp_path, "outbox: {sinks: [features]}"), {})
    settings = load_settings(
        write(tmp_path, "outbox: {sinks: [file]}"), {"FRONTDESK_REDIS__URL": "redis://127.0.0.1/0"}
    )
    assert settings.sinks == ("file", "features")
    assert load_settings(write(tmp_path, ""), {}).sinks == ()


@pytest.mark.parametrize("key", ["sk: {not: yaml", "12345", "'quoted'"])
def test_a_key_from_the_environment_is_unchanged_and_never_shown(tmp_path: Path, key: str) -> None:
    settings = load_settings(write(tmp_path, ""), {"FRONTDESK_LLM__API_KEY": key})
    assert settings.llm.api_key is not None
    assert settings.llm.api_key.get_secret_value() == key
    assert key not in repr(settings)
    assert "api_key" not in settings.model_dump()["llm"]


def test_a_key_in_the_file_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds llm") as caught:
        load_settings(write(tmp_path, "llm: {api_key: geheim}"), {})
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://h/v1", "h/v1", "http://", "http://user:geheim@h/v1", "http://h/v1?key=geheim"])
def test_an_address_of_a_language_model_is_plain(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"llm\.base_url") as caught:
        load_settings(write(tmp_path, f"llm: {{base_url: '{url}'}}"), {})
    assert "geheim" not in str(caught.value)
