"""A recording: every request with its normalised response, one JSON line each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.golden.exchange import GrpcRequest, HttpRequest, Request, Sender, request_of
from tests.golden.messages import CONVERSATIONS, messages
from tests.golden.refusals import refused_requests

REMOVED_FIELDS = (
    "query_id",
    "id",
    "event_id",
    "feedback_id",
    "created_at",
    "received_at",
    "erased_at",
    "response_time_ms",
    "next_cursor",
)
"""Fields of bodies that differ from one run to the next: ids, times and the cursor of the next page."""
REMOVED_TEXT = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
"""UUIDs inside of other texts, such as the address of a stored answer, are written as <id>."""
REMOVED_VALUES = ("timings_ms",)
"""Objects of which only the names remain: the stages of an answer."""
REMOVED_HEADERS = ("date", "x-request-id", "x-bentoml-request-id", "content-length", "retry-after")
REMOVED_DETAILS = ("type.googleapis.com/google.rpc.RetryInfo",)
"""Types of gRPC error details that hold a time."""
BATCH = 16
OF_MEMBERS = 48
"""Number of texts that each base model gets by its own name over the Open Inference Protocol."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of a response that is not as recorded. `exchange` is the number of its line, from 1."""

    exchange: int
    request: str
    field: str
    recorded: object
    actual: object

    def __str__(self) -> str:
        return f"{self.exchange} {self.request}: {self.field}: {_short(self.recorded)} -> {_short(self.actual)}"


def planned_requests(members: Iterable[str]) -> Iterator[Request]:
    """All requests in their order: every message over each API, reads of stored answers, then refused requests.

    Args:
        members: names of the base models of the served bundle.
    """
    queries = messages()
    turns = sum(map(len, CONVERSATIONS))
    for query in queries:
        yield HttpRequest("POST", "/v1/queries", body=_json(query))
    yield from _reads(first=len(queries) - turns + 1, last=len(queries))
    for query in queries:
        yield HttpRequest("POST", "/v1/understand", body=_json(query))
        yield GrpcRequest("Understand", _message(query))
    for query in queries[-60:]:
        yield GrpcRequest("Answer", _message(query))
        yield GrpcRequest("AnswerStream", _message(query))
        yield HttpRequest("POST", "/v1/queries/stream", body=_json(query))
        yield HttpRequest("POST", "/understand", body=_json(query))
        yield HttpRequest("POST", "/answer", body=_json(query))
    for start in range(0, len(queries), BATCH):
        part = queries[start : start + BATCH]
        yield HttpRequest("POST", "/v1/understand/batch", body=_json({"queries": part}))
        yield GrpcRequest("UnderstandBatch", {"queries": [_message(query) for query in part]})
        yield _inference("ensemble", part)
    for member in members:
        for start in range(0, OF_MEMBERS, BATCH):
            yield _inference(member, queries[start : start + BATCH])
    yield from refused_requests()


def _reads(first: int, last: int) -> Iterator[Request]:
    """Stored answers, histories, lists and feedback, of the exchanges from `first` to `last`."""
    for exchange in range(first, last + 1):
        yield HttpRequest("GET", f"/v1/queries/{{id:{exchange}}}")
    feedback = _json({"intent": "get_refund", "reply": "edited", "satisfaction": 2})
    yield HttpRequest("POST", f"/v1/queries/{{id:{first}}}/feedback", body=feedback)
    for customer in range(len(CONVERSATIONS)):
        yield HttpRequest("GET", f"/v1/customers/golden-customer-{customer}/history")
        yield HttpRequest("GET", f"/v1/queries?customer_id=golden-customer-{customer}&limit=2")
    keyed = (("content-type", "application/json"), ("idempotency-key", "golden-1"))
    for text in ("Where is my parcel?", "Where is my parcel?", "Another text under the same key"):
        yield HttpRequest("POST", "/v1/queries", keyed, _json({"text": text}))


def _inference(model: str, queries: list[dict[str, Any]]) -> HttpRequest:
    texts = [query["text"] for query in queries]
    tensor = {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts}
    return HttpRequest("POST", f"/v2/models/{model}/infer", body=_json({"id": "golden", "inputs": [tensor]}))


