"""The audit log of a running server: what it holds, and what `frontdesk audit` finds."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import httpx2
import jwt
import pytest

from bentos.grpc import frontdesk_pb2 as pb
from bentos.grpc.frontdesk_pb2_grpc import FrontdeskServiceStub
from frontdesk.audit.chain import load_audit_key
from frontdesk.audit.checkpoints import FILE_NAME, read_checkpoint_file
from frontdesk.security.tokens import SCOPES
from frontdesk.storage.database import open_database
from model_store.bundle import Bundle
from tests.support.command_line import invoke
from tests.support.serving import Server, home_with
from tests.support.stored_rows import insert_queries
from tests.support.stored_rows import query_row as row_of

MARK = "zqxauditmark"
CLOSED = {
    "security__metrics_scope": "metrics:read",
    "security__schema_scope": "admin",
    "server__grpc_reflection": False,
}


def test_what_is_done_leaves_a_trace_that_cannot_be_changed_unseen_and_metrics_can_be_closed(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    with Server(home_with(tiny_bundle, tmp_path / "home"), **CLOSED) as server:
        with server.client() as client:
            for number in range(4):
                output = {"text": f"Where is my parcel {MARK}?", "customer_id": f"{MARK}-{number % 2}"}
                assert client.post("/v1/queries", json=output).status_code == 200
            assert client.get("/v1/queries/export").status_code == 200
            assert client.delete(f"/v1/customers/{MARK}-0").status_code == 200
        stored = server.rows("SELECT * FROM audit_log ORDER BY created_at")
        assert [row["action"] for row in stored] == [
            *["answer"] * 4,
            *("export", "export.outcome", "erase", "erase.outcome"),
        ]
        assert {(row["tenant"], row["subject"]) for row in stored} == {("acme", "tester")}
        assert MARK not in repr(stored)

        rotated = invoke(server.home, "keys", "rotate")
        assert rotated.returncode == 0, rotated.stderr
        created = invoke(server.home, "audit", "checkpoint")
        assert created.returncode == 0, created.stderr
        elsewhere = tmp_path / "checkpoints.jsonl"
        elsewhere.write_text(created.stdout)
        checked = invoke(server.home, "audit", "verify", "--checkpoint", str(elsewhere))
        assert (checked.returncode, checked.stdout[:10]) == (0, "9 entries "), checked.stdout + checked.stderr

        for statement in (
            "UPDATE audit_log SET subject = 'somebody' WHERE action = 'erase'",
            "DELETE FROM audit_log WHERE action = 'export'",
            "DELETE FROM audit_checkpoints",
        ):
            with closing(sqlite3.connect(server.home / "frontdesk.db")) as connection:
                connection.execute(statement)
                connection.commit()
            results = invoke(server.home, "audit", "verify", "--checkpoint", str(elsewhere))
            assert results.returncode == 1, (statement, results.stdout)
        assert_closed(server)

    signed = {chain for one in read_checkpoint_file(server.home / FILE_NAME)[0] for chain in one.heads}
    assert {row["chain"] for row in stored} <= signed  # by the server itself, at its end at the latest


SPELLINGS = ("auditme", "audit%6De", "%61uditme")


def entries(server: Server, tenant: str) -> list[dict[str, Any]]:
    rows = server.rows("SELECT * FROM audit_log WHERE tenant = ? ORDER BY created_at, sequence", tenant)
    return [{**row, "details": json.loads(row["details"])} for row in rows]


def wait_for(read: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The first non-empty result of `read`; counts are written within two seconds."""
    give_up = time.monotonic() + 10
    while not (rows := read()):
        assert time.monotonic() < give_up, "no rows within 10 s"
        time.sleep(0.05)
    return rows


def of(server: Server, tenant: str, action: str) -> list[dict[str, Any]]:
    return [entry for entry in entries(server, tenant) if entry["action"] == action]


