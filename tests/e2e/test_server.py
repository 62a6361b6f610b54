"""The running server through its HTTP doors: the contract of each route, as a caller meets it."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import bentoml
import httpx2
import pytest
from bentoml.exceptions import BentoMLException
from prometheus_client.parser import text_string_to_metric_families

from bentos.admission.routes import ROUTES, Route
from frontdesk.types import Action, PriorityLevel, Reason
from model_store.bundle import Bundle
from tests.support.serving import TENANT, Server

TEXT = "Where is my parcel? It should have come on Monday."
PERSONAL = {
    "email": "maria.lindqvist@example.org",
    "order": "48213-7765",
    "card": "4111 1111 1111 1111",
    "iban": "DE89370400440532013000",
}
PERSONAL_TEXT = (
    f"Order #{PERSONAL['order']} never came. Write to {PERSONAL['email']}; "
    f"I paid with {PERSONAL['card']} and want it back to {PERSONAL['iban']}."
)
UNDERSTOOD = {
    "act",
    "message",
    "query_id",
    "intent",
    "sentiment",
    "priority",
    "uncertainty",
    "decision",
    "members",
    "model_version",
    "skipped",
    "timings_ms",
}
SCOPED = [route for route in ROUTES if route.scope is not None]
OPEN = [route for route in ROUTES if route.scope is None]
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx2.Client]:
    with server.client() as opened:
        yield opened


def understood(client: httpx2.Client, text: str = TEXT, **fields: Any) -> dict[str, Any]:
    response = client.post("/v1/understand", json={"text": text, **fields})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def answered(client: httpx2.Client, text: str = TEXT, **fields: Any) -> dict[str, Any]:
    response = client.post("/v1/queries", json={"text": text, **fields})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def row(server: Server, query_id: str) -> dict[str, Any] | None:
    results = server.rows("SELECT * FROM queries WHERE id = ?", query_id)
    return results[0] if results else None


def assert_problem(response: httpx2.Response, status: int, kind: str) -> None:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    problem = response.json()
    assert (problem["status"], problem["type"]) == (status, f"urn:frontdesk:{kind}")
    assert problem["title"]
    assert problem["detail"]


class TestUnderstand:
    def test_an_answer_has_exactly_the_fields_of_the_contract(self, client: httpx2.Client) -> None:
        answer = understood(client)

        assert set(answer) == UNDERSTOOD
        assert set(answer["intent"]) == {"label", "confidence", "candidates", "in_scope", "out_of_scope_probability"}
        assert all(set(candidate) == {"label", "probability"} for candidate in answer["intent"]["candidates"])
        assert set(answer["sentiment"]) == {"label", "confidence", "scores"}
        assert set(answer["priority"]) == {"level", "score", "parts"}
        assert all(set(part) == {"name", "points", "because"} for part in answer["priority"]["parts"])
        assert set(answer["uncertainty"]) == {"score", "epistemic", "aleatoric", "method"}
        question = {"question"} if answer["decision"]["action"] == "clarify" else set()
        assert set(answer["decision"]) == {"action", "reasons", "suggested_actions", "asks_about", "actions"} | question
        assert all(set(member) == {"name", "intent", "confidence"} for member in answer["members"])

    def test_the_figures_of_an_answer_agree_with_each_other(self, client: httpx2.Client, tiny_bundle: Bundle) -> None:
        answer = understood(client)
        intent, sentiment, priority = answer["intent"], answer["sentiment"], answer["priority"]
        uncertainty = answer["uncertainty"]
        probabilities = [candidate["probability"] for candidate in intent["candidates"]]

        assert uuid.UUID(answer["query_id"]).version == 7
        assert (intent["label"], intent["confidence"]) == (intent["candidates"][0]["label"], max(probabilities))
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) + intent["out_of_scope_probability"] <= 1.001
        assert set(sentiment["scores"]) == {"negative", "neutral", "positive"}
        assert sentiment["scores"][sentiment["label"]] == max(sentiment["scores"].values()) == sentiment["confidence"]
        assert sum(sentiment["scores"].values()) == pytest.approx(1.0, abs=0.001)
        assert priority["level"] in list(PriorityLevel)
        assert sum(part["points"] for part in priority["parts"]) == pytest.approx(priority["score"], abs=0.01)
        assert uncertainty["epistemic"] + uncertainty["aleatoric"] == pytest.approx(uncertainty["score"], abs=0.001)
        assert answer["decision"]["action"] in list(Action)
        assert answer["decision"]["reasons"]
        assert set(answer["decision"]["reasons"]) <= set(Reason)
        assert [member["name"] for member in answer["members"]] == list(tiny_bundle.manifest.members)
        assert answer["model_version"] == tiny_bundle.version
        assert answer["timings_ms"]["total"] >= answer["timings_ms"]["models"] > 0

    def test_what_was_understood_is_stored_without_a_reply(self, server: Server, client: httpx2.Client) -> None:
        stored = row(server, understood(client)["query_id"])

        assert stored is not None
        assert (stored["tenant"], stored["query_text"], stored["response_text"]) == (TENANT, TEXT, None)

    @pytest.mark.parametrize("path", ["/v1/understand", "/v1/queries", "/understand", "/answer"])
    def test_nothing_is_stored_where_the_caller_says_so(self, server: Server, client: httpx2.Client, path: str) -> None:
        before = server.count()
        answer = client.post(path, json={"text": TEXT, "store": False}).json()

        assert server.count() == before
        assert row(server, answer["query_id"]) is None
        assert answer.get("stored", "no") == "no"
        assert client.get(f"/v1/queries/{answer['query_id']}").status_code == 404


class TestAnswer:
    def test_an_answer_adds_the_reply_and_how_it_is_stored(self, client: httpx2.Client) -> None:
        answer = answered(client)

        assert set(answer) == UNDERSTOOD | {"reply", "stored"}
        assert set(answer["reply"]) == {"text", "source", "citations", "checks", "provider"}
        assert all(set(citation) == {"passage", "title"} for citation in answer["reply"]["citations"])
        assert answer["reply"]["text"]
        assert (answer["reply"]["source"], answer["stored"]) == ("template", "committed")

    def test_every_field_of_a_query_arrives_in_its_column(self, server: Server, client: httpx2.Client) -> None:
        fields = {"customer_id": "customer-7", "session_id": "s-1", "channel": "email", "customer_tier": "premium"}
        answer = answered(client, language="en-GB", waiting_since="2026-06-01T09:30:00+02:00", **fields)
        stored = row(server, answer["query_id"])

        assert stored is not None
        assert {name: stored[name] for name in fields} == fields
        assert stored["intent"] == answer["intent"]["label"]
        assert stored["confidence"] == answer["intent"]["confidence"]
        assert stored["priority_score"] == answer["priority"]["score"]
        assert stored["model_version"] == answer["model_version"]
        assert "waiting" in {part["name"] for part in answer["priority"]["parts"]}
        (history,) = server.rows("SELECT * FROM customer_history WHERE id = ?", answer["query_id"])
        assert (history["tenant"], history["customer_id"]) == (TENANT, "customer-7")

    def test_only_masked_text_reaches_the_database_file(self, server: Server, client: httpx2.Client) -> None:
        answer = answered(client, PERSONAL_TEXT)
        stored = row(server, answer["query_id"])

        assert stored is not None
        assert "[EMAIL_1]" in stored["query_text"]
        assert (stored["tenant"], json.loads(stored["answer"])["query_id"]) == (TENANT, answer["query_id"])
        files = b"".join(file.read_bytes() for file in server.home.glob("frontdesk.db*"))
        assert stored["id"].encode() in files
        assert {name for name, raw in PERSONAL.items() if raw.encode() in files} == set()

    def test_personal_data_is_in_no_line_of_the_log(self, server: Server, client: httpx2.Client) -> None:
        answered(client, PERSONAL_TEXT)

        assert {name for name, raw in PERSONAL.items() if raw in server.log()} == set()

    def test_a_stored_answer_is_given_back(self, client: httpx2.Client) -> None:
        answer = answered(client)
        response = client.get(f"/v1/queries/{answer['query_id']}")
        stored_value = response.json()

        assert response.status_code == 200
        assert stored_value.pop("masked_message") == {"text": TEXT, "other_parts": []}
        assert set(stored_value) == set(answer) - {"stored"}
        changing = ("timings_ms", "stored")
        assert {**stored_value, "timings_ms": 0} == {
            **{k: v for k, v in answer.items() if k not in changing},
            "timings_ms": 0,
        }

    def test_a_stored_answer_is_another_tenants_404(self, server: Server, client: httpx2.Client) -> None:
        query_id = answered(client)["query_id"]

        with server.client(tenant="another") as other:
            theirs = other.get(f"/v1/queries/{query_id}")
            nobodys = other.get(f"/v1/queries/{uuid.uuid4()}")

        assert_problem(theirs, 404, "not-found")
        assert theirs.content == nobodys.content

    def test_a_row_belongs_to_the_tenant_of_the_token(self, server: Server) -> None:
        with server.client(tenant="another") as other:
            stored = row(server, answered(other)["query_id"])

        assert stored is not None
        assert stored["tenant"] == "another"


class TestBatch:
    def test_a_full_batch_is_answered_in_order(self, server: Server, client: httpx2.Client) -> None:
        texts = [f"My parcel to {chr(97 + i // 16) * 3} {chr(97 + i % 16) * 3} is late" for i in range(256)]
        response = client.post("/v1/understand/batch", json={"queries": [{"text": text} for text in texts]})
        results = response.json()["results"]
        stored = {
            matches["id"]: matches["query_text"]
            for matches in server.rows("SELECT id, query_text FROM queries WHERE query_text LIKE 'My parcel to %'")
        }

        assert response.status_code == 200
        assert [stored[result["query_id"]] for result in results] == texts
        assert all(set(result) == UNDERSTOOD for result in results)

    def test_a_batch_answers_as_single_requests_do(self, client: httpx2.Client) -> None:
        texts = [TEXT, "I want my money back!!", "How do I delete my account?"]
        together = client.post("/v1/understand/batch", json={"queries": [{"text": text} for text in texts]}).json()

        varying = ("query_id", "timings_ms")
        single = [understood(client, text) for text in texts]
        without = [{k: v for k, v in answer.items() if k not in varying} for answer in together["results"]]
        assert without == [{k: v for k, v in answer.items() if k not in varying} for answer in single]

    def test_a_bad_item_fails_alone_and_in_its_place(self, server: Server, client: httpx2.Client) -> None:
        bad: list[Any] = [{"text": ""}, {"text": "x", "colour": "red"}, {}, None, 7, [], {"text": "x", "store": "yes"}]
        before = server.count()
        queries = [item for wrong in bad for item in ({"text": TEXT}, wrong)]
        results = client.post("/v1/understand/batch", json={"queries": queries}).json()["results"]

        assert len(results) == len(queries)
        assert all(set(result) == UNDERSTOOD for result in results[::2])
        for result in results[1::2]:
            assert set(result) == {"error"}
            assert set(result["error"]) == {"type", "title", "status", "detail", "violations"}
            assert (result["error"]["type"], result["error"]["status"]) == ("urn:frontdesk:invalid-query", 400)
        assert server.count() == before + len(bad)

    def test_each_item_of_a_batch_says_whether_it_is_stored(self, server: Server, client: httpx2.Client) -> None:
        queries = [{"text": TEXT, "store": False}, {"text": TEXT, "store": True}]
        first, second = client.post("/v1/understand/batch", json={"queries": queries}).json()["results"]

        assert row(server, first["query_id"]) is None
        assert row(server, second["query_id"]) is not None

    @pytest.mark.parametrize("size", [0, 257])
    def test_an_empty_batch_and_one_too_many_are_refused(
        self, server: Server, client: httpx2.Client, size: int
    ) -> None:
        before = server.count()
        response = client.post("/v1/understand/batch", json={"queries": [{"text": TEXT}] * size})

        assert_problem(response, 400, "invalid-query")
        assert server.count() == before


class TestAccess:
    """Which scope opens what is in `tests/hostile/test_ownership.py`."""

    @pytest.mark.parametrize("route", SCOPED, ids=lambda route: f"{route.methods[0]} {route.template}")
    def test_a_scoped_route_is_closed_without_a_token(self, server: Server, route: Route) -> None:
        with httpx2.Client(base_url=server.url) as client:
            response = _ask(client, route)

        _assert_refusal(route, response, 401, "unauthenticated")
        assert response.headers["www-authenticate"] == 'Bearer realm="frontdesk"'

    @pytest.mark.parametrize("route", OPEN, ids=lambda route: route.template)
    def test_an_open_route_needs_no_token(self, server: Server, route: Route) -> None:
        assert httpx2.get(f"{server.url}{route.template}").status_code == 200

    @pytest.mark.parametrize("route", OPEN, ids=lambda route: route.template)
    def test_whatever_can_be_fetched_can_be_asked_for_by_its_head(self, server: Server, route: Route) -> None:
        response = httpx2.head(f"{server.url}{route.template}")

        assert (response.status_code, response.content) == (200, b"")

    def test_an_expired_token_is_refused(self, server: Server) -> None:
        expired = server.token(ttl_s=-60)
        response = httpx2.post(
            f"{server.url}/v1/understand", json={"text": TEXT}, headers={"authorization": f"Bearer {expired}"}
        )

        assert_problem(response, 401, "unauthenticated")


def _ask(client: httpx2.Client, route: Route) -> httpx2.Response:
    """A request that is good in everything but, perhaps, its token."""
    path = re.sub(r"\{\w+\}", str(uuid.uuid4()), route.template)  # of nothing that is there
    if route.methods != ("POST",):
        return client.request(route.methods[0], path)
    if route.template.endswith("/feedback"):
        return client.post(path, json={"satisfaction": 5})
    if route.oip:
        return client.post(path, json={"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [TEXT]}]})
    body = {"text": TEXT, "store": False}
    return client.post(path, json={"queries": [body]} if route.batch else body)


def _assert_refusal(route: Route, response: httpx2.Response, status: int, kind: str) -> None:
    """In the form of the route's protocol."""
    if route.oip:
        assert (response.status_code, response.headers["content-type"]) == (status, "application/json")
        assert response.json()["error"]
    else:
        assert_problem(response, status, kind)


