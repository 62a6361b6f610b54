"""Run a command while the default ports are occupied and misleading settings are in the environment.

    python -m tests.support.occupied_ports COMMAND [ARGUMENT ...]

A hermetic test suite passes here and never connects to these ports. The exit code is that of the command, or 1 if
a connection was made. A port on which another program already listens is skipped.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

PORTS = (3000, 3001, 3002)
MISLEADING = {
    "FRONTDESK_HOME": "/nonexistent/home",
    "FRONTDESK_CONFIG": "/nonexistent/configuration.yaml",
    "FRONTDESK_SERVER__PORT": "3000",
    "FRONTDESK_STORAGE__URL": "postgresql+psycopg2://nobody@127.0.0.1:1/nothing",
    "FRONTDESK_REDIS__URL": "redis://127.0.0.1:1/0",
    "FRONTDESK_SECURITY__ALGORITHM": "none",
    "FRONTDESK_NO_SUCH_SETTING": "1",
    "BENTOML_HOME": "/nonexistent/bentoml",
    "BENTOML_CONFIG": "/nonexistent/bentoml.yaml",
}


def occupied(port: int, connections: list[str]) -> socket.socket | None:
    """Listen on a port of 127.0.0.1 and record connections; None if the port is in use."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        return None
    listener.listen(16)
    threading.Thread(target=_record, args=(listener, port, connections), daemon=True).start()
    return listener


def _record(listener: socket.socket, port: int, connections: list[str]) -> None:
    while True:
        try:
            connection, (_, peer_port) = listener.accept()
        except OSError:
            return
        connection.settimeout(1.0)
        try:
            start = connection.recv(200)
        except OSError:
            start = b""
        connections.append(f"port {port}, from port {peer_port}: {start!r}")
        connection.close()


def main(command: list[str]) -> int:
    connections: list[str] = []
    for port in PORTS:
        in_use = occupied(port, connections) is None
        print(f"port {port}: {'used by another program' if in_use else 'occupied for this run'}", flush=True)
    code = subprocess.run(command, env=os.environ | MISLEADING, check=False).returncode
    for line in connections:
        print(f"not hermetic: a connection to {line}", file=sys.stderr)
    return code or (1 if connections else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
