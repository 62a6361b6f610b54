"""Names that are stored or public change only together with stable_names.yaml."""

from __future__ import annotations

from functools import cache

import pytest

from tests.unit.stable_names.collectors import COLLECTORS, differences, settled, written

CHANGED = """{count} stored or public names changed. Databases, bundles, clients, dashboards and scripts depend on them.
If the change is intended, write the file again and say in the commit what happens to what exists:
    python -m tests.unit.stable_names
"""


@cache
def expected() -> dict[str, list[str]]:
    return written()


@pytest.mark.parametrize("kind", COLLECTORS)
def test_stored_and_public_names_are_those_of_the_file(kind: str) -> None:
    results = differences(kind, expected().get(kind, []), settled(kind, list(COLLECTORS[kind]())))

    assert not results, "\n".join([CHANGED.format(count=len(results)), *results])


def test_the_file_has_no_other_kinds() -> None:
    assert set(expected()) == set(COLLECTORS)


@pytest.mark.parametrize("kind", COLLECTORS)
def test_every_kind_has_names(kind: str) -> None:
    assert len(expected()[kind]) > 1


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["0001", "0002"], []),
        (["0001"], ["migrations: missing: 0002"]),
        (["0001", "0002", "0003"], ["migrations: unexpected: 0003"]),
        (["0002", "0001"], ["migrations: the order is ['0002', '0001'], not ['0001', '0002']"]),
    ],
)
def test_a_difference_names_what_is_missing_and_what_is_unexpected(names: list[str], found: list[str]) -> None:
    assert differences("migrations", ["0001", "0002"], names) == found
