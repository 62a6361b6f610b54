"""Names that clients use: of HTTP, gRPC, the command line and BentoML."""

from __future__ import annotations

import ast
import dataclasses
import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer
import yaml
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from pydantic import TypeAdapter

from tests.support.source_tree import (
    PROJECT,
    definition,
    literals,
    nodes,
    packages,
    project_file,
)


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
    yield f"{definition('internal_error_problem')()['type']}: 500"


def _subclasses(base: type[Any]) -> Iterator[Any]:
    for subclass in base.__subclasses__():
        if hasattr(subclass, "kind"):
            yield subclass
        yield from _subclasses(subclass)


def scopes() -> Iterator[str]:
    yield from definition("SCOPES")


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
    selected = ((field.name, getattr(value, field.name)) for field in fields if getattr(value, field.name))
    return ", ".join(name if content is True else f"{name} {content}" for name, content in selected) or "open"


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
