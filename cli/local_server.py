"""The server that listens on the configured port of this machine: its address, and whether it is this home's."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from frontdesk.config import Settings

IDENTIFY_TIMEOUT_S = 2.0


class Listener(Enum):
    """The program that listens on the configured port; the values are shown to users."""

    OURS = "the server of this home"
    ANOTHER_HOME = "a Frontdesk server of another home"
    ANOTHER_PROGRAM = "another program, or an older Frontdesk"
    NOTHING = "no program"


def identify_listener(client: Any, settings: Settings) -> Listener:
    """Identify the program at the configured address. Sends no secret and reads only the head of the response."""
    from httpx2 import ConnectError, ConnectTimeout, HTTPError

    from frontdesk.security.server_identity import CHALLENGE_HEADER, PROOF_HEADER, new_challenge, server_identity

    challenge = new_challenge()
    try:
        headers = {CHALLENGE_HEADER: challenge}
        with client.stream("GET", "/livez", headers=headers, timeout=IDENTIFY_TIMEOUT_S) as response:
            status, proof = response.status_code, response.headers.get(PROOF_HEADER)
            host, port = response.extensions["network_stream"].get_extra_info("server_addr")[:2]
    except (ConnectError, ConnectTimeout):
        return Listener.NOTHING
    except HTTPError:
        return Listener.ANOTHER_PROGRAM
    if proof is None:
        return Listener.ANOTHER_PROGRAM
    if not server_identity(settings.keys).is_proof(proof, challenge, port, host):
        return Listener.ANOTHER_HOME
    return Listener.OURS if status == 200 else Listener.NOTHING


def server_url(settings: Settings) -> str:
    return f"{'http' if settings.server.tls_certificate is None else 'https'}://{server_host(settings)}:{settings.server.port}"


def tls_verification(settings: Settings) -> Any:
    """How a client on this machine knows its own server: by the certificate itself, whatever host it names."""
    import ssl

    if settings.server.tls_certificate is None:
        return True
    context = ssl.create_default_context(cafile=settings.server.tls_certificate)
    context.check_hostname = False
    return context


def server_host(settings: Settings) -> str:
    """Where this machine reaches the server."""
    return "127.0.0.1" if settings.server.host == "0.0.0.0" else settings.server.host  # noqa: S104 - compared, not bound
