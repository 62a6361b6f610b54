"""The facts that all processes of one server share, in `run/PID/pinned.json`: written by the master, read by workers.

The master resolves them once, so a worker that is started later, also in place of a dead one, serves the same bundle in
the same precision, whatever was promoted meanwhile. One environment variable names the file. Settings that are not
pinned are loaded by each process.
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bentoml import server_context
from pydantic import TypeAdapter, ValidationError

from frontdesk.config import PINNED_RUN_VARIABLE, Settings, load
from frontdesk.errors import ConfigurationError
from frontdesk.private_files import open_secret, replace_file
from runners.models.onnx_encoder import Precision
from runners.services.process_manager import stop_server

FILE_NAME = "pinned.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedRun:
    """One run of a server.

    Attributes:
        home: absolute; a Bento's is not that of its configuration file.
        bundle: the folder of the verified bundle.
        bundle_keys: public keys of the machines whose signed bundles are trusted.
        precision: in which the bundle reproduced its golden rows.
        sockets: the private folder of the server's unix sockets.
    """

    home: Path
    bundle: Path
    bundle_keys: tuple[str, ...]
    precision: Precision
    sockets: Path

    def apply_to(self, settings: Settings) -> Settings:
        """The settings of a process of this run."""
        model = settings.model.model_copy(update={"bundle": self.bundle, "precision": self.precision})
        security = settings.security.model_copy(update={"bundle_keys": self.bundle_keys})
        return settings.model_copy(update={"home": self.home, "model": model, "security": security})


_PINNED_RUN = TypeAdapter(PinnedRun)


def pin_run(pinned: PinnedRun, folder: Path) -> None:
    """Write the file into the master's run `folder` and name it to child processes; it is removed at exit."""
    file = folder / FILE_NAME
    with replace_file(file, sync=False) as draft:
        draft.write(_PINNED_RUN.dump_json(pinned))
    atexit.register(_remove, file, os.getpid())
    os.environ[PINNED_RUN_VARIABLE] = str(file)


def read_pinned_run() -> PinnedRun | None:
    """The run of which this process is a worker; None in a master, and where the master pins nothing.

    Raises:
        UntrustedFileError: another user could have written the file.
        ConfigurationError: it is missing, open to other users, or damaged.
    """
    name = os.environ.get(PINNED_RUN_VARIABLE)
    if name is None or server_context.worker_index is None:
        return None
    try:
        with open_secret(Path(name), name) as file:
            return _PINNED_RUN.validate_json(file.read())
    except OSError as error:
        raise ConfigurationError(f"{name} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        raise ConfigurationError(f"{name} is damaged: {error.errors()[0]['msg']}.") from None


@cache
def load_run_settings() -> tuple[Settings, PinnedRun | None]:
    """This process's settings, loaded once, with what its master has pinned; and the pinned facts by themselves.

    A worker that cannot read the pinned facts stops the server.

    Raises:
        ConfigurationError: as `load`.
    """
    settings = load()
    try:
        pinned = read_pinned_run()
    except ConfigurationError as error:
        stop_server(error)
    return (settings if pinned is None else pinned.apply_to(settings)), pinned


def _remove(file: Path, pid: int) -> None:
    if os.getpid() == pid:
        file.unlink(missing_ok=True)