class TestTargets:
    def test_a_customer_is_one_target_however_a_path_spells_the_id(
        self, server: Server, client: httpx2.Client, tenant: str
    ) -> None:
        for spelling in SPELLINGS:
            assert client.delete(f"/v1/customers/{spelling}").status_code == 200
            client.get(f"/v1/customers/{spelling}/history")
        target = load_audit_key(server.home / "keys").target_fingerprint("customer", "auditme")
        assert {entry["target"] for entry in entries(server, tenant)} == {target}
        reads = wait_for(lambda: of(server, tenant, "read"))
        assert {entry["target"] for entry in reads} == {target}
        listed = invoke(server.home, "audit", "list", "--customer", "auditme", "--tenant", tenant)
        actions = [json.loads(line)["action"] for line in listed.stdout.splitlines()]
        assert actions.count("erase") == actions.count("erase.outcome") == 3


class TestCustomers:
    def test_answers_reads_and_erasures_of_single_queries_are_found_by_the_customer(
        self, server: Server, client: httpx2.Client, tenant: str
    ) -> None:
        message = {"text": "Where is my parcel?", "session_id": "s1"}
        first, second, other = (
            client.post("/v1/queries", json={**message, "customer_id": customer}).json()["query_id"]
            for customer in ("ada", "ada", "bob")
        )
        assert client.get(f"/v1/queries/{first}").status_code == 200
        assert client.get(f"/v1/queries/{other}").status_code == 200
        wait_for(lambda: of(server, tenant, "read"))
        assert client.delete(f"/v1/queries/{first}").status_code == 200
        assert client.delete("/v1/sessions/s1").status_code == 200
        for options in (("--tenant", tenant), ()):
            listed = invoke(server.home, "audit", "list", "--customer", "ada", *options, "--limit", "1000")
            listed_entries = [json.loads(line) for line in listed.stdout.splitlines()]
            of_tenant = [entry for entry in listed_entries if entry["tenant"] == tenant]
            routes = sorted((entry["action"], entry["details"].get("route", "")) for entry in of_tenant)
            assert routes == [
                ("answer", ""),
                ("answer", ""),
                ("erase.outcome", "/v1/queries/{query_id}"),
                ("erase.outcome", "/v1/sessions/{session_id}"),
                ("read", "/v1/queries/{query_id}"),
            ], listed.stdout + listed.stderr
            assert other not in listed.stdout
        assert second in listed.stdout


class TestOutcomes:
    def test_an_erasure_that_was_refused_does_not_look_like_one_that_worked(
        self, server: Server, client: httpx2.Client, tenant: str
    ) -> None:
        assert client.delete("/v1/customers/%FF").status_code == 400
        assert client.delete("/v1/customers/somebody").status_code == 200
        refused, process = of(server, tenant, "erase.outcome")
        assert (refused["details"]["status"], refused["details"]["complete"]) == (400, True)
        assert (process["details"]["status"], process["details"]["queries"]) == (200, 0)
        begun = of(server, tenant, "erase")
        assert [entry["details"]["request_id"] for entry in begun] == [
            entry["details"]["request_id"] for entry in (refused, process)
        ]

    def test_the_outcome_of_an_export_has_its_filters_and_number_of_rows(
        self, server: Server, client: httpx2.Client, tenant: str
    ) -> None:
        rows = [row_of(tenant=tenant, customer_id="ada", intent="get_refund") for _ in range(7)]
        engine = open_database(f"sqlite:///{server.home / 'frontdesk.db'}")
        insert_queries(engine, rows)
        engine.dispose()
        parameters = {"customer_id": "ada", "format": "csv", "from": "2026-01-01T00:00:00Z"}
        assert client.get("/v1/queries/export", params=parameters).status_code == 200
        (begun,), (process,) = of(server, tenant, "export"), of(server, tenant, "export.outcome")
        filters = {
            **parameters,
            "customer_id": load_audit_key(server.home / "keys").target_fingerprint("customer", "ada"),
        }
        assert begun["details"]["filters"] == process["details"]["filters"] == filters
        assert (process["details"]["rows"], process["details"]["complete"]) == (7, True)


