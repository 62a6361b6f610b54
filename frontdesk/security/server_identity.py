"""How a client of this home knows its own server before it sends a token: the server answers a challenge.

Another program may listen on the port of the settings, and would be sent a token of this home. The proof is an HMAC
under a key derived from `erasure.key`, which every home has and nothing rotates. It covers the address and the
port on which the server took the connection, so that a program on one cannot pass the challenge on to the server on
another.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from frontdesk.security.fingerprints import fingerprint_key

CHALLENGE_HEADER = "x-frontdesk-challenge"
PROOF_HEADER = "x-frontdesk-proof"

LOOPBACK = "127.0.0.1"
_CHALLENGE = re.compile(r"[0-9a-f]{64}")
_CONTEXT = b"frontdesk server identity v1\x00"
"""So that the key is no other that is derived from the same secret."""


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """Shared by a server and the command line of the same home."""

    key: bytes = field(repr=False)

    def proof(self, challenge: str, port: int, host: str = LOOPBACK) -> str | None:
        """The answer of the server that took a connection on `host` (an IP address) and `port`.

        None where the challenge is none of `new_challenge`.
        """
        if not _CHALLENGE.fullmatch(challenge):
            return None
        return hmac.new(self.key, f"{challenge} {_plain(host)} {port}".encode(), "sha256").hexdigest()

    def is_proof(self, proof: str, challenge: str, port: int, host: str = LOOPBACK) -> bool:
        """Does whoever was reached at `host` and `port` have the keys of this home?"""
        expected = self.proof(challenge, port, host)
        return expected is not None and hmac.compare_digest(proof.encode(), expected.encode())


def new_challenge() -> str:
    """32 random bytes in hex: no answer of before fits."""
    return secrets.token_hex(32)


def server_identity(keys: Path) -> ServerIdentity:
    """The identity of the home whose key folder is `keys`.

    Raises:
        ConfigurationError: as `fingerprint_key`.
    """
    return ServerIdentity(hmac.digest(fingerprint_key(keys).secret, _CONTEXT, "sha256"))


def _plain(host: str) -> str:
    """One spelling of an address; a server that listens on IPv6 sees a client of IPv4 at `::ffff:127.0.0.1`."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
