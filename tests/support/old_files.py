"""Fixtures of tests/integration/test_old_files.py: the databases of a small home as text, with keys that are public.

    python -m tests.support.old_files     writes tests/integration/old_files

A released file stays as it is: write a new folder only for a new format, and keep the old one. Run it under another
host name (`unshare --uts`), because the audit log holds the name.
"""

from __future__ import annotations

import base64
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from tests.support.bundle_cache import cached_bundle
from tests.support.serving import PROJECT, home_with
from tests.upgrade.checkout import OldCode
from tests.upgrade.database import Database
from tests.upgrade.old_state import create_old_state

FOLDER = PROJECT / "tests" / "integration" / "old_files"
FAKE_KEYS: Mapping[str, bytes] = {
    "signing.key": bytes(range(32)),
    "sealing.key": bytes(range(32, 64)),
    "audit.key": bytes(range(64, 96)),
    "erasure.key": bytes(range(96, 128)),
}
"""Counting bytes, which are no secrets: they make encrypted values and the audit log of the fixtures readable."""
DATABASES = {"database.sql": "frontdesk.db", "spool.sql": "spool.db"}
COPIED = ("audit-checkpoints.jsonl",)


def write_fake_keys(home: Path) -> None:
    keys = home / "keys"
    keys.mkdir(mode=0o700, parents=True)
    for name, key in FAKE_KEYS.items():
        (keys / name).write_bytes(base64.urlsafe_b64encode(key).rstrip(b"=") + b"\n")
        (keys / name).chmod(0o600)


def restore_home(home: Path) -> None:
    """A home with the databases, files and keys of the fixtures."""
    write_fake_keys(home)
    for text, database in DATABASES.items():
        with closing(sqlite3.connect(home / database)) as connection:
            connection.executescript((FOLDER / text).read_text(encoding="utf-8"))
    for name in COPIED:
        shutil.copy(FOLDER / name, home / name)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="frontdesk-old-files-") as folder:
        bundle = cached_bundle()
        home = home_with(bundle, Path(folder) / "home")
        write_fake_keys(home)
        create_old_state(OldCode(PROJECT, Path(sys.executable), "the present one"), Database(home), bento="none")
        for text, database in DATABASES.items():
            with closing(sqlite3.connect(home / database)) as connection:
                (FOLDER / text).write_text("\n".join(connection.iterdump()) + "\n", encoding="utf-8")
        for name in COPIED:
            shutil.copy(home / name, FOLDER / name)
        for name in ("manifest.json", "manifest.sig"):
            shutil.copy(home / "bundles" / bundle.version / name, FOLDER / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
