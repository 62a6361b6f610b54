"""Settings from configuration.yaml and the environment, read once and frozen.

Entry points call `load_settings()` and pass each component its section; nothing else reads settings. Unknown keys, in
the file or in a `FRONTDESK_...` variable, are errors, because a misspelt limit would silently have no effect.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_network
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from frontdesk.child_processes import PARENT_VARIABLE
from frontdesk.errors import ConfigurationError
from frontdesk.private_files import UnsafeFileOwnershipError, check_home_ownership, open_trusted

PREFIX = "FRONTDESK_"
CONFIG_VARIABLE = "FRONTDESK_CONFIG"
DATA_VARIABLE = "FRONTDESK_DATA"
CRASH_VARIABLE = "FRONTDESK_CRASH_AT"  # for tests: frontdesk/storage/failpoints.py
KEY_VARIABLES = frozenset(f"FRONTDESK_{name}_KEY" for name in ("SIGNING", "SEALING", "AUDIT", "ERASURE"))
"""Read by frontdesk/security/keys_from_env.py; they are not in the settings."""
API_KEY_VARIABLE = "FRONTDESK_LLM__API_KEY"
SCOPE_PATTERN = r"^[!#-\[\]-~]{1,64}$"  # one scope token, RFC 6749, section 3.3
PROJECT = Path(__file__).resolve().parent.parent
_SQLITE = "sqlite:///"
LOCAL_FILE = Path("configuration.yaml")
PINNED_RUN_VARIABLE = "FRONTDESK_PINNED_RUN"
"""Set by the serving master for its child processes: path of the file that they share (see `pinned_run.py`)."""
NOT_SETTINGS = {CONFIG_VARIABLE, DATA_VARIABLE, CRASH_VARIABLE, PINNED_RUN_VARIABLE, PARENT_VARIABLE, *KEY_VARIABLES}


class SettingsSection(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


class ServerSettings(SettingsSection):
    host: str = "127.0.0.1"
    port: int = Field(3000, ge=1, le=65535)
    grpc_port: int | None = Field(3001, ge=1, le=65535)
    grpc_reflection: bool = True
    workers: int = Field(2, ge=1, le=256)
    request_timeout_s: float = Field(10.0, gt=0)
    batch_timeout_s: float = Field(50.0, gt=0)
    max_body_bytes: int = Field(262_144, ge=1024)
    max_batch_body_bytes: int = Field(8_388_608, ge=1024)
    max_body_memory_bytes: int = Field(67_108_864, ge=1024)
    max_header_bytes: int = Field(16_384, ge=1024)
    header_timeout_s: float = Field(10.0, gt=0)
    keep_alive_s: float = Field(75.0, gt=0)
    response_stall_s: float = Field(10.0, ge=0.1)
    max_connections: int | None = Field(None, ge=1)
    max_connections_per_address: int | None = Field(None, ge=1)
    max_concurrent_requests: int = Field(1024, ge=1)
    gzip_min_bytes: int | None = Field(8192, ge=256)
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    drain_s: float = Field(0.0, ge=0, le=600)
    shutdown_grace_s: int = Field(20, ge=1)
    heartbeat_interval_s: float = Field(1.0, gt=0)
    heartbeat_timeout_s: float = Field(5.0, gt=0)

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or f"{parts.scheme}://{parts.netloc}" != origin or "@" in origin:
                raise ValueError("must be origins such as https://desk.example.com, without a path and without *")
        return origins

    @field_validator("hosts")
    @classmethod
    def _check_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            name = host.removeprefix("*.")
            if not name or set(name) & set("/*@ ") or (":" in name and not _is_ipv6(name)):
                raise ValueError("must be names or addresses without a port, such as desk.example.com or *.example.com")
        return tuple(host.lower().rstrip(".") for host in hosts)

    @field_validator("trusted_proxies")
    @classmethod
    def _parse_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ip_network(network)) for network in networks)

    @model_validator(mode="after")
    def _check_tls_files(self) -> ServerSettings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together")
        return self

    @model_validator(mode="after")
    def _check_body_memory(self) -> ServerSettings:
        if self.max_body_memory_bytes < max(self.max_body_bytes, self.max_batch_body_bytes):
            raise ValueError(
                "max_body_memory_bytes is less than max_body_bytes or max_batch_body_bytes: no room for one"
            )
        return self

    @model_validator(mode="after")
    def _check_ports(self) -> ServerSettings:
        if self.grpc_port == self.port:
            raise ValueError("port and grpc_port are the same: choose another, or null for no gRPC")
        return self


class ModelSettings(SettingsSection):
    bundle: Path | None = None
    placement: Literal["embedded", "dedicated", "distributed"] = "embedded"
    runner_start_timeout_s: float = Field(60.0, gt=0)
    max_batch_texts: int = Field(32, ge=1)
    max_batch_tokens: int = Field(2048, ge=1)
    max_waiting_texts: int = Field(512, ge=1)
    max_wait_s: float = Field(1.0, gt=0)
    cached_texts: int = Field(4096, ge=0)
    onnx_threads: int = Field(1, ge=1)
    provider: Literal["auto", "tensorrt", "cuda", "cpu"] = "auto"
    precision: Literal["auto", "int8", "fp16", "fp32"] = "auto"


class MaskingSettings(SettingsSection):
    name_tagger: Literal["off", "spacy"] = "off"


class PolicySettings(SettingsSection):
    priority: Path | None = None
    replies: Path | None = None
    questions: Path | None = None
    max_plausible_to_clarify: int = Field(3, ge=2)


class ResponseSettings(SettingsSection):
    knowledge: Path | None = None
    provider: Literal["template", "openai", "local"] = "template"
    cached_replies: int = Field(1024, ge=0)


class LlmSettings(SettingsSection):
    """`api_key` comes from the environment only; it is in no dump and no repr."""

    base_url: str | None = None
    model: str | None = None
    api_key: SecretStr | None = Field(None, exclude=True, repr=False)
    api_key_file: Path | None = None
    proxy: str | None = Field(None, repr=False)
    stream: bool = True
    temperature: float | None = Field(0.2, ge=0, le=2)
    max_tokens: int = Field(400, ge=1)
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    max_response_bytes: int = Field(262_144, ge=1024)
    timeout_s: float = Field(8.0, gt=0)
    first_token_timeout_s: float = Field(4.0, gt=0)
    stall_timeout_s: float = Field(2.0, gt=0)
    slow_first_token_s: float = Field(2.0, gt=0)
    breaker_open_s: float = Field(5.0, gt=0, le=15.0)
    concurrency: int = Field(4, ge=1)
    local_port: int = Field(3002, ge=1, le=65535)
    price_per_1000_input_tokens: float = Field(0.0, ge=0)
    price_per_1000_output_tokens: float = Field(0.0, ge=0)

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query:
            raise ValueError("must be an address such as https://host/v1, without a user, a password or a query")
        return value


class RetentionDays(SettingsSection):
    """Days that rows are kept, by table; None: no limit. Fractions of a day are allowed."""

    queries: float | None = Field(None, gt=0)
    customer_history: float | None = Field(None, gt=0)
    feedback: float | None = Field(None, gt=0)
    outbox: float | None = Field(90.0, gt=0)
    events: float | None = Field(None, gt=0)
    audit_log: float | None = Field(None, gt=0)


class StorageSettings(SettingsSection):
    url: str | None = Field(None, repr=False)
    commit_budget_s: float = Field(1.0, gt=0)
    commit_timeout_s: float = Field(5.0, gt=0)
    max_rows_per_commit: int = Field(256, ge=1)
    history_timeout_s: float = Field(0.1, gt=0)
    hosts: int = Field(1, ge=1)
    idempotency_lease_s: float = Field(30.0, gt=0)
    idempotency_ttl_s: float = Field(86_400.0, ge=60)
    retention_days: RetentionDays = RetentionDays()
    min_free_bytes: int = Field(67_108_864, ge=0)


class OutboxSettings(SettingsSection):
    sinks: tuple[Literal["file", "features"], ...] = ()
    file: Path | None = None
    max_events_per_delivery: int = Field(256, ge=1)
    max_attempts: int = Field(8, ge=1)
    backoff_s: float = Field(1.0, gt=0)
    max_backoff_s: float = Field(60.0, gt=0)
    poll_s: float = Field(0.5, gt=0)


class RedisSettings(SettingsSection):
    url: str | None = Field(None, repr=False)
    timeout_s: float = Field(0.01, gt=0)


class SecuritySettings(SettingsSection):
    algorithm: Literal["HS256", "RS256", "ES256", "EdDSA"] = "HS256"
    issuer: str = "frontdesk"
    audience: str = "frontdesk"
    leeway_s: int = Field(30, ge=0, le=300)
    token_ttl_s: int = Field(86_400, ge=1)
    token_max_ttl_s: int = Field(7_776_000, ge=1)
    revocation_refresh_s: float = Field(2.0, gt=0, le=60)
    metrics_scope: str | None = Field(None, pattern=SCOPE_PATTERN)
    schema_scope: str | None = Field(None, pattern=SCOPE_PATTERN)
    jwks: str | None = None
    jwks_max_age_s: float = Field(3600.0, ge=10)
    jwks_max_stale_s: float = Field(86_400.0, ge=60)
    keys: Path | None = None
    bundle_keys: tuple[str, ...] = ()
    audit_answers: bool = True
    audit_checkpoint_s: float = Field(60.0, ge=1)

    @model_validator(mode="after")
    def _check_jwks(self) -> SecuritySettings:
        if (self.algorithm == "HS256") != (self.jwks is None):
            raise ValueError("jwks names the public keys of RS256, ES256 or EdDSA; HS256 has its own under home/keys")
        return self


class LimitSettings(SettingsSection):
    window_s: float = Field(60.0, gt=0, le=86_400)
    caller_requests: int | None = Field(None, ge=1)
    tenant_requests: int | None = Field(None, ge=1)
    total_requests: int | None = Field(None, ge=1)


class ObservabilitySettings(SettingsSection):
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    access_log: bool = True
    refused_lines_per_second: int | None = Field(5, ge=1)


class TrainingSettings(SettingsSection):
    experiment: str = "frontdesk"
    tracking_uri: str | None = Field(None, repr=False)


class PromotionLimits(SettingsSection):
    """How much worse than the champion a challenger may be (model_store/promotion_gate.py).

    Losses of accuracy are shares: 0.01 is 1 %.
    """

    significance: float = Field(0.05, gt=0, lt=1)
    max_accuracy_loss: float = Field(0.01, ge=0, le=1)
    max_log_loss_gain: float = Field(0.05, ge=0)
    min_rows_per_intent: int = Field(10, ge=1)
    max_intent_accuracy_loss: float = Field(0.25, ge=0, le=1)
    max_sentiment_accuracy_loss: float = Field(0.02, ge=0, le=1)
    max_ece_gain: float = Field(0.03, ge=0, le=1)
    max_latency_ratio: float = Field(2.0, gt=0)
    max_size_ratio: float = Field(2.0, gt=0)


class Settings(SettingsSection):
    """The whole configuration. Paths that are null in the file are derived from `home`."""

    home: Path = Path("var")
    server: ServerSettings = ServerSettings()
    model: ModelSettings = ModelSettings()
    masking: MaskingSettings = MaskingSettings()
    policy: PolicySettings = PolicySettings()
    responses: ResponseSettings = ResponseSettings()
    llm: LlmSettings = LlmSettings()
    storage: StorageSettings = StorageSettings()
    outbox: OutboxSettings = OutboxSettings()
    redis: RedisSettings = RedisSettings()
    security: SecuritySettings = SecuritySettings()
    limits: LimitSettings = LimitSettings()
    observability: ObservabilitySettings = ObservabilitySettings()
    training: TrainingSettings = TrainingSettings()
    promotion: PromotionLimits = PromotionLimits()
    bentoml: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_idempotency_lease(self) -> Settings:
        if self.storage.idempotency_lease_s <= self.server.request_timeout_s:
            raise ValueError("storage.idempotency_lease_s must be longer than server.request_timeout_s")
        return self

    @model_validator(mode="after")
    def _check_redis(self) -> Settings:
        if "features" in self.outbox.sinks and self.redis.url is None:
            raise ValueError("outbox.sinks names features, which are kept in Redis: set redis.url")
        return self

    @property
    def sinks(self) -> tuple[str, ...]:
        """The sinks that get every event; `features` is added automatically with `redis.url`."""
        return tuple(dict.fromkeys((*self.outbox.sinks, *(("features",) if self.redis.url else ()))))

    @property
    def events_file(self) -> Path:
        return self.outbox.file or self.home / "events.jsonl"

    @property
    def database_url(self) -> str:
        return self.storage.url or f"sqlite:///{self.home / 'frontdesk.db'}"

    @property
    def tracking_uri(self) -> str:
        return self.training.tracking_uri or f"sqlite:///{self.home / 'mlflow' / 'mlflow.db'}"

    @property
    def keys(self) -> Path:
        return self.security.keys or self.home / "keys"

    @property
    def bundles(self) -> Path:
        return self.home / "bundles"

    @property
    def engines(self) -> Path:
        return self.home / "tensorrt"

    @property
    def run(self) -> Path:
        return self.home / "run"


def load_settings(
    path: Path | None = None, environment: dict[str, str] | None = None, *, trust_home: bool = False
) -> Settings:
    """Read the configuration file, then apply the environment variables.

    Args:
        path: the file; by default `$FRONTDESK_CONFIG`, else ./configuration.yaml, else the one next to the package.
        environment: variables to use instead of those of the process.
        trust_home: do not check the permissions of the home, for commands that only report on it.

    Raises:
        UnsafeFileOwnershipError: as `check_home_ownership`; or another user owns or can write to ./configuration.yaml
            or its folder; or a named file is world-writable.
        ConfigurationError: a key is unknown or wrong; the message names each of them, and the file.
    """
    variables = dict(os.environ) if environment is None else environment
    file = path or find_configuration_file(variables)
    data = _read_configuration_file(file) if file else {}
    _refuse_secrets(data, file)
    _apply_environment(data, variables)
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors(include_url=False, include_input=False, include_context=False)
        )
        raise ConfigurationError(
            f"The configuration is wrong: {problems}.",
            hint=f"See {file or 'configuration.yaml'} and the FRONTDESK_ variables; "
            "`frontdesk config show` prints the settings.",
        ) from None
    root = file.resolve().parent if file else Path.cwd()
    if not trust_home:
        check_home_ownership(root / settings.home)  # before its links are resolved
    return settings.model_copy(update={"home": (root / settings.home).resolve()})


def path_variables_for_children(settings: Settings, variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables so that a process in another directory uses the same file, home and relative paths."""
    paths = {"FRONTDESK_HOME": str(settings.home)}
    if (file := find_configuration_file(variables)) is not None:
        paths[CONFIG_VARIABLE] = str(file.absolute())
    for section, content in settings:
        if isinstance(content, SettingsSection):
            for key, value in content:
                if (path := _make_absolute(value)) is not None:
                    paths[f"{PREFIX}{section}__{key}".upper()] = json.dumps(path)
    return paths


