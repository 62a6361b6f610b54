"""Names that are stored: in databases, spools, events, bundles and files."""

from __future__ import annotations

import ast
import base64
import dataclasses
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Table

from tests.support.records import SEAL, record
from tests.support.source_tree import (
    called_name,
    definition,
    literals,
    modules_with,
    nodes,
    packages,
)

WHEN = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
MASKED = (
    "Where is my order [ORDER_1]?",
    "I want my money back! This is the third time.",
    "Mein Paket ist nicht da, bitte an [EMAIL_1] schreiben.",
    "Où est mon colis ?",
)
TEXT = "Call Anna on +49 170 1234567 or mail anna@example.com; card 4111 1111 1111 1111, order A-48213-77."


def tables() -> Iterator[str]:
    """Tables of the database and of the spool: columns, keys and indexes."""
    names = {
        id(value): value
        for module in modules_with("Table(", "sqlalchemy")
        for value in vars(module).values()
        if _is_table(value)
    }
    for table in names.values():
        for column in table.columns:
            null = "null" if column.nullable else "not null"
            yield f"{table.name}.{column.name}: {column.type} {null}"
        yield f"{table.name}: primary key {', '.join(column.name for column in table.primary_key)}"
        yield from (f"{table.name}: index {index.name}" for index in table.indexes)


def _is_table(value: object) -> bool:
    return isinstance(value, Table)


def migrations() -> Iterator[str]:
    """Revisions from the first to the last."""
    following: dict[str | None, str] = {}
    for package in packages():
        for file in package.rglob("migrations/versions/*.py"):
            assigned = dict(_assigned(ast.parse(file.read_text(encoding="utf-8"))))
            following[assigned["down_revision"]] = assigned["revision"]
    revision: str | None = None
    while (next_revision := following.pop(revision, None)) is not None:
        yield f"{next_revision} after {revision}"
        revision = next_revision
    assert not following, f"revisions outside of the chain: {sorted(following.values())}"


def _assigned(module: ast.Module) -> Iterator[tuple[str, Any]]:
    for statement in module.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            yield from (
                (target.id, statement.value.value) for target in statement.targets if isinstance(target, ast.Name)
            )
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.value, ast.Constant):
            yield ast.unparse(statement.target), statement.value.value


def stored_json() -> Iterator[str]:
    """Keys of stored JSON: rows in the spool, events in the outbox, audit details, checkpoints."""
    full_record = dataclasses.replace(
        record(), claim=definition("Claim", "frontdesk")("claim", "key", "fingerprint", "database")
    )
    full_record = dataclasses.replace(full_record, query=dataclasses.replace(full_record.query, session_id="session-1"))
    maker = definition("RowBuilder")(
        SEAL, ("file",), audit=definition("AuditKey")(b"k" * 32).answer_entry, fingerprint=lambda _: "hash"
    )
    rows = json.loads(maker.rows(full_record).to_json())
    yield from _keys(rows, "spool")
    yield from _keys(json.loads(rows["audited"][0]["details"]), "audit details")
    for name, event in _events(full_record):
        yield f"event {name}: {event.type}"
        yield from _keys(json.loads(event.line()), f"event {name}")
    yield from (f"checkpoint.{field.name}" for field in dataclasses.fields(definition("Checkpoint")))


def _events(kept: Any) -> Iterator[tuple[str, Any]]:
    without_reply = dataclasses.replace(kept, answer=dataclasses.replace(kept.answer, reply=None))
    labels = dict.fromkeys(("query_id", "intent", "sentiment", "priority", "reply"), "x")
    row = {"id": "1", "tenant": "acme", "customer_id": "7", "satisfaction": 2, "created_at": WHEN, **labels}
    erased = definition("ErasedQuery")("1", "7", ("2",))
    yield "answered", definition("answered_event")(kept)
    yield "understood", definition("answered_event")(without_reply)
    yield "feedback", definition("feedback_event")(row, [row])
    yield "customer erased", definition("erased_event")("1", "acme", "7", WHEN)
    yield "queries erased", definition("queries_erased_event")("1", "acme", "7", [erased], WHEN)


def _keys(value: object, path: str) -> Iterator[str]:
    """The path of each key, [] for the items of a list. Keys below `scores` and `timings_ms` are labels, not names."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield f"{path}.{key}"
            yield from _keys(inner, f"{path}.{key}")
    if isinstance(value, list) and value:
        yield from _keys(value[0], f"{path}[]")


def bundle() -> Iterator[str]:
    """The manifest, and what enters the fingerprint of features, which a server compares with its bundle."""
    yield from (f"manifest.{field.name}" for field in dataclasses.fields(definition("Manifest")))
    yield f"format: {definition('Manifest').__dataclass_fields__['format'].default}"
    masking_version = definition("MASKING_VERSION")
    vectoriser = definition("Vectoriser").fit(MASKED, min_documents=1)
    projection = (np.arange(vectoriser.size * 3, dtype=np.float32) % 7 / 8).reshape(-1, 3)
    row = definition("FeatureExtractor")(vectoriser, projection, masking_version)
    yield f"masking version: {masking_version}"
    yield f"tokeniser version: {definition('TOKENISER_VERSION')}"
    yield f"masked: {definition('mask')(TEXT).text}"
    yield from (f"column: {name}" for name in row.names)
    yield f"fingerprint: {row.fingerprint()}"


def files() -> Iterator[str]:
    """Names of files and folders below `home`, `run` and the keys; {} is a computed part."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "keys"
        key = base64.urlsafe_b64encode(bytes(range(32))).decode()
        definition("install_keys_from_env")(folder, dict.fromkeys(definition("KEY_VARIABLES"), key))
        definition("load_signer")(folder)
        yield from (f"keys/{file.name}" for file in sorted(folder.iterdir()))
    home = definition("Settings")(home=Path("home"))
    for derived in ("events_file", "database_url", "tracking_uri", "keys", "bundles", "engines", "run"):
        yield f"{derived}: {getattr(home, derived)}"
    for node in nodes():
        yield from (f"path: {text}" for text in _path_part(node) if text.strip("{}"))


def _path_part(node: ast.AST) -> list[str]:
    """The text that is joined to a path, and constants for file names, except for files next to the code."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        left = ast.unparse(node.left)
        is_of_code = any(name in left for name in ("__file__", "PROJECT", "ROOT", "STARTER", "CODE", "MIGRATIONS"))
        return [] if is_of_code else literals(node.right)
    if isinstance(node, ast.Call) and called_name(node) in ("with_suffix", "with_name"):
        return [f"*{text}" for argument in node.args for text in literals(argument)]
    if isinstance(node, ast.Assign) and re.search(r"FILE|SIGNATURE|POINTER|HISTORY", ast.unparse(node.targets[0])):
        return [text for text in literals(node.value) if re.fullmatch(r"[\w.{}-]+", text)]
    return []
