"""Names that are stored or public: tables, JSON keys, metrics, routes, settings, commands and others.

    python -m tests.unit.stable_names     writes stable_names.yaml

`collect` reads them from the code. A database, a bundle, a client, a dashboard or a script of a user depends on each of
them, so a change needs a reviewer's consent, which the change of stable_names.yaml shows.
"""

from __future__ import annotations

import ast
import base64
import dataclasses
import importlib
import inspect
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import typer
import yaml
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import Table

from tests.support.records import SEAL, record
from tests.support.source_tree import (
    PROJECT,
    called_name,
    definition,
    literals,
    modules_with,
    nodes,
    packages,
    project_file,
    sources,
)

FILE = Path(__file__).with_suffix(".yaml")
WHEN = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
MASKED = (
    "Where is my order [ORDER_1]?",
    "I want my money back! This is the third time.",
    "Mein Paket ist nicht da, bitte an [EMAIL_1] schreiben.",
    "Où est mon colis ?",
)
TEXT = "Call Anna on +49 170 1234567 or mail anna@example.com; card 4111 1111 1111 1111, order A-48213-77."
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")


def collect() -> dict[str, list[str]]:
    """All names, by kind."""
    return {kind: list(collector()) for kind, collector in COLLECTORS.items()}


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
    maker = definition("RowMaker")(
        SEAL, ("file",), audit=definition("AuditKey")(b"k" * 32).answered, fingerprint=lambda _: "hash"
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


def answer() -> Iterator[str]:
    """Fields of an answer, as it is stored and sent, with the values of enumerations."""
    yield from _schema_fields(TypeAdapter(definition("Answer")).json_schema(mode="serialization"), "answer")


def requests() -> Iterator[str]:
    """Fields of the bodies that the HTTP API takes."""
    for name in ("QueryIn", "BatchIn", "FeedbackIn", "RevokeIn"):
        yield from _schema_fields(definition(name).model_json_schema(), name.removesuffix("In").lower())


def _schema_fields(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """Flatten a JSON schema to one line for each property."""
    definitions = schema.get("$defs", {})

    def walk(part: Mapping[str, Any], path: str) -> Iterator[str]:
        part = definitions[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        if values := part.get("enum"):
            yield f"{path}: {', '.join(map(str, values))}"
        for name, inner in part.get("properties", {}).items():
            yield f"{path}.{name}"
            yield from walk(inner, f"{path}.{name}")
        for inner in part.get("anyOf", ()):
            yield from walk(inner, path)
        if isinstance(part.get("items"), Mapping):
            yield from walk(part["items"], f"{path}[]")

    yield from walk(schema, path)


def bundle() -> Iterator[str]:
    """The manifest, and what enters the fingerprint of features, which a server compares with its bundle."""
    yield from (f"manifest.{field.name}" for field in dataclasses.fields(definition("Manifest")))
    yield f"format: {definition('Manifest').__dataclass_fields__['format'].default}"
    masking_version = definition("MASKING_VERSION")
    vectoriser = definition("Vectoriser").fit(MASKED, min_documents=1)
    projection = (np.arange(vectoriser.size * 3, dtype=np.float32) % 7 / 8).reshape(-1, 3)
    row = definition("FeatureRow")(vectoriser, projection, masking_version)
    yield f"masking version: {masking_version}"
    yield f"tokeniser version: {definition('TOKENISER_VERSION')}"
    yield f"masked: {definition('mask')(TEXT).text}"
    yield from (f"column: {name}" for name in row.names)
    yield f"fingerprint: {row.fingerprint()}"


def metrics() -> Iterator[str]:
    """Metric families with type and label names, of every class that registers them."""
    for family in (family for registry in _registries() for family in registry._collector_to_names):
        (described,) = family.describe()  # type: ignore[attr-defined]
        yield f"{described.name} ({described.type}): {', '.join(family._labelnames) or 'no label'}"  # type: ignore[attr-defined]


def _registries() -> Iterator[CollectorRegistry]:
    for module in modules_with("prometheus_client import"):
        for value in vars(module).values():
            if inspect.isclass(value) and value.__module__ == module.__name__ and not value.__name__.startswith("_"):
                parameters = inspect.signature(value).parameters
                if "registry" in parameters:
                    registry = CollectorRegistry()
                    required = {name: "x" for name, one in parameters.items() if one.default is one.empty}
                    value(**{**required, "registry": registry})
                    yield registry


def log_lines() -> Iterator[str]:
    """The event of each log line: its first argument, or the format of a sentence."""
    for node in nodes():
        if isinstance(node, ast.Call) and called_name(node) in LEVELS and node.args and _is_logger(node.func):
            for text in literals(node.args[0]):
                fields = [f"{key.arg}=" for key in node.keywords if key.arg and " " not in text]
                yield " ".join([text, *fields])


def _is_logger(function: ast.expr) -> bool:
    owner = function.value if isinstance(function, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id.strip("_") in ("log", "logger")


def audit_actions() -> Iterator[str]:
    """Actions of the audit log: of routes, commands and jobs."""
    for route in definition("ROUTES"):
        if route.audited:
            yield route.audited
            yield f"{route.audited}{definition('OUTCOME')}"
        if route.counted:
            yield route.counted
    for node in nodes():
        if isinstance(node, ast.Call) and called_name(node) in ("note", "note_first", "_entry", "add"):
            yield from (text for text in _second_argument(node) if re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", text))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "action":
            yield from literals(node.value)


def _second_argument(call: ast.Call) -> list[str]:
    return literals(call.args[1]) if len(call.args) > 1 else []


def problems() -> Iterator[str]:
    """Problem types with their HTTP and gRPC status; a class of a kind may have a status of its own."""
    base, problem, grpc_status = definition("FrontdeskError"), definition("problem"), definition("GRPC_STATUS")
    importlib.import_module(problem.__module__)  # defines further classes
    for kind in _subclasses(base):
        error = kind.__new__(kind)
        error.violations = (("field", "problem"),)
        document = problem(error)
        yield f"{document['type']}: {document['status']} {grpc_status[kind.kind].name}"
        yield from (f"problem.{key}" for key in document)
    yield f"{definition('defect_problem')()['type']}: 500"


def _subclasses(base: type[Any]) -> Iterator[Any]:
    for subclass in base.__subclasses__():
        if hasattr(subclass, "kind"):
            yield subclass
        yield from _subclasses(subclass)


def scopes() -> Iterator[str]:
    yield from definition("SCOPES")


def settings() -> Iterator[str]:
    """Every setting with the type and the value of its default."""
    yield from _settings(definition("Settings")(), "")


def _settings(section: BaseModel, path: str) -> Iterator[str]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _settings(value, f"{path}{name}.")
        elif isinstance(value, Path):
            yield f"{path}{name}: path {value}"
        else:
            yield f"{path}{name}: {type(value).__name__} {value!r}"


def variables() -> Iterator[str]:
    """Environment variables that the code names, their prefix, and the prefixes of keys in Redis."""
    yield from sorted(definition("KEY_VARIABLES"))
    for node in nodes():
        if isinstance(node, ast.Assign) and re.fullmatch(r"_?PREFIX", ast.unparse(node.targets[0])):
            yield from (f"prefix {text}" for text in literals(node.value))
        for text in literals(node) if isinstance(node, ast.Constant) else ():
            if re.fullmatch(r"(FRONTDESK|BENTOML|PROMETHEUS|FORWARDED)_[A-Z0-9_]+", text):
                yield text


def files() -> Iterator[str]:
    """Names of files and folders below `home`, `run` and the keys; {} is a computed part."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "keys"
        key = base64.urlsafe_b64encode(bytes(range(32))).decode()
        definition("place_keys")(folder, dict.fromkeys(definition("KEY_VARIABLES"), key))
        definition("signer")(folder)
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


def services() -> Iterator[str]:
    """The Bento, its service, and the names of all BentoML services."""
    bento = yaml.safe_load((PROJECT / "bentofile.yaml").read_text(encoding="utf-8"))
    yield f"bento: {bento['name']}"
    yield f"service: {bento['service']}"
    yield from (f"variable of the container: {each['name']}={each['value']}" for each in bento["envs"])
    for node in nodes():
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "bentoml.service":
            for key in node.keywords:
                if key.arg == "name":
                    is_constant = isinstance(key.value, ast.Name)
                    names = [definition(ast.unparse(key.value))] if is_constant else literals(key.value)
                    yield from (f"service name: {name}" for name in names)


def grpc_schema() -> Iterator[str]:
    """Services, methods, messages, fields with numbers and types, enumerations."""
    file = FileDescriptorProto()
    (generated,) = [path for package in packages() for path in package.rglob("*_pb2.py")]
    module = importlib.import_module(".".join(generated.relative_to(PROJECT).with_suffix("").parts))
    module.DESCRIPTOR.CopyToProto(file)
    yield f"package {file.package}"
    for service in file.service:
        for method in service.method:
            stream = "stream " if method.server_streaming else ""
            yield f"rpc {service.name}.{method.name}: {method.input_type} -> {stream}{method.output_type}"
    for message in file.message_type:
        yield from (f"{message.name}.{field.name} = {_field(field)}" for field in message.field)
    for enumeration in file.enum_type:
        yield from (f"{enumeration.name}.{value.name} = {value.number}" for value in enumeration.value)


def _field(field: FieldDescriptorProto) -> str:
    kind = field.type_name or FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    label = FieldDescriptorProto.Label.Name(field.label).removeprefix("LABEL_").lower()
    return f"{field.number} {'explicit ' if field.proto3_optional else ''}{label} {kind}"


def routes() -> Iterator[str]:
    """Routes with methods, scope and flags, and the RPCs of all services."""
    for route in definition("ROUTES"):
        yield f"{' '.join(route.methods)} {route.template}: {_properties(route, ('template', 'methods'))}"
    for rpc in definition("RPCS"):
        yield f"rpc {rpc.path}: {_properties(rpc, ('path',))}"


def _properties(value: Any, without: Sequence[str]) -> str:
    fields = (field for field in dataclasses.fields(value) if field.name not in without)
    chosen = ((field.name, getattr(value, field.name)) for field in fields if getattr(value, field.name))
    return ", ".join(name if content is True else f"{name} {content}" for name, content in chosen) or "open"


def commands() -> Iterator[str]:
    """Verbs of the command line with their options and arguments."""
    for name, entry in project_file()["project"]["scripts"].items():
        module, _, function = entry.partition(":")
        yield f"entry {name} = {module}:{function}"
        yield from _command(typer.main.get_command(importlib.import_module(module).app), name)


def _command(command: Any, path: str) -> Iterator[str]:
    yield path
    for parameter in command.params:
        is_argument = parameter.param_type_name == "argument"
        names = [parameter.name.upper()] if is_argument else [*parameter.opts, *parameter.secondary_opts]
        yield f"{path} {'/'.join(names)}"
    for name, inner in getattr(command, "commands", {}).items():
        yield from _command(inner, f"{path} {name}")


COLLECTORS: Mapping[str, Callable[[], Iterator[str]]] = {
    "tables": tables,
    "migrations": migrations,
    "stored JSON": stored_json,
    "answer": answer,
    "requests": requests,
    "bundle": bundle,
    "metrics": metrics,
    "log lines": log_lines,
    "audit actions": audit_actions,
    "problems": problems,
    "scopes": scopes,
    "settings": settings,
    "variables": variables,
    "files": files,
    "services": services,
    "gRPC": grpc_schema,
    "routes": routes,
    "commands": commands,
}
IN_ORDER = ("migrations",)
"""Kinds whose order matters; the others are compared as sets."""


def written() -> dict[str, list[str]]:
    """The content of stable_names.yaml."""
    content: dict[str, list[str]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return content


def settled(kind: str, names: Sequence[str]) -> list[str]:
    """The names as they are written: sorted and without duplicates, unless their order matters."""
    return list(names) if kind in IN_ORDER else sorted(set(names))


def differences(kind: str, expected: Sequence[str], found: Sequence[str]) -> list[str]:
    """One line for each name that is missing from the code or not in the file; empty where both agree."""
    missing = [f"{kind}: missing: {name}" for name in expected if name not in set(found)]
    unexpected = [f"{kind}: unexpected: {name}" for name in found if name not in set(expected)]
    if not missing and not unexpected and kind in IN_ORDER and list(expected) != list(found):
        return [f"{kind}: the order is {list(found)}, not {list(expected)}"]
    return missing + unexpected


def main() -> int:
    content = {kind: settled(kind, names) for kind, names in collect().items()}
    head = "# Names that are stored or public. Written by: python -m tests.unit.stable_names\n"
    FILE.write_text(head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000), encoding="utf-8")
    sys.stdout.write(f"{sum(map(len, content.values()))} names of {len(sources())} modules are in {FILE.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
