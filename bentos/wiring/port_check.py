"""Check that a port is free before the server starts, to report a conflict in one line instead of a traceback."""

from __future__ import annotations

import socket

from frontdesk.errors import ConfigurationError

HTTP_VARIABLE = "FRONTDESK_SERVER__PORT"
GRPC_VARIABLE = "FRONTDESK_SERVER__GRPC_PORT"


def check_port_is_free(host: str, port: int, variable: str) -> None:
    """Bind the port and release it. Workers share their port, so only a conflict with another program is found.

    Raises:
        ConfigurationError: the port is in use; the message names the address and the `variable` for another port.
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
