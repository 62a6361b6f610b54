"""`frontdesk serve`: start BentoML's server, wait until it is ready, and print its addresses and an example request."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from frontdesk.config import Settings

READY_TIMEOUT_S = 60.0
POLL_S = 0.1


def serve(
    train_if_needed: Annotated[
        bool, typer.Option("--train-if-needed", help="Train the starter model first if no bundle is promoted.")
    ] = False,
) -> None:
    """Serve the champion over HTTP and gRPC until interrupted. Requests in flight are completed."""
    from rich.console import Console

    from frontdesk.config import load_settings
    from frontdesk.private_files import make_home
    from model_store.promotion import POINTER

    console = Console(stderr=True)
    settings = load_settings()
    _check_ports(settings)  # before training, which takes minutes, and again after it
    if train_if_needed and settings.model.bundle is None and not (settings.bundles / POINTER).exists():
        _train_starter_model(settings, console)
    _check_ports(settings)
    started = time.monotonic()
    make_home(settings.home)
    server = subprocess.Popen(_server_command(settings), env=_server_environment(settings))  # noqa: S603 - our own interpreter and module
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: server.terminate())
    if _wait_until_ready(settings, server):
        _print_addresses(settings, console, time.monotonic() - started)
    sys.exit(server.wait())


def _check_ports(settings: Settings) -> None:
    """Check that the ports are free; with a port in use BentoML would print a traceback."""
    from bentos.wiring.port_check import GRPC_VARIABLE, HTTP_VARIABLE, check_port_is_free
    from frontdesk.errors import ConfigurationError
    from runners.services.heartbeats import find_running_server

    server = settings.server
    try:
        check_port_is_free(server.host, server.port, HTTP_VARIABLE)
        if server.grpc_port is not None:
            check_port_is_free(server.host, server.grpc_port, GRPC_VARIABLE)
    except ConfigurationError as error:
        if pid := find_running_server(settings.run):
            raise ConfigurationError(
                f"{error.message} A server of this home runs already (process {pid}).",
                hint=f"Stop it with: kill {pid}. {error.hint}",
            ) from None
        raise


def _train_starter_model(settings: Settings, console: Console) -> None:
    """Train in a separate process, so that the server does not keep training libraries in memory."""
    from frontdesk.child_processes import child_environment, python_module_command

    console.print(
        "No model has been trained yet: training the starter model, some minutes, once. It can be resumed after Ctrl-C."
    )
    result = subprocess.run(  # noqa: S603 - our own interpreter and module
        python_module_command("cli", "train"), check=False, env=child_environment(FRONTDESK_HOME=str(settings.home))
    )
    if result.returncode != 0:
        sys.exit(result.returncode)


def _server_command(settings: Settings) -> list[str]:
    from bentos.http.tls import tls_serve_options
    from frontdesk.child_processes import python_module_command
    from frontdesk.config import PROJECT

    server = settings.server
    return [
        *python_module_command("bentoml"), "serve", "bentos.service:Frontdesk",
        "--working-dir", str(PROJECT),  # BentoML's first module folder; not the current directory
        "--host", server.host, "--port", str(server.port),
        "--timeout-graceful-shutdown", str(server.shutdown_grace_s), *tls_serve_options(server),
    ]  # fmt: skip


def _server_environment(settings: Settings) -> dict[str, str]:
    """Environment of the server: BentoML's home is in ours (its metrics folder is per home); no usage statistics."""
    from frontdesk.child_processes import PARENT_VARIABLE, child_environment
    from frontdesk.config import path_variables_for_children

    defaults = {"BENTOML_HOME": str(settings.home / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
    paths = path_variables_for_children(settings, os.environ)
    return defaults | child_environment(**paths, **{PARENT_VARIABLE: str(os.getpid())})


def _wait_until_ready(settings: Settings, server: subprocess.Popen[Any]) -> bool:
    """Wait until the server is ready; False if it ended or timed out. Ignores other programs on the port."""
    from httpx2 import Client, HTTPError

    from cli.local_server import PortOwner, identify_port_owner, server_url, tls_verification

    deadline = time.monotonic() + READY_TIMEOUT_S
    with Client(
        base_url=server_url(settings), timeout=2.0, verify=tls_verification(settings), trust_env=False
    ) as client:
        while server.poll() is None and time.monotonic() < deadline:
            try:
                if identify_port_owner(client, settings) is PortOwner.OURS and client.get("/readyz").status_code == 200:
                    return server.poll() is None
            except HTTPError:
                pass
            time.sleep(POLL_S)
    return False


def _print_addresses(settings: Settings, console: Console, seconds: float) -> None:
    from cli.local_server import server_host, server_url

    base = server_url(settings)
    console.print(
        f"[bold green]Ready[/] after {seconds:.1f} s. In a browser: {base}/  API: {base}/docs", soft_wrap=True
    )
    if settings.server.grpc_port is not None:
        console.print(f"gRPC: {server_host(settings)}:{settings.server.grpc_port}", soft_wrap=True)
    console.print("Or paste this into another terminal:\n")
    command = f"{os.path.relpath(sys.executable.replace('python3', 'python'))}"
    frontdesk = command.rpartition("/")[0] + "/frontdesk"
    console.print(
        f"curl -s {base}/v1/queries \\\n"
        f'  -H "Authorization: Bearer $({frontdesk} token)" -H "Content-Type: application/json" \\\n'
        """  -d '{"text": "Where is my parcel? Order #48213 should have come on Monday."}'""",
        highlight=False,
        soft_wrap=True,
    )
    console.print("\nCtrl-C stops the server.", style="dim")
