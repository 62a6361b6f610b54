"""A migrated SQLite database for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from frontdesk.storage.database import migrate, open_database


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "frontdesk.db"


@pytest.fixture
def url(database_file: Path) -> str:
    return f"sqlite:///{database_file}"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    migrate(url)
    engine = open_database(url)
    yield engine
    engine.dispose()
