"""`frontdesk ARGUMENTS` in the process of the tests: the real entry point, without a new interpreter and its imports.

A command that starts servers, leaves the current directory or depends on the interpreter's own options needs a process:
see `tests.support.serving.frontdesk`, which has the same signature.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from prometheus_client import REGISTRY

from cli.main import run
from tests.support.serving import environment


def invoke(home: Path, *arguments: str, stdin: str = "", **settings: object) -> subprocess.CompletedProcess[str]:
    """Run `frontdesk ARGUMENTS` and return what a process of its own would: exit code, output and errors.

    An exception that the command does not handle is raised here; a process would print a traceback.
    """
    output, errors = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with (
        patch.dict(os.environ, {"COLUMNS": "80", **environment(home, **settings)}, clear=True),
        patch.object(sys, "argv", ["frontdesk", *arguments]),
        patch.object(sys, "path", [*sys.path]),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")),
        redirect_stdout(output),
        redirect_stderr(errors),
        _umask_restored(),
        _metrics_of_its_own(),
    ):
        code = _exit_code()
    return subprocess.CompletedProcess(arguments, code, _text(output), _text(errors))


def _exit_code() -> int:
    try:
        run()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


@contextmanager
def _umask_restored() -> Iterator[None]:
    before = os.umask(0o022)
    os.umask(before)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _metrics_of_its_own() -> Iterator[None]:
    """Metrics that the command registers are gone afterwards, so that the next command can register them again."""
    before = set(REGISTRY._collector_to_names)
    try:
        yield
    finally:
        for collector in set(REGISTRY._collector_to_names) - before:
            REGISTRY.unregister(collector)


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
