"""The generated code in the repository is up to date with the schema."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bentos.grpc.generate import GENERATED, PROTO, ROOT, generate_protobuf_code

VERSIONS = re.compile(r"(# Protobuf Python Version: |GRPC_GENERATED_VERSION = )\S+|^    \d+,$", re.MULTILINE)
"""Lines with the version of the compiler. Another version may generate the same code."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed")
    return generate_protobuf_code(tmp_path_factory.mktemp("made"))


@pytest.mark.parametrize("name", GENERATED)
def test_the_generated_code_is_up_to_date(made: Path, name: str) -> None:
    committed_file = (ROOT / PROTO).parent / name
    generated, committed = (
        VERSIONS.sub("", path.read_text(encoding="utf-8")) for path in (made / name, committed_file)
    )
    assert generated == committed, "run `make proto`"


def test_no_other_files_are_generated(made: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == sorted(GENERATED)
