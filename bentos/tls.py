"""TLS of both doors, from the two files that the settings name."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from frontdesk.config import ServerSettings
from frontdesk.errors import ConfigurationError
from frontdesk.private_files import open_secret

CERTIFICATE_OPTION, KEY_OPTION = "--ssl-certfile", "--ssl-keyfile"
"""BentoML's own, which hand the files to its workers."""


def read_tls(settings: ServerSettings) -> tuple[bytes, bytes] | None:
    """Key and certificate chain, PEM; None where the doors speak plainly.

    Raises:
        ConfigurationError: a file cannot be read, the key belongs to another user or others can read it, or the two do
            not belong together.
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


def serve_options(settings: ServerSettings) -> list[str]:
    """What `bentoml serve` must be told."""
    if settings.tls_certificate is None:
        return []
    return [CERTIFICATE_OPTION, str(settings.tls_certificate), KEY_OPTION, str(settings.tls_key)]


def check_tls(settings: ServerSettings, arguments: Sequence[str]) -> None:
    """Refuse a server that would speak plainly although TLS is configured.

    Raises:
        ConfigurationError: as `read_tls`, or BentoML was not told.
    """
    if read_tls(settings) is not None and not any(one.startswith(CERTIFICATE_OPTION) for one in arguments):
        raise ConfigurationError(
            "server.tls_certificate is set, but BentoML was started without it.",
            hint=f"Start with: frontdesk serve. Or add: {' '.join(serve_options(settings))}",
        )