def _message(query: Mapping[str, Any]) -> dict[str, Any]:
    """The query as the JSON form of its gRPC message: enumerations have their own names."""
    prefixes = {"channel": "CHANNEL_", "customer_tier": "CUSTOMER_TIER_"}
    enumerations = {name: prefix + query[name].upper() for name, prefix in prefixes.items() if name in query}
    return {**query, **enumerations}


def exchanges(requests: Iterable[Request], sender: Sender) -> Iterator[tuple[Request, dict[str, Any]]]:
    """Send the requests one after another; each with its normalised response."""
    ids: dict[str, str] = {}
    for number, request in enumerate(requests, 1):
        response = sender.send(request, ids)
        body = response.get("body")
        if isinstance(body, dict) and isinstance(query_id := body.get("query_id"), str):
            ids[str(number)] = query_id
        yield request, normalised(response)


def normalised(response: Mapping[str, Any]) -> dict[str, Any]:
    """The response without `REMOVED_HEADERS` and, in its body and details, without the removed fields."""
    headers = {name: value for name, value in response.get("headers", {}).items() if name not in REMOVED_HEADERS}
    return {**_without(response), "headers": headers} if "headers" in response else _without(response)


def _without(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: sorted(inner) if key in REMOVED_VALUES and isinstance(inner, Mapping) else _without(inner)
            for key, inner in value.items()
            if key not in REMOVED_FIELDS
        }
    if isinstance(value, list):
        details = (
            inner for inner in value if not (isinstance(inner, Mapping) and inner.get("@type") in REMOVED_DETAILS)
        )
        return [_without(inner) for inner in details]
    return re.sub(REMOVED_TEXT, "<id>", value) if isinstance(value, str) else value


def write(file: Path, bundle: str, exchange_pairs: Iterable[tuple[Request, dict[str, Any]]]) -> int:
    """Write a recording of a server with this bundle version; the number of exchanges."""
    count = 0
    with file.open("w", encoding="utf-8") as lines:
        removed = [*REMOVED_FIELDS, REMOVED_TEXT, *REMOVED_VALUES, *REMOVED_HEADERS, *REMOVED_DETAILS]
        lines.write(_line({"bundle": bundle, "removed": removed}))
        for request, response in exchange_pairs:
            lines.write(_line({"request": request.to_json(), "response": response}))
            count += 1
    return count


def read(file: Path) -> tuple[str, list[tuple[Request, dict[str, Any]]]]:
    """The bundle version of a recording, and its exchanges."""
    head, *lines = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
    return head["bundle"], [(request_of(line["request"]), line["response"]) for line in lines]


def differences(
    recorded: Iterable[dict[str, Any]], actual: Iterable[tuple[Request, dict[str, Any]]]
) -> Iterator[Difference]:
    """Every field that differs, in the order of the exchanges."""
    for number, (response, (request, response_now)) in enumerate(zip(recorded, actual, strict=True), 1):
        for path, before, now in _differing(response, json.loads(json.dumps(response_now)), ""):
            yield Difference(number, _name(request), path, before, now)


def _differing(recorded: Any, actual: Any, path: str) -> Iterator[tuple[str, object, object]]:
    if isinstance(recorded, dict) and isinstance(actual, dict):
        for key in dict.fromkeys((*recorded, *actual)):
            yield from _differing(recorded.get(key, ABSENT), actual.get(key, ABSENT), f"{path}.{key}".lstrip("."))
    elif isinstance(recorded, list) and isinstance(actual, list) and len(recorded) == len(actual):
        for index, (before, now) in enumerate(zip(recorded, actual, strict=True)):
            yield from _differing(before, now, f"{path}[{index}]")
    elif recorded != actual:
        yield path, recorded, actual


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()


def _name(request: Request) -> str:
    return f"gRPC {request.method}" if isinstance(request, GrpcRequest) else f"{request.method} {request.path[:60]}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=True) + "\n"
