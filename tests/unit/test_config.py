from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from frontdesk.config import PROJECT, Settings, load
from frontdesk.errors import ConfigurationError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "configuration.yaml"
    path.write_text(text)
    return path


def test_the_shipped_file_states_every_setting_with_its_default() -> None:
    written = yaml.safe_load((PROJECT / "configuration.yaml").read_text())
    defaults = Settings().model_dump(mode="json")
    assert set(written) == set(defaults)
    for section in set(defaults) - {"home", "bentoml"}:
        assert written[section] == defaults[section], section


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "server: {port: 3100, workers: 4}")
    settings = load(path, {"FRONTDESK_SERVER__PORT": "3200", "PATH": "/bin"})
    assert (settings.server.port, settings.server.workers) == (3200, 4)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("sevrer: {port: 1}", "sevrer"),
        ("server: {prot: 1}", "server.prot"),
        ("server: {port: 0}", "server.port"),
        ("server: {port: many}", "server.port"),
        ("security: {algorithm: none}", "security.algorithm"),
        ("security: {algorithm: RS256}", "security: .*jwks"),
        ("security: {jwks: https://issuer.example}", "security: .*jwks"),
        ("- a list", "mapping"),
        ("a: [", "YAML"),
    ],
)
def test_a_wrong_file_is_refused_by_the_name_of_the_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        load(write(tmp_path, text), {})


@pytest.mark.parametrize(
    "name", ["FRONTDESK_SEVRER__PORT", "FRONTDESK_PORT", "FRONTDESK_SERVER__PROT", "FRONTDESK_HOME__X"]
)
def test_a_misspelt_variable_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError):
        load(write(tmp_path, ""), {name: "1"})


def test_home_is_relative_to_the_file_that_names_it(tmp_path: Path) -> None:
    settings = load(write(tmp_path, "home: state"), {})
    assert settings.home == tmp_path / "state"
    assert settings.database_url == f"sqlite:///{tmp_path}/state/frontdesk.db"


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no configuration file"):
        load(None, {"FRONTDESK_CONFIG": str(tmp_path / "none.yaml")})


def test_settings_are_frozen_and_hide_urls(tmp_path: Path) -> None:
    settings = load(write(tmp_path, "storage: {url: 'postgresql+psycopg2://u:geheim@h/d'}"), {})
    with pytest.raises(ValueError, match="frozen"):
        settings.home = tmp_path
    assert "geheim" not in repr(settings)


def test_features_need_a_redis_and_come_with_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"set redis\.url"):
        load(write(tmp_path, "outbox: {sinks: [features]}"), {})
    settings = load(write(tmp_path, "outbox: {sinks: [file]}"), {"FRONTDESK_REDIS__URL": "redis://127.0.0.1/0"})
    assert settings.sinks == ("file", "features")
    assert load(write(tmp_path, ""), {}).sinks == ()
