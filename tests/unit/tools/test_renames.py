"""Renaming modules and identifiers, and the proof that nothing else was changed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools.compare_ast import Comparison, compare_commits
from tools.rename import replace_identifiers, replace_modules
from tools.renames import parse

RENAMES = parse(
    """
| old | new |
|---|---|
| `shop/door.py` | `shop/entrance.py` |
| `shop.old` | `shop.new` |

| old | new | where |
|---|---|---|
| `Judge` | `Reviewer` | |
| `judge` | `review` | `shop/*.py` |
| `judge` | `predict` | models/*.py, `runners/*.py` |
"""
)


def differences(old: str, new: str) -> list[str]:
    comparison = Comparison("shop/x.py", RENAMES)
    comparison.compare(ast.parse(old), ast.parse(new))
    return comparison.differences


def test_modules_move_with_their_package() -> None:
    assert RENAMES.path("shop/door.py") == "shop/entrance.py"
    assert RENAMES.path("shop/old/x.py") == "shop/new/x.py"
    assert RENAMES.path("shop/old/__init__.py") == "shop/new/__init__.py"
    assert RENAMES.path("shop/older.py") == "shop/older.py"


def test_a_name_for_certain_files_applies_there_alone() -> None:
    assert RENAMES.in_file("shop/x.py") == {"Judge": "Reviewer", "judge": "review"}
    assert RENAMES.in_file("models/x.py") == {"Judge": "Reviewer", "judge": "predict"}
    assert RENAMES.in_file("cli/x.py") == {"Judge": "Reviewer"}


def test_two_new_names_in_one_file_are_refused() -> None:
    with pytest.raises(ValueError, match="both"):
        parse("| `a` | `b` |\n| `a` | `c` |").in_file("x.py")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from shop.door import Judge", "from shop.entrance import Reviewer"),
        ("import shop.old.x\nimport a", "import a\nimport shop.new.x"),
        ("from shop import door", "from shop import entrance"),
        ("def f(told): return told", "def f(text): return text"),
        ("def f():\n  'Doc.'\n  found = 1\n  return found", "def f():\n  size = 1\n  return size"),
        ("[one for one in x]", "[row for row in x]"),
        ("def _f(told): ...\n_f(told=1)", "def _g(text): ...\n_g(text=1)"),
        ("class A:\n  def f(self): self._told = 1", "class A:\n  def f(self): self._text = 1"),
        ("x.judge(1)", "x.predict(1)"),
        ("patch('shop.door.Judge')", "patch('shop.entrance.Reviewer')"),
        ("match x:\n  case Judge(one): y = one", "match x:\n  case Reviewer(row): y = row"),
    ],
)
def test_a_renaming_is_no_difference(old: str, new: str) -> None:
    if old.startswith("match"):
        old, new = (f"def f(x):\n  {text.replace(chr(10), chr(10) + '  ')}" for text in (old, new))
    assert differences(old, new) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("f(1)", "f(2)"),
        ("f(a)", "f(b)"),
        ("x.told", "x.text"),
        ("def f(a, b): return a - b", "def f(a, b): return b - a"),
        ("def f(a, b): return a - b", "def f(c, d): return c - c"),
        ("def f(a): return a", "def f(a): return -a"),
        ("a = 1\nb = 2", "b = 2\na = 1"),
        ("from shop.door import Judge", "from shop.entrance import Judges"),
        ("from a import b", "from a import b, c"),
        ("if a: f()", "if not a: f()"),
        ("log('it judge')", "log('it said')"),
        ("class A:\n  told: int", "class A:\n  text: int"),
        ("def f(*, told): ...", "def f(*, told=1): ..."),
        ("x: int = 1", "x = 1"),
    ],
)
def test_anything_else_is_a_difference(old: str, new: str) -> None:
    assert differences(old, new) != []


def test_identifiers_are_replaced_in_code_and_in_backticks_but_not_in_prose_or_other_words() -> None:
    source = '"""The judge of `Judge.judge`."""\nx = judge(a)  # `judge`, judge\njudgement = "judge"\n'
    assert replace_identifiers(source, {"judge": "review", "Judge": "Reviewer"}) == (
        '"""The judge of `Reviewer.review`."""\nx = review(a)  # `review`, judge\njudgement = "judge"\n'
    )


@pytest.mark.skipif(sys.version_info < (3, 12), reason="an older tokenizer takes an f-string for one token")
def test_identifiers_in_f_strings_are_replaced() -> None:
    assert replace_identifiers('f"{judge} judge"', {"judge": "review"}) == 'f"{review} judge"'


def test_modules_are_replaced_as_dotted_names_as_paths_and_in_imports_from_their_package() -> None:
    text = "shop.door shop/door.py `from shop import a, door` xshop.door shop.doors shop.old.x shop/old/"
    assert replace_modules(text, RENAMES) == (
        "shop.entrance shop/entrance.py `from shop import a, entrance` xshop.door shop.doors shop.new.x shop/new/"
    )


def test_two_commits_are_compared_file_by_file(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        process = subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, capture_output=True, check=True, text=True
        )
        return process.stdout.strip()

    def commit(files: dict[str, str]) -> str:
        for file in tmp_path.glob("shop/*.py"):
            file.unlink()
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        git("add", "--all")
        git("commit", "--quiet", "--message", "x")
        return git("rev-parse", "HEAD")

    git("init", "--quiet")
    old = commit({"shop/door.py": "class Judge: ...\n", "shop/y.py": "x = 1\n"})
    new = commit({"shop/entrance.py": "class Reviewer: ...\n", "shop/y.py": "x = 1\n"})
    assert list(compare_commits(old, new, RENAMES, tmp_path)) == []
    worse = commit({"shop/entrance.py": "class Reviewer: ...\n", "shop/y.py": "x = 2\n", "shop/z.py": ""})
    assert list(compare_commits(old, worse, RENAMES, tmp_path)) == [
        "shop/z.py: new",
        "shop/y.py:1: constant 2 in place of 1",
    ]


def test_names_in_backticks_are_replaced_in_docstrings_and_comments_but_not_in_other_strings() -> None:
    source = 'def f():\n    """Call `old`."""\n    return "use `old`"  # `a.old`\n'
    expected = 'def f():\n    """Call `new`."""\n    return "use `old`"  # `a.new`\n'
    assert replace_identifiers(source, {"old": "new"}) == expected
