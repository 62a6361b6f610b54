"""What was kept, as a caller asks for it: pages, histories, feedback, figures, export, erasure."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx2
import psutil
import pytest

from frontdesk.storage.database import open_database
from tests.support.serving import Server
from tests.support.stored_rows import START, hours, insert_queries, query_row

TEXT = "Where is my parcel? It should have come on Monday."
ODD_CUSTOMERS = [
    "a@b.example",
    "a+b c",
    "50 %",
    "a/b/history",
    "å?#&",
    "..",
    "'; DROP TABLE queries --",
    "zz\nq",
    "\nx",
]


def answered(client: httpx2.Client, **fields: Any) -> dict[str, Any]:
    response = client.post("/v1/queries", json={"text": TEXT, **fields})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def got(client: httpx2.Client, path: str, **parameters: Any) -> dict[str, Any]:
    response = client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def fill(server: Server, rows: list[dict[str, Any]], *, with_history: bool = False) -> None:
    engine = open_database(f"sqlite:///{server.home / 'frontdesk.db'}")
    insert_queries(engine, rows, with_history=with_history)
    engine.dispose()


def counted(receipt: httpx2.Response) -> dict[str, int]:
    assert receipt.status_code == 200, receipt.text
    return {name: receipt.json()[name] for name in ("queries", "interactions", "feedback")}


def assert_problem(response: httpx2.Response, status: int, kind: str) -> None:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["type"] == f"urn:frontdesk:{kind}"


class TestPages:
    def test_a_stored_query_is_listed_with_a_link_to_its_answer(self, client: httpx2.Client) -> None:
        answer = answered(client, customer_id="customer-1")
        page = got(client, "/v1/queries")
        (item,) = page["items"]

        assert page["next_cursor"] is None
        assert (item["id"], item["customer_id"], item["text"]) == (answer["query_id"], "customer-1", TEXT)
        assert (item["intent"], item["decision"]) == (answer["intent"]["label"], answer["decision"]["action"])
        assert datetime.now(UTC) - datetime.fromisoformat(item["created_at"]) < timedelta(minutes=1)
        assert client.get(item["answer"]).json()["query_id"] == answer["query_id"]

    def test_pages_go_on_where_the_last_one_ended(self, server: Server, client: httpx2.Client, tenant: str) -> None:
        rows = [query_row(tenant=tenant, created_at=START + hours(number // 3)) for number in range(20)]
        fill(server, rows)
        observed, cursor = [], None
        while True:
            page = got(client, "/v1/queries", limit=7, **({"cursor": cursor} if cursor else {}))
            observed += [item["id"] for item in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                break

        newest_first = sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)
        assert observed == [row["id"] for row in newest_first]

    def test_filters_are_all_met(self, server: Server, client: httpx2.Client, tenant: str) -> None:
        expected = query_row(tenant=tenant, intent="get_refund", priority="urgent", customer_id="a+b@c")
        fill(
            server,
            [expected, query_row(tenant=tenant, intent="get_refund"), query_row(tenant=tenant, priority="urgent")],
        )
        page = got(client, "/v1/queries", intent="get_refund", priority="urgent", customer_id="a+b@c")

        assert [item["id"] for item in page["items"]] == [expected["id"]]

    @pytest.mark.parametrize(
        "path", ["/v1/queries", "/v1/queries/export", "/v1/analytics/summary", "/v1/customers/c/history"]
    )
    def test_a_parameter_that_is_not_known_is_refused_and_not_repeated(self, client: httpx2.Client, path: str) -> None:
        response = client.get(path, params={"zqxmark": "zqxmark"})

        assert_problem(response, 400, "invalid-query")
        assert "zqxmark" not in response.text

    def test_a_tenant_is_shown_nothing_of_another(self, server: Server, client: httpx2.Client) -> None:
        query_id = answered(client, customer_id="customer-1")["query_id"]
        with server.client(tenant="another") as other:
            assert query_id not in other.get("/v1/queries", params={"limit": 200}).text
            assert query_id not in other.get("/v1/queries/export").text
            assert_problem(other.get("/v1/customers/customer-1/history"), 404, "not-found")
            assert_problem(other.post(f"/v1/queries/{query_id}/feedback", json={"satisfaction": 1}), 404, "not-found")
            assert counted(other.delete("/v1/customers/customer-1")) == {"queries": 0, "interactions": 0, "feedback": 0}

        assert got(client, "/v1/queries")["items"][0]["customer_id"] == "customer-1"


class TestCustomers:
    @pytest.mark.parametrize("customer", ODD_CUSTOMERS)
    def test_a_customer_of_any_name_has_a_history_and_can_be_erased(self, client: httpx2.Client, customer: str) -> None:
        answer = answered(client, customer_id=customer)
        path = f"/v1/customers/{quote(customer, safe='').replace('.', '%2E')}"
        (item,) = got(client, f"{path}/history")["items"]

        assert (item["id"], item["type"], item["feedback"]) == (answer["query_id"], "query", [])
        assert item["answer"] == f"/v1/queries/{answer['query_id']}"
        assert counted(client.delete(path)) == {"queries": 1, "interactions": 1, "feedback": 0}
        assert_problem(client.get(f"{path}/history"), 404, "not-found")

    def test_feedback_is_part_of_the_history(self, server: Server, client: httpx2.Client) -> None:
        query_id = answered(client, customer_id="customer-1")["query_id"]
        output = {"intent": "get_refund", "sentiment": "negative", "priority": "high", "reply": "edited"}
        response = client.post(f"/v1/queries/{query_id}/feedback", json={**output, "satisfaction": 2})
        feedback, query = got(client, "/v1/customers/customer-1/history")["items"]

        assert response.status_code == 200
        assert response.json()["query_id"] == query_id
        assert (feedback["type"], feedback["id"], feedback["answer"]) == ("feedback", response.json()["id"], None)
        assert query["satisfaction"] == 2
        assert {**query["feedback"][0]}.items() >= {**output, "satisfaction": 2, "subject": "tester"}.items()

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"intent": "zqxmark"},
            {"intent": None},
            {"sentiment": "zqxmark"},
            {"priority": "zqxmark"},
            {"reply": "zqxmark"},
            {"satisfaction": 0},
            {"satisfaction": 6},
            {"satisfaction": 2.5},
            {"satisfaction": True},
            {"satisfaction": 3, "zqxmark": 1},
        ],
    )
    def test_feedback_that_says_nothing_or_something_unknown_is_refused(
        self, client: httpx2.Client, body: dict[str, Any]
    ) -> None:
        query_id = answered(client)["query_id"]
        response = client.post(f"/v1/queries/{query_id}/feedback", json=body)

        assert_problem(response, 400, "invalid-query")
        assert "zqxmark" not in response.text

    def test_after_an_erasure_only_counts_are_left(self, server: Server, client: httpx2.Client, tenant: str) -> None:
        answer = answered(client, customer_id="zqxcustomer", session_id="zqxsession", text="zqxwords are late")
        before = got(client, "/v1/analytics/summary")["figures"]
        assert client.delete("/v1/customers/zqxcustomer").json()["queries"] == 1
        (item,) = got(client, "/v1/queries")["items"]

        assert (item["id"], item["text"], item["customer_id"], item["answer"]) == (answer["query_id"], "", None, None)
        assert_problem(client.get(f"/v1/queries/{answer['query_id']}"), 404, "not-found")
        assert got(client, "/v1/analytics/summary")["figures"] == before
        files = b"".join(file.read_bytes() for file in server.home.glob("frontdesk.db*"))
        assert [mark for mark in (b"zqxcustomer", b"zqxsession", b"zqxwords") if mark in files] == []


class TestFigures:
    def test_figures_agree_with_each_other(self, server: Server, client: httpx2.Client, tenant: str) -> None:
        decisions = ["automate", "draft", "escalate", "escalate"]
        rows = [
            query_row(
                tenant=tenant, decision=decision, created_at=START + hours(30 * number), response_time_ms=10.0 * number
            )
            for number, decision in enumerate(decisions)
        ]
        fill(server, rows)
        window = {"from": "2026-06-01T00:00:00Z", "to": "2026-06-15T00:00:00Z"}
        summary = got(client, "/v1/analytics/summary", **window)
        days = got(client, "/v1/analytics/timeseries", **window)
        intents = got(client, "/v1/analytics/intents", **window)
        escalations = got(client, "/v1/analytics/escalations", **window)
        latency = got(client, "/v1/analytics/latency", **window)

        assert summary["figures"]["queries"] == latency["queries"] == escalations["queries"] == 4
        assert summary["decisions"] == {"automate": 1, "draft": 1, "escalate": 2}
        assert [bucket["figures"]["queries"] for bucket in days["buckets"]] == [1, 1, 1, 1, *[0] * 10]
        assert [(one["label"], one["share"]) for one in intents["intents"]] == [("track_order", 1.0)]
        assert (escalations["escalated"], escalations["escalation_rate"]) == (2, 0.5)
        assert latency["percentiles_ms"] == pytest.approx({"p50": 15.0, "p90": 27.0, "p95": 28.5, "p99": 29.7})

    @pytest.mark.parametrize("name", ["summary", "timeseries", "intents", "escalations", "latency"])
    def test_without_queries_every_figure_is_there_and_zero_or_null(self, client: httpx2.Client, name: str) -> None:
        assert got(client, f"/v1/analytics/{name}")

    @pytest.mark.parametrize(
        "parameters",
        [{"bucket": "hour", "from": "1999-01-01T00:00:00Z"}, {"from": "2999-01-01T00:00:00Z"}, {"bucket": "year"}],
    )
    def test_a_window_that_makes_no_sense_is_refused(self, client: httpx2.Client, parameters: dict[str, str]) -> None:
        assert_problem(client.get("/v1/analytics/timeseries", params=parameters), 400, "invalid-query")


class TestExport:
    def test_both_forms_hold_every_row_once(self, server: Server, client: httpx2.Client, tenant: str) -> None:
        fill(server, [query_row(tenant=tenant, query_text=f"=HYPERLINK({number})") for number in range(1001)])
        as_csv = client.get("/v1/queries/export", params={"format": "csv"})
        as_lines = client.get("/v1/queries/export", params={"format": "jsonl"})
        rows = list(csv.DictReader(io.StringIO(as_csv.content.decode("utf-8-sig"), newline="")))
        lines = [json.loads(line) for line in as_lines.text.splitlines()]

        assert as_csv.headers["content-type"].startswith("text/csv")
        assert as_csv.headers["content-disposition"] == 'attachment; filename="queries.csv"'
        assert len({row["id"] for row in rows}) == len(rows) == 1001
        assert [row["id"] for row in rows] == [line["id"] for line in lines]
        assert all(row["query_text"].startswith("'=HYPERLINK") for row in rows)

    def test_csv_begins_with_a_byte_order_mark_unless_the_caller_needs_none(self, client: httpx2.Client) -> None:
        text = "Die Tür ist größer als bestellt"
        assert client.post("/v1/understand", json={"text": text, "customer_id": "c-excel"}).status_code == 200
        parameters = {"format": "csv", "customer_id": "c-excel"}
        marked = client.get("/v1/queries/export", params=parameters).content
        plain = client.get("/v1/queries/export", params={**parameters, "bom": "false"}).content
        assert marked == b"\xef\xbb\xbf" + plain
        assert plain.startswith(b'"id"')
        assert text in plain.decode()
        lines = client.get("/v1/queries/export", params={"customer_id": "c-excel", "bom": "true"}).content
        assert json.loads(lines)["query_text"] == text
        assert_problem(client.get("/v1/queries/export", params={"bom": "perhaps"}), 400, "invalid-query")

    def test_a_large_export_needs_no_more_memory_than_a_small_one(
        self, server: Server, client: httpx2.Client, tenant: str
    ) -> None:
        for _ in range(10):
            fill(server, [query_row(tenant=tenant, query_text="words " * 100) for _ in range(5000)])
        before = self._memory(server)
        lines = size = 0
        highest = before
        with client.stream("GET", "/v1/queries/export") as response:
            for piece in response.iter_bytes():
                lines, size = lines + piece.count(b"\n"), size + len(piece)
                if lines % 1000 < 10:
                    highest = max(highest, self._memory(server))

        assert lines == 50_000
        assert size > 40_000_000
        assert highest - before < 30_000_000

    def _memory(self, server: Server) -> int:
        return max(psutil.Process(pid).memory_info().rss for pid in server.workers().values())