def _make_absolute(value: object) -> str | None:
    """Return a relative path, or an SQLite URL with one, made absolute; None for any other value."""
    if isinstance(value, Path) and not value.is_absolute():
        return str(value.absolute())
    if isinstance(value, str) and value.startswith(_SQLITE) and value[len(_SQLITE) :][:1] not in ("", "/", ":"):
        return f"{_SQLITE}{Path(value.removeprefix(_SQLITE)).absolute()}"
    return None


def find_configuration_file(variables: Mapping[str, str]) -> Path | None:
    """Return the file that `load_settings` reads by default; None if no file exists."""
    if path := variables.get(CONFIG_VARIABLE):
        return Path(path)
    for candidate in (LOCAL_FILE, PROJECT / LOCAL_FILE):
        if candidate.exists():
            return candidate
    return None


def _open_configuration_file(path: Path) -> BinaryIO:
    """Open a configuration file. A file in the current directory may belong to another user and is checked.

    The file determines which servers get keys and which bundles are trusted. A file that the operator has named, or
    the one next to the code, is refused only if it is world-writable.
    """
    if path == LOCAL_FILE and path.resolve().parent != PROJECT:
        return open_trusted(path, f"{Path.cwd() / path}")
    file = path.open("rb")
    if os.fstat(file.fileno()).st_mode & stat.S_IWOTH:
        file.close()
        raise UnsafeFileOwnershipError(f"{path} is not used: everybody can write to it.", hint=f"Run: chmod o-w {path}")
    return file


