"""Checks of a request's header section that llhttp does not make (RFC 9112, sections 3.2, 6.1 and 6.3).

llhttp refuses bare CR, line folding, blanks before a colon, several lengths, and a length together with a transfer
coding.
"""

from __future__ import annotations

from collections.abc import Iterable

from bentos.admission.errors import UnsupportedTransferCoding
from frontdesk.errors import InvalidQuery


def check_header_section(headers: Iterable[tuple[bytes, bytes]], http_version: str) -> None:
    """Refuse a request whose recipient or body length is ambiguous. Header names are in lower case.

    Raises:
        InvalidQuery: there is no Host in HTTP/1.1, or more than one; or the transfer coding does not end the body.
        UnsupportedTransferCoding: the body is chunked and also compressed.
    """
    hosts = 0
    codings = None
    for name, value in headers:
        if name == b"host":
            hosts += 1
        elif name == b"transfer-encoding":
            codings = value if codings is None else codings + b"," + value
    if hosts != 1 and (hosts or http_version == "1.1"):
        raise InvalidQuery("A request needs exactly one Host header.", hint="Send it once.")
    if codings is not None:
        _check_transfer_codings(codings, http_version)


def _check_transfer_codings(codings: bytes, http_version: str) -> None:
    """Check transfer codings. HTTP/1.0 has none, so any coding there is the fault of a proxy."""
    *inner, last = [coding.strip().lower() for coding in codings.split(b",")]
    if last != b"chunked" or b"chunked" in inner or http_version != "1.1":
        raise InvalidQuery("The transfer coding does not say where the body ends.", hint="Send chunked alone.")
    if inner:
        raise UnsupportedTransferCoding("A transfer coding is not supported.", hint="Send chunked alone.")
