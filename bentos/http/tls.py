"""TLS for HTTP and gRPC, from the certificate and key files in the settings."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from frontdesk.config import ServerSettings
from frontdesk.errors import ConfigurationError
from frontdesk.private_files import open_secret

CERTIFICATE_OPTION, KEY_OPTION, CIPHERS_OPTION = "--ssl-certfile", "--ssl-keyfile", "--ssl-ciphers"
"""BentoML's options, which pass the files to its workers."""
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Ciphers for TLS 1.2: forward secrecy and authenticated encryption. All ciphers of TLS 1.3 have both."""


def read_tls_key_pair(settings: ServerSettings) -> tuple[bytes, bytes] | None:
    """Return key and certificate chain as PEM; None if TLS is not configured.

    Raises:
        ConfigurationError: a file cannot be read, the key belongs to another user or is readable by others, or key and
            certificate do not match.
    """
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None or key is None:
        return None
    try:
        with open_secret(key, f"The key {key}") as file:
            secret = file.read()
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        return secret, certificate.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"server.tls_certificate and server.tls_key cannot be used ({type(error).__name__}).",
            hint="They must be a certificate and its private key without a password, PEM files both.",
        ) from None


def tls_serve_options(settings: ServerSettings) -> list[str]:
    """Return the TLS options for `bentoml serve`."""
    if settings.tls_certificate is None:
        return []
    return [
        CERTIFICATE_OPTION, str(settings.tls_certificate), KEY_OPTION, str(settings.tls_key), CIPHERS_OPTION, CIPHERS,
    ]  # fmt: skip


def harden(context: ssl.SSLContext) -> ssl.SSLContext:
    """Limit a context to TLS 1.2 with `CIPHERS` and TLS 1.3. Return the context."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    return context


def check_tls_serve_options(settings: ServerSettings, arguments: Sequence[str]) -> None:
    """Refuse to start if TLS is configured but BentoML was started without it or with its default ciphers (TLS 1.0).

    Raises:
        ConfigurationError: as `read_tls_key_pair`, or the TLS options of BentoML are missing or differ.
    """
    if read_tls_key_pair(settings) is None:
        return
    hint = f"Start with: frontdesk serve. Or add: {' '.join(tls_serve_options(settings))}"
    if not any(argument.startswith(CERTIFICATE_OPTION) for argument in arguments):
        raise ConfigurationError("server.tls_certificate is set, but BentoML was started without it.", hint=hint)
    if _value(CIPHERS_OPTION, arguments) != CIPHERS:
        raise ConfigurationError("BentoML was started with other TLS ciphers than Frontdesk's.", hint=hint)


def _value(option: str, arguments: Sequence[str]) -> str | None:
    """Return the value of the last `--option VALUE` or `--option=VALUE`; None if the option is missing."""
    value = None
    for index, argument in enumerate(arguments):
        if argument == option and index + 1 < len(arguments):
            value = arguments[index + 1]
        elif argument.startswith(f"{option}="):
            value = argument.partition("=")[2]
    return value
