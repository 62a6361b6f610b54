"""Paths in requests never reach files: exports have a fixed name, and path traversal has no effect.

Links out of the knowledge folder are tested in `tests/unit/frontdesk/responses/knowledge_base/test_articles.py`, the
champion's pointer in `tests/unit/model_store/test_promotion.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import httpx2
import pytest

from tests.support.serving import Server

PATHS = (
    "../../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\etc\\passwd",
    "file:///etc/passwd",
    "....//....//etc/passwd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "keys/audit.key",
    "csv/../../keys",
    "csv\r\nset-cookie: a=b",
    'csv"; filename="evil.exe',
)
FILES = (b"root:x:", b"daemon:", b"[boot loader]")


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx2.Client]:
    with server.client(tenant="traveller") as opened:
        yield opened


@pytest.mark.parametrize("path", PATHS)
def test_an_export_has_its_two_forms_and_its_one_name(client: httpx2.Client, path: str) -> None:
    refused = client.get("/v1/queries/export", params={"format": path})
    assert refused.status_code == 400
    for name in ("customer_id", "intent"):  # a filter is a value, regardless of its content
        filtered = client.get("/v1/queries/export", params={"format": "csv", name: path})
        assert filtered.status_code in (200, 400)
        if filtered.status_code == 200:
            assert filtered.headers["content-disposition"] == 'attachment; filename="queries.csv"'
        assert "set-cookie" not in filtered.headers
        assert not any(trace in filtered.content for trace in FILES)


@pytest.mark.parametrize("path", PATHS)
def test_no_id_is_a_path(client: httpx2.Client, path: str) -> None:
    """As a part of the URL path: escaped as one segment, and unescaped."""
    escaped = quote(path, safe="").replace(".", "%2E")
    for part in (escaped, escaped.replace("%2F", "/").replace("%2E", ".")):
        for target in (f"/v1/queries/{part}", f"/v2/models/{part}", f"/v2/models/ensemble/versions/{part}/config",
                      f"/v1/customers/{part}/history", f"/static_content/{part}"):  # fmt: skip
            response = client.get(target)
            assert response.status_code in (400, 404), target
            assert not any(trace in response.content for trace in FILES)
    for action in ("retry", "drop"):
        assert client.post(f"/v1/admin/outbox/{escaped}/{escaped}/{action}", json={}).status_code == 404
