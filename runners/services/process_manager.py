"""Moves the control sockets of circus, BentoML's process manager, from TCP to unix sockets in a private folder.

BentoML configures circus with TCP ports without authentication, through which any local user can read the server's
environment and run commands as its user. `use_private_sockets` is called when the master imports the service, before it
creates the arbiter. It replaces the addresses, and it stops a master that would listen on any other address. All
sockets of one master, including those of its workers, are in one folder (0700) below the run folder, or below the
system's temporary folder if that path is too long for a socket or its file system does not support sockets.
"""

from __future__ import annotations

import atexit
import contextlib
import inspect
import logging
import os
import shutil
import signal
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

from frontdesk.child_processes import mark_as_watched_parent
from frontdesk.errors import ConfigurationError, FrontdeskError
from frontdesk.private_files import explain_unsafe_folder, make_private_folder

MAX_PATH_BYTES = 100
"""Limit of a socket's path. Operating systems allow 104 to 108 bytes, including the terminating zero."""

CONTROL, EVENTS = "control", "events"
LONGEST_NAME = "bentoml-uds-12345678/123456789012345.sock"
"""The longest name of a socket in the folder, which is BentoML's socket of a runner."""

CLOSE_MARGIN_S = 0.5
"""Added to `server.drain_s`; by then each worker has stopped accepting connections."""

_API_SERVER = "_bento_api_server"
"""BentoML's name of the only socket that may be a TCP port: `server.port`."""


class _MasterState:
    """State of this process as a serving master."""

    folder: Path | None = None
    run: Path | None = None
    drain_s: float = 0.0


def use_private_sockets(run: Path, drain_s: float = 0.0) -> None:
    """Make every arbiter of this process listen on unix sockets only.

    Ends the process with an error message of one line if the version of circus is not supported.

    Args:
        run: the run folder of the settings.
        drain_s: seconds for which requests are still accepted after SIGTERM.
    """
    if _MasterState.run is not None:
        return
    import zmq
    from bentoml import serving
    from circus.arbiter import Arbiter  # type: ignore[import-untyped]  # circus has no types
    from circus.sockets import CircusSocket  # type: ignore[import-untyped]  # as above

    signature = inspect.signature(Arbiter.__init__)
    if missing := {"endpoint", "pubsub_endpoint", "sockets", "statsd", "httpd"} - set(signature.parameters):
        _exit_with_error(
            f"This version of circus is not supported: its Arbiter has no {sorted(missing)[0]}. "
            "Install the pinned versions of BentoML and circus: see requirements.lock."
        )
    Arbiter.__init__ = _wrap_arbiter_init(Arbiter.__init__, signature)
    Arbiter.stop = _wrap_arbiter_stop(Arbiter.stop)
    zmq.Socket.bind = _wrap_zmq_bind(zmq.Socket.bind)  # type: ignore[method-assign]  # on purpose
    CircusSocket.bind_and_listen = _wrap_bind_and_listen(CircusSocket.bind_and_listen)
    serving.ensure_prometheus_dir = lambda: _create_metrics_folder(run)
    _MasterState.run, _MasterState.drain_s = run, drain_s
    mark_as_watched_parent()


def _create_metrics_folder(run: Path) -> str:
    """Create this master's metrics folder. BentoML shares one among all servers of its home and empties it at start."""
    folder = run / f"{os.getpid()}.metrics"
    try:
        run.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_private_folder(run)
        _create_empty_folder(folder)
    except (ConfigurationError, OSError):  # the home cannot be used; the server reports it later
        folder = Path(tempfile.mkdtemp(prefix="frontdesk-"))
    atexit.register(_remove_if_same_process, folder, os.getpid())
    return str(folder)


def _wrap_bind_and_listen(original: Callable[..., None]) -> Callable[..., None]:
    """Wrap `CircusSocket.bind_and_listen`: end the master with a one-line error if the address is in use."""

    @wraps(original)
    def bind_and_listen(self: Any) -> None:
        logger = logging.getLogger("circus")
        was_disabled, logger.disabled = logger.disabled, True  # it would log the same error
        try:
            original(self)
        except OSError as error:
            address = self.path if self.is_unix else f"{self.host}:{self.port}"
            _exit_with_error(f"Cannot listen on {address} ({error.strerror}).")
        finally:
            logger.disabled = was_disabled

    return bind_and_listen


def sockets_folder() -> Path:
    """The private folder of this master's sockets, created by the first call and removed at exit.

    Raises:
        ConfigurationError: no folder is private, short enough and on a file system with sockets.
    """
    if _MasterState.folder is None:
        assert _MasterState.run is not None, "use_private_sockets comes first"
        _MasterState.folder = _make_sockets_folder(_MasterState.run, os.getpid())
        atexit.register(_remove_if_same_process, _MasterState.folder, os.getpid())
    return _MasterState.folder


def share_sockets_folder() -> Path:
    """Make BentoML create the sockets of runners in the folder as well. Return the folder."""
    folder = sockets_folder()
    tempfile.tempdir = str(folder)
    return folder


