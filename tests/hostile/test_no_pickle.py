"""Serving never unpickles data, so a pickle in a model or a row cannot run code.

BentoML and other libraries import the module `pickle`, but must not use it. CPython notifies an audit hook of each
class that an unpickler looks up (`pickle.find_class`), and every harmful payload needs a class.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.support.serving import PROJECT, environment

SERVING = ("frontdesk", "model_store", "runners", "bentos", "cli")
UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "torch"}
ALLOWED = {"torch": {"cli", "runners"}}  # only to report its version; enforced by the import contracts

PROGRAM = """
import asyncio, sys
found = []
sys.addaudithook(lambda event, arguments: found.append(arguments) if event == "pickle.find_class" else None)
from bentos.wiring.worker import open_worker
from frontdesk.config import load_settings
from frontdesk.deadline import Deadline
from frontdesk.types import Caller, Query
worker = open_worker(load_settings())
caller = Caller("acme", "tester", frozenset({"answer"}))

async def ask():
    for text in ("Where is my parcel?", "I want my money back, order 4711"):
        await worker.models.pipeline.answer(Query(text), caller, Deadline.after(30))
    await worker.close()

asyncio.run(ask())
assert found == [], found
import pickle, collections
pickle.loads(pickle.dumps(collections.OrderedDict()))
assert found, "the hook hears nothing"
print("nothing was unpickled")
"""


def test_nothing_is_unpickled_while_a_worker_opens_and_answers(home: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT,
        env=environment(home) | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (process.returncode, process.stdout.strip()) == (0, "nothing was unpickled"), process.stderr


def test_no_code_that_serves_imports_an_unpickler() -> None:
    imports = [
        f"{path.relative_to(PROJECT)}: {name}"
        for package in SERVING
        for path in (PROJECT / package).rglob("*.py")
        for name in imported(path)
        if name in UNPICKLERS and package not in ALLOWED.get(name, ())
    ]
    assert imports == []


def imported(path: Path) -> set[str]:
    """Top-level names of all imports of a file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names