class TestWorkers:
    async def test_concurrent_requests_over_both_workers_are_each_stored_once(self, server: Server) -> None:
        names = [f"burst-{index}" for index in range(200)]

        async def put(client: httpx2.AsyncClient, name: str) -> str:
            response = await client.post(
                "/v1/queries", json={"text": TEXT, "customer_id": name}, headers={"x-request-id": name}
            )
            assert response.status_code == 200, response.text
            query_id: str = response.json()["query_id"]
            return query_id

        async with httpx2.AsyncClient(
            base_url=server.url, headers={"authorization": f"Bearer {server.token()}"}, timeout=30.0
        ) as client:
            ids = await asyncio.gather(*(put(client, name) for name in names))

        rows = server.rows("SELECT id, customer_id FROM queries WHERE customer_id LIKE 'burst-%'")
        assert sorted((row["id"], row["customer_id"]) for row in rows) == sorted(zip(ids, names, strict=True))
        history = server.rows("SELECT id FROM customer_history WHERE customer_id LIKE 'burst-%'")
        assert sorted(row["id"] for row in history) == sorted(ids)
        pids = {line["pid"] for line in _requests(server) if line["request_id"] in names}
        assert pids == set(server.workers().values())

    def test_each_request_has_one_line_in_the_log(self, server: Server, client: httpx2.Client) -> None:
        client.post("/v1/understand?secret=in-the-query", json={"text": TEXT}, headers={"x-request-id": "one-line"})
        (line,) = _eventually(lambda: [line for line in _requests(server) if line["request_id"] == "one-line"])

        assert (line["method"], line["route"], line["status"]) == ("POST", "/v1/understand", 200)
        assert (line["tenant"], line["subject"]) == (TENANT, "tester")
        assert line["duration_ms"] > 0
        assert "in-the-query" not in server.log()

    def test_counts_add_up_over_the_workers(self, server: Server) -> None:
        """Each request on a connection of its own, so that both workers get some; either may be asked for the sum."""
        labels = {"route": "/v1/understand", "method": "POST", "status": "200"}
        before = _sample(server, "frontdesk_http_requests_total", **labels)
        queries = _total(server, "frontdesk_queries_total")
        for _ in range(24):
            with server.client() as client:
                understood(client)

        expected = before + 24
        assert _eventually(lambda: _sample(server, "frontdesk_http_requests_total", **labels) == expected)
        assert {_sample(server, "frontdesk_http_requests_total", **labels) for _ in range(12)} == {expected}
        assert _total(server, "frontdesk_queries_total") == queries + 24

    @pytest.mark.parametrize("path", ["/v1/understand", "/v1/queries", "/understand", "/nowhere"])
    def test_refusals_are_counted_by_kind(self, server: Server, client: httpx2.Client, path: str) -> None:
        kind = "not-found" if path == "/nowhere" else "invalid-query"
        before = _sample(server, "frontdesk_rejected_total", kind=kind)
        client.post(path, json={"text": ""})

        assert _eventually(lambda: _sample(server, "frontdesk_rejected_total", kind=kind) - before) == 1

    def test_every_family_of_metrics_is_there(self, server: Server, client: httpx2.Client) -> None:
        answered(client)
        client.post("/v1/understand", json={"text": ""})
        families = {family.name for family in _families(server)}

        assert families >= {
            "frontdesk_http_requests",
            "frontdesk_http_request_duration_seconds",
            "frontdesk_queries",
            "frontdesk_sentiments",
            "frontdesk_priorities",
            "frontdesk_confidence",
            "frontdesk_uncertainty_score",
            "frontdesk_stage_duration_seconds",
            "frontdesk_rejected",
            "frontdesk_model_info",
        }
        assert _sample(server, "frontdesk_model_info", version=answered(client)["model_version"]) == 1