def check_control_socket(folder: Path | None) -> Path:
    """Check that the folder of the master's sockets has a control socket, and return the folder.

    Args:
        folder: None for a master that has pinned nothing.

    Raises:
        ConfigurationError: the folder has no control socket, so the process manager listens on another address.
    """
    if folder is not None:
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK((folder / CONTROL).stat().st_mode):
                return folder
    raise ConfigurationError(
        "BentoML's process manager does not listen on its private socket.",
        hint="Install the pinned version of BentoML: see requirements.lock.",
    )


def stop_server(error: FrontdeskError) -> NoReturn:
    """End this worker and its master with a one-line error, because a new worker would fail as well."""
    print(f"error {error}", file=sys.stderr, flush=True)  # noqa: T201 - one line for a person, before any log is set up
    os.kill(os.getppid(), signal.SIGTERM)
    raise SystemExit(1)


def _make_sockets_folder(run: Path, pid: int) -> Path:
    own = run / f"{pid}.sockets"
    problems = []
    for parent in dict.fromkeys((run, *_temporary_folders())):
        longest = own if parent == run else parent / "frontdesk-12345678"
        if len(os.fsencode(longest / LONGEST_NAME)) > MAX_PATH_BYTES:
            problems.append(f"{parent} is too long")
            continue
        try:
            if parent == run:
                make_private_folder(run)
            if (problem := explain_unsafe_folder(parent)) is not None:
                problems.append(problem)
                continue
            folder = (
                _create_empty_folder(own) if parent == run else Path(tempfile.mkdtemp(prefix="frontdesk-", dir=parent))
            )
        except OSError as error:
            problems.append(f"{parent}: {error.strerror}")
            continue
        if _supports_sockets(folder):
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        problems.append(f"{parent} cannot hold sockets")
    raise ConfigurationError(
        f"There is no place for the sockets of the server: {'; '.join(problems)}.",
        hint="Set TMPDIR to a short path of a folder of your own.",
    )


def _temporary_folders() -> Iterable[Path]:
    """Return the folders in which a folder with a random name may be created."""
    return (Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108  # nosec B108 - a private folder with a random name is created in it


def _create_empty_folder(folder: Path) -> Path:
    """Create the folder. An existing folder, left by a killed master with the same process id, is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def _supports_sockets(folder: Path) -> bool:
    """Whether a unix socket can be bound in the folder."""
    probe = folder / "probe"
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(probe))
        probe.unlink()
    except OSError:
        return False
    return True


def _remove_if_same_process(folder: Path, pid: int) -> None:
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)


def _wrap_arbiter_init(original: Callable[..., None], signature: inspect.Signature) -> Callable[..., None]:
    """Wrap `Arbiter.__init__`: replace the caller's addresses with unix sockets."""

    @wraps(original)
    def __init__(*args: Any, **kwargs: Any) -> None:  # noqa: N807 - replaces a dunder method
        bound = signature.bind(*args, **kwargs)
        for listener in bound.arguments.get("sockets") or ():
            if not listener.is_unix and listener.name != _API_SERVER:
                _exit_with_error(
                    f"BentoML would give the service '{listener.name}' a TCP port that any local user can call."
                )
        try:
            folder = sockets_folder()
        except ConfigurationError as error:
            _exit_with_error(str(error))
        addresses = {"endpoint": f"ipc://{folder / CONTROL}", "pubsub_endpoint": f"ipc://{folder / EVENTS}"}
        disabled = {"statsd": False, "httpd": False, "stats_endpoint": None, "multicast_endpoint": None}
        bound.arguments.update(
            addresses | {name: value for name, value in disabled.items() if name in signature.parameters}
        )
        original(*bound.args, **bound.kwargs)

    return __init__


def _wrap_arbiter_stop(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `Arbiter.stop`: close the listening sockets once the workers have stopped accepting connections.

    circus keeps them open until its last process has ended. New connections would wait in the backlog of a socket on
    which no process accepts.
    """

    @wraps(original)
    def stop(self: Any, *args: Any, **kwargs: Any) -> Any:
        loop, delay_s = self.loop, _MasterState.drain_s + CLOSE_MARGIN_S
        loop.add_callback(lambda: loop.call_later(delay_s, _close_listeners, [*self.sockets.values()]))
        return original(self, *args, **kwargs)

    return stop


def _close_listeners(listeners: Iterable[socket.socket]) -> None:
    """Close the TCP sockets. `shutdown` also affects the copies that other processes have inherited."""
    for listener in listeners:
        if listener.family != socket.AF_UNIX:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def _wrap_zmq_bind(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `zmq.Socket.bind`: end the master if it binds outside the folder, because the arbiter is not patched."""

    @wraps(original)
    def bind(self: Any, address: Any, *args: Any, **kwargs: Any) -> Any:
        if _MasterState.folder is None or not str(address).startswith(f"ipc://{_MasterState.folder}/"):
            _exit_with_error(
                f"BentoML's process manager would listen on {address}, where any local user can control it."
            )
        return original(self, address, *args, **kwargs)

    return bind


def _exit_with_error(message: str) -> NoReturn:
    print(f"error {message}", file=sys.stderr, flush=True)  # noqa: T201 - one line for a person, before any log is set up
    if _MasterState.folder is not None:
        _remove_if_same_process(_MasterState.folder, os.getpid())
    os._exit(1)  # circus runs this in a callback of its loop, which would swallow SystemExit
