"""The policy computed for a page: its inline elements by hash, and nothing by keyword."""

from __future__ import annotations

import base64
import hashlib

import pytest

from bentos.gateway.content_security import content_security_policy

PAGE = """<!doctype html><title>A page</title>
<style>
p > a::before { content: "&amp;"; }
</style>
<script src="/static_content/a.js"></script>
<script>
if (1 < 2 && "</p>") document.title = "é &lt; ü";
</script>
<script type="module">second()</script>"""


def directives(policy: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (part.split() for part in policy.split("; "))}


def hash_source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_each_inline_script_and_style_is_allowed_by_the_hash_of_its_exact_text() -> None:
    policy = directives(content_security_policy(PAGE))

    scripts = ['\nif (1 < 2 && "</p>") document.title = "é &lt; ü";\n', "second()"]
    assert policy["script-src"] == [hash_source(script) for script in scripts]
    assert policy["style-src"] == [hash_source('\np > a::before { content: "&amp;"; }\n')]


def test_files_of_this_server_are_allowed_only_where_the_page_loads_some() -> None:
    assert "'self'" not in directives(content_security_policy(PAGE))["script-src"]
    assert directives(content_security_policy(PAGE, static_files=True))["script-src"][0] == "'self'"


@pytest.mark.parametrize("static_files", [True, False])
def test_nothing_is_allowed_by_keyword_scheme_or_wildcard(static_files: bool) -> None:
    policy = directives(content_security_policy(PAGE, static_files=static_files))

    allowed = {source for sources in policy.values() for source in sources if not source.startswith("'sha256-")}
    assert allowed == {"'none'", "'self'", "data:"}
    assert [name for name, sources in policy.items() if "data:" in sources] == ["img-src"]
    for name in ("default-src", "base-uri", "form-action", "frame-ancestors"):
        assert policy[name] == ["'none'"]


def test_a_page_without_inline_elements_allows_none() -> None:
    assert "script-src" not in directives(content_security_policy("<p>text</p>"))
