"""The audit log of a running server: what it holds, and what `frontdesk audit` finds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from bentos.audit import checkpoints_in
from bentos.checkpoints import FILE_NAME
from model_store.bundle import Bundle
from tests.serving import Server, frontdesk, home_with

MARK = "zqxauditmark"


def test_what_is_done_leaves_a_trace_that_cannot_be_changed_unseen(tiny_bundle: Bundle, tmp_path: Path) -> None:
    with Server(home_with(tiny_bundle, tmp_path / "home")) as server:
        with server.client() as client:
            for number in range(4):
                said = {"text": f"Where is my parcel {MARK}?", "customer_id": f"{MARK}-{number % 2}"}
                assert client.post("/v1/queries", json=said).status_code == 200
            assert client.get("/v1/queries/export").status_code == 200
            assert client.delete(f"/v1/customers/{MARK}-0").status_code == 200
        kept = server.rows("SELECT * FROM audit_log ORDER BY created_at")
        assert [row["action"] for row in kept] == [*["answer"] * 4, "export", "erase"]
        assert {(row["tenant"], row["subject"]) for row in kept} == {("acme", "tester")}
        assert MARK not in repr(kept)

        rotated = frontdesk(server.home, "keys", "rotate")
        assert rotated.returncode == 0, rotated.stderr
        made = frontdesk(server.home, "audit", "checkpoint")
        assert made.returncode == 0, made.stderr
        elsewhere = tmp_path / "checkpoints.jsonl"
        elsewhere.write_text(made.stdout)
        checked = frontdesk(server.home, "audit", "verify", "--checkpoint", str(elsewhere))
        assert (checked.returncode, checked.stdout[:10]) == (0, "7 entries "), checked.stdout + checked.stderr

        for statement in (
            "UPDATE audit_log SET subject = 'somebody' WHERE action = 'erase'",
            "DELETE FROM audit_log WHERE action = 'export'",
            "DELETE FROM audit_checkpoints",
        ):
            with closing(sqlite3.connect(server.home / "frontdesk.db")) as connection:
                connection.execute(statement)
                connection.commit()
            found = frontdesk(server.home, "audit", "verify", "--checkpoint", str(elsewhere))
            assert found.returncode == 1, (statement, found.stdout)

    signed = {chain for one in checkpoints_in(server.home / FILE_NAME)[0] for chain in one.heads}
    assert {row["chain"] for row in kept} <= signed  # by the server itself, at its end at the latest
