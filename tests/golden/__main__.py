"""Record a server's responses to 500 fixed messages and to bad requests, or compare them with a recording.

    python -m tests.golden record FILE [--bundle FOLDER] [--checkout FOLDER]
    python -m tests.golden compare FILE [--bundle FOLDER] [--checkout FOLDER]

The messages go over HTTP, in batches, over gRPC and over the Open Inference Protocol. Two recordings of one commit are
byte-equal. To compare two commits, record the old one with --checkout (`git worktree add FOLDER COMMIT`), and compare
in the new one on the same day: replies depend on the date on which a passage holds. `record` keeps a copy of the bundle
beside FILE, which `compare` serves. The exit code of `compare` is 1 if a field differs.
"""

# ruff: noqa: T201 - a program that prints
from __future__ import annotations

import argparse
import itertools
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.golden import recording
from tests.golden.exchange import Sender
from tests.support.bundle_cache import cached_bundle
from tests.support.serving import PROJECT, Server, home_with

SHOWN = 20
SETTINGS = {
    "workers": 1,
    "model__cached_texts": 0,
    "storage__commit_budget_s": 5.0,
    "storage__history_timeout_s": 5.0,
}
"""One worker and no cache: answers do not depend on the order of work. Long times: no part is skipped."""


@dataclass(frozen=True, slots=True)
class BundleFolder:
    """A bundle for `home_with`: its folder is named after its version."""

    path: Path

    @property
    def version(self) -> str:
        return self.path.name

    @property
    def members(self) -> list[str]:
        manifest = json.loads((self.path / "manifest.json").read_text(encoding="utf-8"))
        return list(manifest["members"])


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.golden", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=("record", "compare"))
    parser.add_argument("file", type=Path, help="the recording")
    parser.add_argument("--bundle", type=Path, help="folder of the bundle; default: the copy beside FILE, else cached")
    parser.add_argument("--checkout", type=Path, default=PROJECT, help="serve this checkout's code")
    arguments = parser.parse_args()
    started = time.monotonic()
    work = record if arguments.verb == "record" else compare
    code = work(arguments.file.absolute(), arguments.bundle, arguments.checkout.absolute())
    print(f"{time.monotonic() - started:.0f} s")
    return code


def record(file: Path, folder: Path | None, checkout: Path) -> int:
    bundle = _bundle(folder)
    if folder is None:
        shutil.rmtree(_copies(file), ignore_errors=True)
        shutil.copytree(bundle.path, _copies(file) / bundle.version)
    with _sender(bundle, checkout) as sender:
        requests = recording.planned_requests(bundle.members)
        count = recording.write(file, bundle.version, recording.exchanges(requests, sender))
    print(f"{count} exchanges with bundle {bundle.version} of {bundle.path} are in {file}")
    return 0


def compare(file: Path, folder: Path | None, checkout: Path) -> int:
    version, recorded = recording.read(file)
    copied = next(_copies(file).glob("*/"), None) if folder is None else None
    bundle = _bundle(folder or copied)
    if bundle.version != version:
        print(f"{file} was recorded with bundle {version}, not {bundle.version}: name its folder with --bundle")
        return 2
    with _sender(bundle, checkout) as sender:
        responses_now = recording.exchanges([request for request, _ in recorded], sender)
        differing = list(recording.differences([response for _, response in recorded], responses_now))
    for difference in itertools.islice(differing, SHOWN):
        print(difference)
    if len(differing) > SHOWN:
        print(f"... and {len(differing) - SHOWN} more")
    exchanges = len({difference.exchange for difference in differing})
    print(f"{len(differing)} fields differ in {exchanges} of {len(recorded)} exchanges with bundle {version}")
    return 1 if differing else 0


def _copies(file: Path) -> Path:
    """The folder in which `record` keeps the bundle."""
    return file.with_name(f"{file.name}.bundle")


def _bundle(folder: Path | None) -> BundleFolder:
    """The bundle of `folder`, or the small one that tests train once per checkout."""
    return BundleFolder(cached_bundle().path if folder is None else folder.absolute())


@contextmanager
def _sender(bundle: BundleFolder, checkout: Path) -> Iterator[Sender]:
    """A server with the code of `checkout` and a new home."""
    settings: dict[str, Any] = dict(SETTINGS)
    with tempfile.TemporaryDirectory(prefix="frontdesk-golden-") as folder:
        home = home_with(bundle, Path(folder) / "home")  # type: ignore[arg-type] # path and version are all it needs
        variables = {"PYTHONPATH": str(checkout)}
        with (
            Server(home, cwd=checkout, variables=variables, **settings) as server,
            closing(Sender(server)) as sender,
        ):
            yield sender


if __name__ == "__main__":
    sys.exit(main())
