"""The vocabulary check of `make lint`."""

from __future__ import annotations

import pytest

from tools.vocabulary import Vocabulary, check_file, check_module_names

VOCABULARY = Vocabulary(
    {"anew": "again", "is none": "is missing"}, {"told": "message"}, ("shop", "README.md"), ("*_pb2.py",)
)


def findings(path: str, content: str) -> list[str]:
    return [
        finding.split(":", 2)[1] + ":" + finding.split(":", 2)[2] for finding in check_file(path, content, VOCABULARY)
    ]


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("x.py", '"""It begins\nanew."""\n', ['2: "anew"; write: again']),
        ("x.py", "x = 1  # it is none\n", ['1: "is none"; write: is missing']),
        ("x.py", 'raise E("Do it Anew.")\n', ['1: "Anew"; write: again']),
        ("x.py", "def f(told): ...\n", ["1: name told; write: message"]),
        ("x.py", "self._told = 1\n", ["1: name _told; write: message"]),
        ("x.py", "for told in x: ...\n", ["1: name told; write: message"]),
        ("x.md", "Once more, anew.\n", ['1: "anew"; write: again']),
        ("x.yaml", "a: b  # anew\n", ['1: "anew"; write: again']),
        ("x.yaml", "# as 'anew'\n", ['1: "anew"; write: again']),
        ("x.py", "try: ...\nexcept E as told: ...\n", ["2: name told; write: message"]),
        ("x.py", "match x:\n    case {'a': told}: ...\n", ["2: name told; write: message"]),
        ("x.py", "import os.path as told\n", ["1: name told; write: message"]),
        ("x.py", "a = f\"{row['anew']!r:>{width}} it is none\"\n", ['1: "is none"; write: is missing']),
        ("x.md", "~~~text\n```\nanew\n~~~\nanew\n", ['5: "anew"; write: again']),
        ("x.md", "````md\n```\nanew\n```\nanew\n````\n", []),
        ("x.md", "``it ` anew`` and anew\n", ['1: "anew"; write: again']),
    ],
)
def test_a_refused_word_is_found_with_its_line_and_alternative(path: str, content: str, expected: list[str]) -> None:
    assert findings(path, content) == expected


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("x.yaml", 'name: "say # anew"\n'),
        ("x.yaml", "name: 'it''s # anew'\n"),
        ("x.py", "a = f\"{row['anew']} rows\"\n"),
        ("x.py", "anew = 1\n"),
        ("x.py", "x = 'anew'\n"),
        ("x.py", "x = 1  # see `anew`\n"),
        ("x.py", "x = 1  # newness and anew-ish\n"),
        ("x.py", "x.told\n"),
        ("x.py", "told = 1  # vocabulary: the name of the protocol's field\n"),
        ("x.md", "```\nanew\n```\n"),
        ("x.md", "`anew`\n"),
        ("x.md", "anew <!-- vocabulary: a quotation -->\n"),
        ("x.yaml", "anew: b\n"),
        ("x.txt", "anew\n"),
    ],
)
def test_code_quotations_and_exceptions_with_a_reason_are_left_alone(path: str, content: str) -> None:
    assert findings(path, content) == []


def test_an_exception_needs_a_reason() -> None:
    assert findings("x.py", "told = 1  # vocabulary:\n") == ["1: name told; write: message"]


def test_only_the_listed_folders_are_checked() -> None:
    assert VOCABULARY.covers("shop/x.py")
    assert VOCABULARY.covers("README.md")
    assert not VOCABULARY.covers("shopping/x.py")
    assert not VOCABULARY.covers("shop/x_pb2.py")


def test_a_module_name_in_two_packages_needs_an_entry_in_the_glossary() -> None:
    paths = ["a/gate.py", "b/gate.py", "a/__init__.py", "b/__init__.py", "c/x.py"]
    assert [finding.split(";")[0] for finding in check_module_names(paths, "")] == [
        "module gate exists as a/gate.py, b/gate.py"
    ]
    assert list(check_module_names(paths, "| `gate` | ... |")) == []