def _read_configuration_file(path: Path) -> dict[str, Any]:
    try:
        with _open_configuration_file(path) as file:
            data = yaml.safe_load(file.read().decode()) or {}
    except FileNotFoundError:
        raise ConfigurationError(f"There is no configuration file at {path}.") from None
    except UnsafeFileOwnershipError as error:
        raise UnsafeFileOwnershipError(
            error.message, hint=f"{error.hint}. Or, if you trust it: {CONFIG_VARIABLE}={path.absolute()}"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path} must hold a mapping of sections.")
    return data


def _refuse_secrets(data: dict[str, Any], path: Path | None) -> None:
    """Refuse secrets in the file, because files are copied, committed and mailed."""
    llm = data.get("llm")
    if isinstance(llm, dict) and "api_key" in llm:
        raise ConfigurationError(
            f"{path} holds llm.api_key.", hint=f"Take it out, and set {API_KEY_VARIABLE} or llm.api_key_file instead."
        )


def _apply_environment(data: dict[str, Any], variables: dict[str, str]) -> None:
    """Replace values of the file by each FRONTDESK_<SECTION>__<KEY>. Values are parsed as YAML scalars."""
    for name in sorted(variables):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        section, _, key = name.removeprefix(PREFIX).lower().partition("__")
        field = Settings.model_fields.get(section)
        if field is None or (key and section in ("home", "bentoml")) or (not key and section != "home"):
            raise ConfigurationError(
                f"The environment variable {name} names no setting.",
                hint=f"Use FRONTDESK_<SECTION>__<KEY> with a section out of {sorted(Settings.model_fields)}.",
            )
        value = variables[name] if name == API_KEY_VARIABLE else yaml.safe_load(variables[name])
        if key:
            data[section] = {**(data.get(section) or {}), key: value}
        else:
            data[section] = value