def _requests(server: Server) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith('{"')]
    return [line for line in lines if line["event"] == "request"]


def _families(server: Server) -> list[Any]:
    response = httpx2.get(f"{server.url}/metrics")
    assert response.status_code == 200
    return list(text_string_to_metric_families(response.text))


def _sample(server: Server, name: str, **labels: str) -> float:
    """The one sample of that name with all of these labels; 0 where there is none yet."""
    samples = [sample for family in _families(server) for sample in family.samples if sample.name == name]
    values = [sample.value for sample in samples if labels.items() <= sample.labels.items()]
    assert len(values) <= 1
    return sum(values)


def _total(server: Server, name: str) -> float:
    return sum(sample.value for family in _families(server) for sample in family.samples if sample.name == name)


def _eventually(look: Any, timeout_s: float = 3.0) -> Any:
    """What `look` finds, as soon as it is anything: a line or a count follows its answer by a moment."""
    give_up = time.monotonic() + timeout_s
    while not (results := look()) and time.monotonic() < give_up:
        time.sleep(0.02)
    return results


class TestPages:
    def test_readiness_names_the_model_and_liveness_the_dead(self, server: Server, tiny_bundle: Bundle) -> None:
        ready, alive = httpx2.get(f"{server.url}/readyz"), httpx2.get(f"{server.url}/livez")

        details = ready.json()
        assert details.pop("disk_free_bytes") > 0
        assert details == {
            "status": "ready",
            "model_version": tiny_bundle.version,
            "workers_missing": 0,
            "degraded": [],
            "storage": "committed",
            "spool_waiting": 0,
            "spool_refused": 0,
        }
        assert alive.json() == {"status": "alive", "dead_workers": []}

    @pytest.mark.parametrize("path", ["/", "/docs"])
    def test_a_page_loads_all_that_it_names_from_this_server(self, server: Server, path: str) -> None:
        page = httpx2.get(f"{server.url}{path}")
        named = _Named(page.text).addresses

        assert page.headers["content-type"].startswith("text/html")
        assert not re.search(r"""["'(]\s*(https?:)?//""", page.text)
        for address in named:
            assert httpx2.get(f"{server.url}{address}").status_code == 200, address
        assert bool(named) == (path == "/docs")

    @pytest.mark.parametrize("path", ["/", "/docs"])
    def test_the_policy_of_a_page_covers_each_of_its_scripts_and_styles_and_nothing_else(
        self, server: Server, path: str
    ) -> None:
        page = httpx2.get(f"{server.url}{path}")
        (policy,) = page.headers.get_list("content-security-policy")
        allowed = {name: set(sources) for name, *sources in (part.split() for part in policy.split("; "))}
        own = {"'self'"} if path == "/docs" else set()

        for kind in ("script", "style"):
            texts = re.findall(rf"<{kind}>(.*?)</{kind}>", page.text, re.DOTALL)
            hashes = {f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in texts}
            assert allowed[f"{kind}-src"] == hashes | own
        assert all(address.startswith("/") for address in _Named(page.text).addresses)
        assert not re.search(r"<[^>]*\s(on\w+|style)\s*=", re.sub(r"(?s)<(script|style)>.*?</\1>", "", page.text))
        assert page.headers["cross-origin-opener-policy"] == "same-origin"

    def test_the_documentation_reads_this_servers_document(self, server: Server) -> None:
        assert "/openapi.json" in httpx2.get(f"{server.url}/docs").text

    def test_the_openapi_document_describes_exactly_the_routes_of_version_1(self, server: Server) -> None:
        document = httpx2.get(f"{server.url}/openapi.json").json()
        described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
        routed = {(route.template, method) for route in ROUTES for method in route.methods}

        assert document["openapi"].startswith("3.1")
        assert {(path, method) for path, method in routed if path.startswith("/v1/")} <= described <= routed

    def test_every_reference_of_the_openapi_document_leads_somewhere(self, server: Server) -> None:
        document = httpx2.get(f"{server.url}/openapi.json").json()
        references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))

        assert references >= {"#/components/schemas/QueryIn", "#/components/schemas/Answer"}
        for reference in references:
            place = document
            for name in reference.removeprefix("#/").split("/"):
                place = place[name]

    def test_every_operation_of_version_1_has_its_own_id_a_token_and_its_errors(self, server: Server) -> None:
        document = httpx2.get(f"{server.url}/openapi.json").json()
        operations = [
            operation
            for path, methods in document["paths"].items()
            if path.startswith("/v1/")
            for operation in methods.values()
        ]

        assert len({operation["operationId"] for operation in operations}) == len(operations)
        for operation in operations:
            assert operation["security"] == [{"token": []}]
            assert set(operation["responses"]) >= {"200", "400", "401", "403", "503", "504"}

    def test_the_described_query_is_the_accepted_query(self, server: Server, client: httpx2.Client) -> None:
        """The examples of the document, put together, are a request that is answered."""
        document = httpx2.get(f"{server.url}/openapi.json").json()
        schema = document["components"]["schemas"]["QueryIn"]

        assert "required" not in schema  # a mail or a transcript needs no text
        assert understood(client, schema["properties"]["text"]["examples"][0])


