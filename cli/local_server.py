"""Address of the server on this machine, and a check whether the listening program is the server of this home."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from frontdesk.config import Settings

IDENTIFY_TIMEOUT_S = 2.0


class PortOwner(Enum):
    """The program that listens on the configured port; the values are shown to users."""

    OURS = "the server of this home"
    ANOTHER_HOME = "a Frontdesk server of another home"
    ANOTHER_PROGRAM = "another program, or an older Frontdesk"
    NOTHING = "no program"


def identify_port_owner(client: Any, settings: Settings) -> PortOwner:
    """Identify the program at the configured address. Sends no secret and reads only the response headers."""
    from httpx2 import ConnectError, ConnectTimeout, HTTPError

    from frontdesk.security.server_identity import CHALLENGE_HEADER, PROOF_HEADER, load_server_identity, new_challenge

    challenge = new_challenge()
    try:
        headers = {CHALLENGE_HEADER: challenge}
        with client.stream("GET", "/livez", headers=headers, timeout=IDENTIFY_TIMEOUT_S) as response:
            status, proof = response.status_code, response.headers.get(PROOF_HEADER)
            host, port = response.extensions["network_stream"].get_extra_info("server_addr")[:2]
    except (ConnectError, ConnectTimeout):
        return PortOwner.NOTHING
    except HTTPError:
        return PortOwner.ANOTHER_PROGRAM
    if proof is None:
        return PortOwner.ANOTHER_PROGRAM
    if not load_server_identity(settings.keys).is_proof(proof, challenge, port, host):
        return PortOwner.ANOTHER_HOME
    return PortOwner.OURS if status == 200 else PortOwner.NOTHING


def server_url(settings: Settings) -> str:
    return (
        f"{'http' if settings.server.tls_certificate is None else 'https'}://"  # vocabulary: code in an f-string
        f"{server_host(settings)}:{settings.server.port}"
    )


def tls_verification(settings: Settings) -> Any:
    """Return the `verify` argument of a local HTTP client: trust the server's own certificate, for any host name."""
    import ssl

    if settings.server.tls_certificate is None:
        return True
    context = ssl.create_default_context(cafile=settings.server.tls_certificate)
    context.check_hostname = False
    return context


def server_host(settings: Settings) -> str:
    """Host name under which this machine reaches the server."""
    return "127.0.0.1" if settings.server.host == "0.0.0.0" else settings.server.host  # noqa: S104 - compared, not bound
