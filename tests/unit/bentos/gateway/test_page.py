"""The try-it page: one file without external scripts, which inserts text safely and knows all values of the API."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import bentos.gateway
from frontdesk.decision.rules import REASON_TEXTS
from frontdesk.types import Action, Channel, CustomerTier, PriorityLevel

PAGE = (Path(bentos.gateway.__path__[0]) / "page.html").read_text(encoding="utf-8")


class Elements(HTMLParser):
    """Every start tag of the page with its attributes, and the options of each select."""

    def __init__(self) -> None:
        super().__init__()
        self.start_tags: list[tuple[str, dict[str, str | None]]] = []
        self.options: dict[str, list[str]] = {}
        self.feed(PAGE)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.start_tags.append((tag, dict(attrs)))
        if tag == "select":
            self.options[dict(attrs)["id"] or ""] = []

    def handle_data(self, data: str) -> None:
        if self.start_tags and self.start_tags[-1][0] == "option" and data.strip():
            [*self.options.values()][-1].append(data.strip())


ELEMENTS = Elements()
SCRIPT = PAGE[PAGE.index("<script>") : PAGE.index("</script>")]


def keys_of(constant: str) -> set[str]:
    body = re.search(rf"const {constant} = \{{(.*?)\}};", SCRIPT, re.DOTALL)
    assert body is not None
    return set(re.findall(r"(\w+): ", re.sub(r'"[^"]*"', "", body[1])))


def test_the_page_is_one_file_with_one_style_and_one_script() -> None:
    tags = [tag for tag, _ in ELEMENTS.start_tags]

    assert (tags.count("style"), tags.count("script")) == (1, 1)
    assert not {"img", "iframe", "object", "embed", "base"} & set(tags)
    assert "://" not in PAGE
    assert "@import" not in PAGE and "url(" not in PAGE


def test_no_element_has_an_inline_handler_or_style() -> None:
    names = {name for _, attributes in ELEMENTS.start_tags for name in attributes}

    assert not {name for name in names if name.startswith("on") or name == "style"}


@pytest.mark.parametrize(
    "sink", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc"]
)
def test_nothing_is_ever_inserted_as_markup_or_code(sink: str) -> None:
    assert sink not in SCRIPT


def test_every_field_has_a_label() -> None:
    labelled = {attributes["for"] for tag, attributes in ELEMENTS.start_tags if tag == "label"}
    fields = {attributes["id"] for tag, attributes in ELEMENTS.start_tags if tag in ("textarea", "input", "select")}

    assert fields == labelled == {"text", "channel", "tier", "token", "store"}


def test_the_reasons_are_explained_as_the_decision_explains_them() -> None:
    reasons = re.search(r"const REASONS = (\{.*?\});", SCRIPT, re.DOTALL)

    assert reasons is not None
    assert json.loads(reasons[1]) == REASON_TEXTS


def test_every_action_and_level_has_its_words_or_colour() -> None:
    assert keys_of("ACTIONS") == set(Action)
    assert keys_of("LEVELS") == set(PriorityLevel)


def test_the_choices_are_those_of_the_contract() -> None:
    assert ELEMENTS.options == {"channel": list(Channel), "tier": list(CustomerTier)}
