"""`/v1/admin/models` of a running server; who may read it is in test_server.py, with every other route."""

from __future__ import annotations

import json

from model_store.bundle import Bundle
from tests.support.serving import Server

MARKER = "Ysolde-Brannagh-77"


def test_an_administrator_sees_what_runs_where_and_nothing_of_a_customer(server: Server, tiny_bundle: Bundle) -> None:
    with server.client() as client:
        request = client.post("/v1/queries", json={"text": f"My name is {MARKER}, where is my parcel?"})
        assert request.status_code == 200
        response = client.get("/v1/admin/models")

    assert response.status_code == 200
    message = response.json()
    model = message["model"]
    assert (message["serving"], message["champion"], message["restart_needed"]) == (
        tiny_bundle.version,
        tiny_bundle.version,
        False,
    )
    assert (model["profile"], model["created_at"]) == ("tiny", tiny_bundle.manifest.created_at)
    assert (model["provider"], model["threads"], model["golden_rows"]) == ("cpu", 1, "reproduced")
    assert model["runtime"]["onnxruntime"].startswith("onnxruntime")
    assert "CPUExecutionProvider" in model["runtime"]["offers"]
    assert [member["name"] for member in model["members"]] == list(tiny_bundle.manifest.members)
    assert all(member["graphs"] for member in model["members"])
    assert [stored["version"] for stored in message["versions"]] == [tiny_bundle.version]
    assert message["promotions"][-1]["version"] == tiny_bundle.version
    assert MARKER not in json.dumps(message)


def test_a_token_for_answers_alone_may_not_read_it(server: Server) -> None:
    with server.client(scopes=["understand", "answer"]) as client:
        response = client.get("/v1/admin/models")

    assert response.status_code == 403
    assert "admin" in response.json()["detail"]
