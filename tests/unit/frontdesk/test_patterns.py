"""Possessive groups whose repetition can fail halfway: Python before 3.11.5 continues at the wrong position.

Debian 12 has Python 3.11.2, with which such a pattern left 15 % of account numbers unmasked (CPython issue 106052). A
repetition is safe if it is a single character, or starts with a lookahead of single characters that decides it.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined]  # Python's own parser of patterns
from typing import Any

import pytest

import frontdesk

UNITS = {_constants.LITERAL, _constants.NOT_LITERAL, _constants.IN, _constants.ANY, _constants.GROUPREF}
REPEATS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT}


def patterns() -> Iterator[re.Pattern[str]]:
    """All patterns in the modules of the product, including those in tuples and tables."""

    def held(value: object) -> Iterator[re.Pattern[str]]:
        if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
            yield value
        elif isinstance(value, tuple | list | frozenset):
            for item in value:
                yield from held(item)
        elif isinstance(value, dict):
            yield from held([*value.keys(), *value.values()])

    for module in pkgutil.walk_packages(frontdesk.__path__, "frontdesk."):
        if ".migrations" not in module.name:
            for value in vars(importlib.import_module(module.name)).values():
                yield from held(value)


def body_of(item: Any) -> list[Any]:
    """The items of a group, without groups that only set flags."""
    items = list(item)
    while len(items) == 1 and items[0][0] is _constants.SUBPATTERN and items[0][1][0] is None:
        items = list(items[0][1][3])
    return items


def is_safe(items: list[Any]) -> bool:
    """Whether a repetition of these items either succeeds or fails at its first character."""
    if len(items) == 1 and items[0][0] is _constants.BRANCH:
        return all(is_safe(body_of(branch)) for branch in items[0][1][1])
    kind, argument = items[0]
    if kind is _constants.ASSERT:
        return all(unit in UNITS for unit, _ in argument[1])
    is_unit = kind in UNITS or (kind in REPEATS and [unit for unit, _ in body_of(argument[2])] in [[u] for u in UNITS])
    return is_unit and all(rest in REPEATS and value[0] == 0 for rest, value in items[1:])


def unsafe(items: Any) -> Iterator[Any]:
    """The items of every possessive repetition that is not safe."""
    for kind, argument in items:
        if kind is _constants.POSSESSIVE_REPEAT and not is_safe(body_of(argument[2])):
            yield argument
        for value in argument if isinstance(argument, tuple | list) else [argument]:
            if isinstance(value, _parser.SubPattern):
                yield from unsafe(value)
            elif kind is _constants.BRANCH and isinstance(value, list):
                for branch in value:
                    yield from unsafe(branch)


def parsed(pattern: str, flags: int = 0) -> Any:
    return _parser.parse(pattern, flags & ~re.DEBUG)


def test_possessive_groups_of_the_product_match_alike_in_every_python() -> None:
    unsafe_patterns = [pattern.pattern for pattern in patterns() if any(unsafe(parsed(pattern.pattern, pattern.flags)))]
    assert unsafe_patterns == []


def test_the_product_has_possessive_groups() -> None:
    assert sum(")*+" in pattern.pattern or ")++" in pattern.pattern for pattern in patterns()) >= 3


@pytest.mark.parametrize(
    "pattern", [r"a(?:-b+)*+", r"(?:(?:x|y-)z)++", r"(?:[a-c]|-(?=[a-c])){0,30}+", r"(?:\.\w++)++"]
)
def test_a_repetition_that_can_fail_halfway_is_found(pattern: str) -> None:
    assert any(unsafe(parsed(pattern)))


@pytest.mark.parametrize(
    "pattern", [r"(?:[a-c])*+", r"(?:(?=-b)-b++)*+", r"(?:[a-c]++(?:(?=-b)-b)*+-?)?+", r"\w{1,9}+"]
)
def test_a_safe_repetition_is_not_reported(pattern: str) -> None:
    assert not any(unsafe(parsed(pattern)))