class TestReads:
    def test_pages_of_all_rows_leave_a_trace_with_the_number_of_rows(
        self, server: Server, client: httpx2.Client, tenant: str
    ) -> None:
        engine = open_database(f"sqlite:///{server.home / 'frontdesk.db'}")
        insert_queries(engine, [row_of(tenant=tenant) for _ in range(20)])
        engine.dispose()
        assert len(client.get("/v1/queries", params={"limit": 200, "priority": "low"}).json()["items"]) == 20
        (entry,) = wait_for(lambda: of(server, tenant, "read"))
        assert entry["subject"] == "tester"
        details = {name: entry["details"][name] for name in ("route", "filters", "rows", "requests", "status")}
        expected = {"route": "/v1/queries", "filters": {"priority": "low"}, "rows": 20, "requests": 1, "status": 200}
        assert details == expected

    @pytest.mark.parametrize("path", ["/v1/admin/models", "/v1/admin/outbox"])
    def test_what_an_administrator_reads_leaves_a_trace(
        self, server: Server, client: httpx2.Client, tenant: str, path: str
    ) -> None:
        assert client.get(path).status_code == 200
        (entry,) = wait_for(lambda: of(server, tenant, "admin.read"))
        assert entry["details"]["route"] == path


class TestRefusals:
    def test_a_refused_erasure_leaves_a_trace_and_many_leave_few(self, server: Server, tenant: str) -> None:
        with server.client(["understand"], tenant) as outsider:
            for number in range(50):
                assert outsider.delete(f"/v1/customers/customer-{number}").status_code == 403
        refusals = wait_for(lambda: of(server, tenant, "refused"))
        assert {entry["details"]["route"] for entry in refusals} == {"/v1/customers/{customer_id}"}
        assert refusals[0]["details"]["reason"] == "the scope admin is missing"
        assert len(refusals) <= 2  # one of each worker

    def test_a_token_that_lapsed_leaves_a_trace(self, server: Server, tenant: str) -> None:
        token = server.token(tenant=tenant, ttl_s=-3600)
        response = httpx2.get(f"{server.url}/v1/queries", headers={"authorization": f"Bearer {token}"})
        assert response.status_code == 401
        assert wait_for(lambda: of(server, tenant, "refused"))[0]["details"]["reason"] == "the token lapsed"

    def test_the_same_over_grpc(self, server: Server, tenant: str) -> None:
        metadata = (("authorization", f"Bearer {server.token(['feedback'], tenant)}"),)
        with grpc.insecure_channel(server.grpc_address) as channel, pytest.raises(grpc.RpcError):
            FrontdeskServiceStub(channel).Answer(pb.Query(text="Where is it?", store=False), metadata=metadata)
        (entry,) = wait_for(lambda: of(server, tenant, "refused"))
        assert entry["details"]["route"] == "/frontdesk.v1.FrontdeskService/Answer"


