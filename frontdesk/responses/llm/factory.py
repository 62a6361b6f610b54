"""Build the client for the configured language model: key, pooled HTTP client, limits, circuit breaker, metrics."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from pydantic import SecretStr

from frontdesk.circuit_breaker import BreakerLimits, CircuitBreaker
from frontdesk.config import API_KEY_VARIABLE, LlmSettings
from frontdesk.errors import ConfigurationError
from frontdesk.observability.llm_metrics import LanguageModelMetrics
from frontdesk.private_files import open_secret
from frontdesk.responses.llm.client import OpenAiClient, RequestOptions
from frontdesk.responses.llm.retry_budget import ConcurrencyLimit, TokenPrices
from frontdesk.responses.llm.timeouts import TimeoutLimits
from frontdesk.responses.llm.transport import LlmTransport

MAX_KEY_BYTES = 4_096


def build_openai_client(settings: LlmSettings, metrics: LanguageModelMetrics) -> OpenAiClient:
    """Create a client that has not connected yet; close it with `close`.

    Raises:
        ConfigurationError: names the setting that is missing or wrong.
    """
    base_url, model = require_endpoint(settings)
    http_client = httpx2.AsyncClient(
        base_url=base_url,
        headers={"User-Agent": "frontdesk", "Accept-Encoding": "identity", **_authorization_header(settings)},
        timeout=None,  # `CallTimer` limits every wait
        follow_redirects=False,
        trust_env=False,
        proxy=settings.proxy,
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=settings.concurrency),
    )
    timeouts = TimeoutLimits(
        first_token_s=settings.first_token_timeout_s,
        stall_s=settings.stall_timeout_s,
        total_s=settings.timeout_s,
        slow_s=settings.slow_first_token_s,
    )
    options = RequestOptions(
        model=model,
        stream=settings.stream,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        max_tokens_field=settings.max_tokens_field,
    )
    breaker_limits = BreakerLimits(slow_s=settings.slow_first_token_s, open_s=settings.breaker_open_s)
    return OpenAiClient(
        LlmTransport(http_client, settings.max_response_bytes),
        options,
        timeouts,
        CircuitBreaker(breaker_limits, observe=metrics.observe_breaker),
        ConcurrencyLimit(settings.concurrency),
        TokenPrices(settings.price_per_1000_input_tokens, settings.price_per_1000_output_tokens),
        metrics,
    )


def require_endpoint(settings: LlmSettings) -> tuple[str, str]:
    """The server's address and the model's name. Raises `ConfigurationError` if one is missing."""
    if settings.base_url is None or settings.model is None:
        missing = "base_url" if settings.base_url is None else "model"
        raise ConfigurationError(
            f"responses.provider needs llm.{missing}.", hint="See docs/language-model.md for examples."
        )
    return settings.base_url, settings.model


def check_llm_settings(settings: LlmSettings) -> None:
    """Raise `ConfigurationError` for settings that `build_openai_client` would reject, without creating a client."""
    require_endpoint(settings)
    _authorization_header(settings)


def read_api_key(path: Path) -> SecretStr:
    """The key in a file that only its owner can read.

    Raises:
        ConfigurationError: the file does not exist, belongs to another user, can be read or replaced by others, or is
            not a single line of ASCII.
    """
    try:
        with open_secret(path, f"The key file {path}") as file:
            key = file.read(MAX_KEY_BYTES).strip()
    except OSError as error:
        raise ConfigurationError(f"llm.api_key_file {path} cannot be read ({type(error).__name__}).") from None
    return _validate_api_key(key.decode("latin-1"), str(path))


def _authorization_header(settings: LlmSettings) -> dict[str, str]:
    """The header with the key. Empty without a key: many servers in a private network need none."""
    if settings.api_key is not None:
        key = _validate_api_key(settings.api_key.get_secret_value().strip(), API_KEY_VARIABLE)
    elif settings.api_key_file is not None:
        key = read_api_key(settings.api_key_file)
    else:
        return {}
    _require_tls(settings)
    return {"Authorization": f"Bearer {key.get_secret_value()}"}


def _require_tls(settings: LlmSettings) -> None:
    """Raise ConfigurationError if the key would be sent without TLS, except to this machine without a proxy."""
    parts = urlsplit(settings.base_url or "")
    if parts.scheme == "http" and (settings.proxy is not None or not _is_loopback(parts.hostname or "")):
        raise ConfigurationError(
            "llm.base_url is http, and a key would be sent to it.",
            hint="Use https, or an address of this machine (127.0.0.1) without a proxy, or no key.",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _validate_api_key(key: str, source: str) -> SecretStr:
    """Reject a key that would break the header: the error of the HTTP library would contain the key."""
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(f"The key in {source} is not one word of printable ASCII.")
    return SecretStr(key)