class _Named(HTMLParser):
    """The addresses that a page loads by itself."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        loaded = {"script": "src", "link": "href", "img": "src"}.get(tag)
        self.addresses |= {value for name, value in attrs if name == loaded and value and not value.startswith("data:")}


class TestBentoClient:
    @pytest.mark.parametrize("method", ["understand", "answer"])
    def test_a_bento_client_with_a_token_is_answered(self, server: Server, method: str) -> None:
        with bentoml.SyncHTTPClient(server.url, token=server.token()) as client:
            answer = getattr(client, method)(text=TEXT, customer_id="bento-1", channel="chat")
        stored = row(server, answer["query_id"])

        assert set(answer) == UNDERSTOOD | ({"reply", "stored"} if method == "answer" else set())
        assert stored is not None
        assert (stored["tenant"], stored["channel"], stored["customer_id"]) == (TENANT, "chat", "bento-1")

    def test_both_doors_understand_alike(self, server: Server, client: httpx2.Client) -> None:
        with bentoml.SyncHTTPClient(server.url, token=server.token()) as bento:
            answer = bento.understand(text=TEXT, customer_tier="enterprise", waiting_since="2026-01-01T00:00:00Z")

        ours = understood(client, customer_tier="enterprise", waiting_since="2026-01-01T00:00:00Z")
        assert (answer["intent"], answer["priority"]["level"]) == (ours["intent"], ours["priority"]["level"])

    @pytest.mark.parametrize("method", ["understand", "answer"])
    def test_a_bento_client_without_a_token_is_refused(self, server: Server, method: str) -> None:
        before = server.count()
        with bentoml.SyncHTTPClient(server.url) as client, pytest.raises(BentoMLException) as refused:
            getattr(client, method)(text=TEXT)

        assert refused.value.error_code == 401
        assert server.count() == before


class TestHeaders:
    def test_a_request_id_is_given_back(self, client: httpx2.Client) -> None:
        response = client.post("/v1/understand", json={"text": TEXT}, headers={"x-request-id": "order.desk_7-42"})

        assert response.headers["x-request-id"] == "order.desk_7-42"

    @pytest.mark.parametrize("wanted", [None, "", "two words", "x" * 65, "<script>", "a,b"])
    def test_a_request_id_that_is_none_is_replaced_by_a_new_one(
        self, client: httpx2.Client, wanted: str | None
    ) -> None:
        headers = {} if wanted is None else {"x-request-id": wanted}
        stored_value = [client.get("/livez", headers=headers).headers["x-request-id"] for _ in range(2)]

        assert [uuid.UUID(one).version for one in stored_value] == [7, 7]
        assert stored_value[0] != stored_value[1]

    def test_a_deadline_of_the_caller_is_honoured(self, server: Server, client: httpx2.Client) -> None:
        before = server.count()
        started = time.monotonic()
        response = client.post(
            "/v1/understand/batch",
            json={"queries": [{"text": TEXT * 70}] * 256},
            headers={"x-request-deadline-ms": "1"},
        )

        assert_problem(response, 504, "deadline-exceeded")
        assert time.monotonic() - started < 2.0
        assert server.count() == before

    def test_a_deadline_that_is_long_enough_changes_nothing(self, client: httpx2.Client) -> None:
        response = client.post("/v1/understand", json={"text": TEXT}, headers={"x-request-deadline-ms": "9000"})

        assert response.status_code == 200

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/v1/queries"),
            ("POST", "/understand"),
            ("GET", "/"),
            ("GET", "/docs"),
            ("GET", "/metrics"),
            ("GET", "/static_content/swagger-ui.css"),
            ("GET", "/nowhere"),
            ("PUT", "/v1/queries"),
        ],
    )
    def test_every_response_carries_the_security_headers(self, client: httpx2.Client, method: str, path: str) -> None:
        headers = client.request(method, path, json={"text": TEXT}).headers

        assert {name: headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert "x-request-id" in headers
        if path not in ("/", "/docs"):
            assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