class TestTokens:
    def test_a_minted_token_is_named_before_it_is_printed(self, server: Server, tenant: str) -> None:
        minted = invoke(server.home, "token", "--tenant", tenant, "--subject", "auditor", "--scope", "admin")
        assert minted.returncode == 0, minted.stderr
        claims = claims_of(minted.stdout.strip())
        (entry,) = of(server, tenant, "token.minted")
        assert entry["target"] == claims["jti"]
        expected = {"subject": "auditor", "tenant": tenant, "scopes": ["admin"]}
        assert entry["details"] == {**expected, "exp": claims["exp"], "jti": claims["jti"]}

    def test_a_life_beyond_the_longest_is_not_minted_and_nothing_is_while_the_log_cannot_be_written(
        self, server: Server, tmp_path: Path
    ) -> None:
        refused = invoke(server.home, "token", "--ttl-s", "31536000000", "--scope", "admin")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "security.token_max_ttl_s" in refused.stderr
        unavailable = invoke(tmp_path / "home", "token", storage__url="postgresql+psycopg2://a:b@127.0.0.1:1/none")
        assert (unavailable.returncode, unavailable.stdout) == (1, "")
        assert "audit log could not be written" in unavailable.stderr

    def test_a_revoked_token_is_refused_by_every_worker_at_both_doors(self, server: Server, tenant: str) -> None:
        token, other = server.token(tenant=tenant), server.token(tenant=tenant)
        with server.client(["admin"], tenant) as admin:
            assert accepted_everywhere(server, token)
            assert admin.post("/v1/admin/tokens/revoke", json={"token": token}).status_code == 200
            wait_for(lambda: [{}] if refused_everywhere(server, token) else [])
            assert accepted_everywhere(server, other)
            (process,) = of(server, tenant, "token.revoke.outcome")
            assert process["details"]["status"] == 200
            assert process["details"]["subject"] == "tester"

    def test_the_command_revokes_a_token_by_its_id_and_all_of_a_subject(self, server: Server, tenant: str) -> None:
        first, second = (server.token(tenant=tenant) for _ in range(2))
        assert invoke(server.home, "token", "revoke", jti_of(first)).returncode == 0
        wait_for(lambda: [{}] if refused_everywhere(server, first) else [])
        assert accepted_everywhere(server, second)
        ended = invoke(server.home, "token", "revoke", "--subject", "tester", "--tenant", tenant)
        assert ended.returncode == 0, ended.stderr
        minted = ("--subject", "tester", "--tenant", tenant, "--scope", "history:read", "--scope", "understand")
        third = invoke(server.home, "token", *minted).stdout.strip()
        wait_for(lambda: [{}] if refused_everywhere(server, second) else [])
        assert accepted_everywhere(server, third)

    def test_a_tenant_revokes_its_own_tokens_alone(self, server: Server, client: httpx2.Client) -> None:
        theirs = server.token(tenant="somebody-else")
        assert client.post("/v1/admin/tokens/revoke", json={"token": theirs}).status_code == 404
        assert client.post("/v1/admin/tokens/revoke", json={"subject": "tester", "jti": "a"}).status_code == 400
        assert client.post("/v1/admin/tokens/revoke", json={"jti": jti_of(theirs)}).status_code == 200
        time.sleep(2.5)
        assert accepted_everywhere(server, theirs)


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def jti_of(token: str) -> str:
    return str(claims_of(token)["jti"])


def statuses(server: Server, token: str) -> set[int]:
    """Statuses over HTTP and gRPC, on new connections, so that each worker answers some."""
    codes: set[int] = set()
    bearer = {"authorization": f"Bearer {token}"}
    for _ in range(4):
        response = httpx2.get(f"{server.url}/v1/queries", params={"limit": 1}, headers=bearer)
        codes.add(response.status_code)
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(server.grpc_address, options=options) as channel:
            understand = FrontdeskServiceStub(channel).Understand
            try:
                understand(pb.Query(text="Where is it?", store=False), metadata=tuple(bearer.items()))
            except grpc.RpcError as error:
                codes.add({grpc.StatusCode.UNAUTHENTICATED: 401}.get(error.code(), 500))
            else:
                codes.add(200)
    return codes


def accepted_everywhere(server: Server, token: str) -> bool:
    return statuses(server, token) == {200}


def refused_everywhere(server: Server, token: str) -> bool:
    return statuses(server, token) == {401}


def assert_closed(server: Server) -> None:
    """Check that the settings `CLOSED` are in force."""
    for path, scope in (("/metrics", "metrics:read"), ("/schema.json", "admin")):
        with server.client([scope]) as granted, server.client([other for other in SCOPES if other != scope]) as others:
            answers = [httpx2.get(f"{server.url}{path}"), others.get(path), granted.get(path)]
        assert [answer.status_code for answer in answers] == [401, 403, 200]
    with grpc.insecure_channel(server.grpc_address) as channel:
        reflect = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        with pytest.raises(grpc.RpcError) as refused:
            next(reflect(iter([b""]), timeout=10))
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
