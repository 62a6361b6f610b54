"""Is a port free? Asked before anything is started, so that a taken one is told in a line and not in a traceback."""

from __future__ import annotations

import socket

from frontdesk.errors import ConfigurationError

HTTP_VARIABLE = "FRONTDESK_SERVER__PORT"
GRPC_VARIABLE = "FRONTDESK_SERVER__GRPC_PORT"


def check_port(host: str, port: int, variable: str) -> None:
    """Bind once and let go. Workers share a port among themselves; this asks whether anybody else listens.

    Raises:
        ConfigurationError: naming the address and the `variable` with which another port is chosen.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"Cannot listen on {host}:{port} ({error.strerror}).",
                hint=f"Choose another port: {variable}=...",
            ) from None
