"""The import path of a served Bento."""

from __future__ import annotations

import sys

from frontdesk.config import PROJECT


def keep_code_importable() -> None:
    """Keep this code on `sys.path` for later imports and for processes that `multiprocessing` spawns.

    BentoML inserts the folder of a Bento's code while it imports the service and removes one such entry afterwards.
    This function inserts a second entry, which remains.
    """
    sys.path.insert(0, str(PROJECT))
