"""The settings that all processes of one server share, in `run/PID/pinned.json`. The master writes, workers read.

The master resolves them once. A worker that is started later, for example to replace a dead one, therefore serves the
same bundle in the same precision, even if another bundle has been promoted. One environment variable has the path of
the file. Other settings are loaded by each process.
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bentoml import server_context
from pydantic import TypeAdapter, ValidationError

from frontdesk.config import PINNED_RUN_VARIABLE, Settings, load_settings
from frontdesk.errors import ConfigurationError
from frontdesk.private_files import open_secret, replace_file
from runners.models.onnx_encoder import Precision
from runners.services.process_manager import stop_server

FILE_NAME = "pinned.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedRun:
    """One run of a server.

    Attributes:
        home: absolute path. A Bento does not use the home of its configuration file.
        bundle: the folder of the verified bundle.
        bundle_keys: public keys of the machines whose signed bundles are trusted.
        precision: the precision in which the bundle reproduced its golden rows.
        sockets: the private folder of the server's unix sockets.
    """

    home: Path
    bundle: Path
    bundle_keys: tuple[str, ...]
    precision: Precision
    sockets: Path

    def apply_to(self, settings: Settings) -> Settings:
        """Return the settings with the pinned values."""
        model = settings.model.model_copy(update={"bundle": self.bundle, "precision": self.precision})
        security = settings.security.model_copy(update={"bundle_keys": self.bundle_keys})
        return settings.model_copy(update={"home": self.home, "model": model, "security": security})


_PINNED_RUN = TypeAdapter(PinnedRun)


def pin_run(pinned: PinnedRun, folder: Path) -> None:
    """Write the file to the master's run `folder` and pass its path to child processes. It is removed at exit."""
    file = folder / FILE_NAME
    with replace_file(file, sync=False) as draft:
        draft.write(_PINNED_RUN.dump_json(pinned))
    atexit.register(_remove_if_same_process, file, os.getpid())
    os.environ[PINNED_RUN_VARIABLE] = str(file)


def read_pinned_run() -> PinnedRun | None:
    """Return the run of this worker; None in a master, and if the master has pinned nothing.

    Raises:
        UnsafeFileOwnershipError: another user could have written the file.
        ConfigurationError: the file is missing, accessible to other users, or damaged.
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
    """Load the settings of this process once, with the pinned values of its master. Also returns the pinned run.

    A worker that cannot read the pinned run stops the server.

    Raises:
        ConfigurationError: as `load_settings`.
    """
    settings = load_settings()
    try:
        pinned = read_pinned_run()
    except ConfigurationError as error:
        stop_server(error)
    return (settings if pinned is None else pinned.apply_to(settings)), pinned


def _remove_if_same_process(file: Path, pid: int) -> None:
    if os.getpid() == pid:
        file.unlink(missing_ok=True)
