"""The import path of a served Bento."""

from __future__ import annotations

import sys

from frontdesk.config import PROJECT


def keep_code_importable() -> None:
    """Keep this code on `sys.path` for later imports and for processes that `multiprocessing` spawns.

    BentoML puts the folder of a Bento's code on the path while it imports the service, and removes one entry of it
    afterwards. A second entry stays.
    """
    sys.path.insert(0, str(PROJECT))
