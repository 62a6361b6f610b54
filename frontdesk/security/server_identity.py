"""Challenge-response authentication of the server, before the command line sends it a token.

Another program may listen on the configured port and would receive a token of this home. The proof is an HMAC with a
key derived from `erasure.key`, which exists in every home and is never rotated. It covers the address and port on which
the server accepted the connection, so that another program cannot relay the challenge to a server on another port.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from frontdesk.security.pseudonyms import load_pseudonym_key

CHALLENGE_HEADER = "x-frontdesk-challenge"
PROOF_HEADER = "x-frontdesk-proof"

LOOPBACK = "127.0.0.1"
_CHALLENGE = re.compile(r"[0-9a-f]{64}")
_CONTEXT = b"frontdesk server identity v1\x00"
"""Domain separation: no other key derived from the same secret is equal."""


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """The key that a server and the command line of the same home share."""

    key: bytes = field(repr=False)

    def proof(self, challenge: str, port: int, host: str = LOOPBACK) -> str | None:
        """Return the proof of a server that accepted a connection on `host` (an IP address) and `port`.

        None if the challenge does not have the form that `new_challenge` gives.
        """
        if not _CHALLENGE.fullmatch(challenge):
            return None
        return hmac.new(self.key, f"{challenge} {_canonical_address(host)} {port}".encode(), "sha256").hexdigest()

    def is_proof(self, proof: str, challenge: str, port: int, host: str = LOOPBACK) -> bool:
        """Return whether `proof` shows that the server at `host` and `port` has the keys of this home."""
        expected = self.proof(challenge, port, host)
        return expected is not None and hmac.compare_digest(proof.encode(), expected.encode())


def new_challenge() -> str:
    """Return 32 random bytes in hex; an earlier proof cannot be replayed."""
    return secrets.token_hex(32)


def load_server_identity(keys: Path) -> ServerIdentity:
    """Return the identity of the home with the key folder `keys`.

    Raises:
        ConfigurationError: as `load_pseudonym_key`.
    """
    return ServerIdentity(hmac.digest(load_pseudonym_key(keys).secret, _CONTEXT, "sha256"))


def _canonical_address(host: str) -> str:
    """Return an address in canonical form: a server on IPv6 sees an IPv4 client at `::ffff:127.0.0.1`."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
