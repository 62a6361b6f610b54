"""Fixtures for tests that need their own records on the shared server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import httpx2
import pytest

from tests.support.serving import Server


@pytest.fixture
def tenant() -> str:
    """A tenant that no other test uses."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def client(server: Server, tenant: str) -> Iterator[httpx2.Client]:
    """A client of the shared server with all scopes for `tenant`."""
    with server.client(tenant=tenant) as opened:
        yield opened
