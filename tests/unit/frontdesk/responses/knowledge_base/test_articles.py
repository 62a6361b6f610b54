"""Parsing of passages: valid and invalid files, error messages, and the starter passages."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from frontdesk.errors import ConfigurationError
from frontdesk.responses.knowledge_base.articles import STARTER_KNOWLEDGE, Knowledge, Passage
from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy
from frontdesk.types import CustomerTier

DAY = date(2026, 6, 1)
FIELDS = {
    "id": "cancel-order",
    "title": "Cancelling an order",
    "intents": "[cancel_order]",
    "owner": "support-lead",
    "valid_from": "2026-01-01",
}


def write(folder: Path, name: str = "cancel.md", text: str = "You can cancel.", **changes: str | None) -> Path:
    fields = {**FIELDS, **changes}
    front = "\n".join(f"{field}: {value}" for field, value in fields.items() if value is not None)
    path = folder / name
    path.write_text(f"---\n{front}\n---\n\n{text}\n", encoding="utf-8")
    return path


def test_a_passage_is_read_with_all_its_fields(tmp_path: Path) -> None:
    write(tmp_path, text="First.\n\n---\n\nSecond: **bold**.", valid_until="2026-12-31")

    assert Knowledge.read(tmp_path).passages == (
        Passage(
            "cancel-order",
            "Cancelling an order",
            ("cancel_order",),
            "support-lead",
            date(2026, 1, 1),
            date(2026, 12, 31),
            "First.\n\n---\n\nSecond: **bold**.",
        ),
    )


def test_a_passage_written_on_windows_is_read_alike(tmp_path: Path) -> None:
    path = write(tmp_path, text="Zurück.")
    before = Knowledge.read(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    assert Knowledge.read(tmp_path) == before


def test_only_passages_valid_on_the_day_are_found_first_and_last_day_included(tmp_path: Path) -> None:
    write(tmp_path, "a.md", id="spring", valid_from="2026-03-01", valid_until="2026-05-31")
    write(tmp_path, "b.md", id="later", valid_from="2026-05-31")
    knowledge = Knowledge.read(tmp_path)

    def valid_ids(day: date) -> list[str]:
        return [passage.id for passage in knowledge.for_intent("cancel_order", day)]

    assert valid_ids(date(2026, 2, 28)) == []
    assert valid_ids(date(2026, 3, 1)) == ["spring"]
    assert valid_ids(date(2026, 5, 31)) == ["spring", "later"]
    assert valid_ids(date(2026, 6, 1)) == ["later"]


def test_a_passage_may_answer_several_intents_and_the_others_are_missing(tmp_path: Path) -> None:
    write(tmp_path, intents="[cancel_order, change_order]")
    knowledge = Knowledge.read(tmp_path)

    assert knowledge.for_intent("change_order", DAY) == knowledge.for_intent("cancel_order", DAY) != ()
    assert knowledge.for_intent("order", DAY) == ()
    assert knowledge.uncovered_intents(["change_order", "review", "cancel_order", "complaint"]) == (
        "review",
        "complaint",
    )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"title": None}, "title is missing"),
        ({"valid_from": None}, "valid_from is missing"),
        ({"colour": "red"}, "colour is unknown"),
        ({"id": "17"}, "id must be a text, not 17"),
        ({"owner": "' '"}, "owner must be a text"),
        ({"intents": "cancel_order"}, "intents must be a list"),
        ({"intents": "[]"}, "intents must be a list"),
        ({"intents": "[no]"}, "intents must be a text, not False"),
        ({"valid_from": "soon"}, "valid_from must be a date"),
        ({"valid_from": "2026-01-01 10:00:00"}, "valid_from must be a date"),
        ({"valid_from": "2026-02-30"}, "the front matter is not valid YAML"),
        ({"valid_until": "2025-12-31"}, r"valid_until \(2025-12-31\) lies before valid_from"),
        ({"valid_until": "''"}, "valid_until must be a date"),
        ({"title": "["}, "the front matter is not valid YAML"),
        ({"text": ""}, "the passage below the front matter is empty"),
        ({"text": "Reply[[ with your order number]."}, r"\[\[ and \]\] must come in pairs"),
        ({"text": "Reply [[with [your] number]]."}, r"\[\[ and \]\] must come in pairs"),
    ],
)
def test_a_wrong_file_is_refused_naming_file_and_field(
    changes: dict[str, str | None], problem: str, tmp_path: Path
) -> None:
    write(tmp_path, **changes)  # type: ignore[arg-type]  # `text` is among the changes, and never None

    with pytest.raises(ConfigurationError, match=rf"cancel\.md: {problem}"):
        Knowledge.read(tmp_path)


@pytest.mark.parametrize("content", ["", "Just text.", "---\nid: x\n", "\n---\nid: x\n---\ntext"])
def test_a_file_without_front_matter_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "bare.md").write_text(content)

    with pytest.raises(ConfigurationError, match=r"bare\.md has no front matter"):
        Knowledge.read(tmp_path)


def test_front_matter_that_is_no_mapping_and_text_that_is_not_utf8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.md"
    path.write_text("---\n- id\n---\ntext")
    with pytest.raises(ConfigurationError, match=r"odd\.md: the front matter must be a mapping"):
        Knowledge.read(tmp_path)
    path.write_bytes(b"---\nid: \xff\n---\ntext")
    with pytest.raises(ConfigurationError, match=r"odd\.md is not UTF-8: .* at byte 8"):
        Knowledge.read(tmp_path)


def test_an_id_that_two_files_use_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.md")
    write(tmp_path, "b.md")

    with pytest.raises(ConfigurationError, match=r"b\.md: id is 'cancel-order', as in a\.md"):
        Knowledge.read(tmp_path)


def test_a_folder_that_is_missing_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no knowledge folder"):
        Knowledge.read(tmp_path / "none")
    with pytest.raises(ConfigurationError, match=r"holds no passages"):
        Knowledge.read(tmp_path)


def test_other_files_subfolders_and_editors_own_files_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "notes.txt").write_text("no passage")
    (tmp_path / ".#cancel.md").symlink_to("somebody@somewhere:42")
    (tmp_path / "drafts").mkdir()
    write(tmp_path / "drafts", id="draft")

    assert [passage.id for passage in Knowledge.read(tmp_path).passages] == ["cancel-order"]


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    outside = write(tmp_path, "secret.md")
    folder = tmp_path / "knowledge"
    folder.mkdir()
    (folder / "secret.md").symlink_to(outside)

    with pytest.raises(ConfigurationError, match=r"secret\.md is a link out of the knowledge folder"):
        Knowledge.read(folder)


def test_links_within_the_folder_are_followed_as_kubernetes_mounts_them(tmp_path: Path) -> None:
    (tmp_path / "..2026_06_01").mkdir()
    write(tmp_path / "..2026_06_01")
    (tmp_path / "..data").symlink_to("..2026_06_01")
    (tmp_path / "cancel.md").symlink_to("..data/cancel.md")

    assert len(Knowledge.read(tmp_path).passages) == 1


def test_what_is_not_a_regular_file_is_refused_without_being_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")

    with pytest.raises(ConfigurationError, match=r"pipe\.md is not a regular file"):
        Knowledge.read(tmp_path)


def test_every_starter_intent_has_a_valid_passage_of_a_readable_length() -> None:
    knowledge = Knowledge.read(STARTER_KNOWLEDGE)
    labels = Taxonomy.read(STARTER_TAXONOMY).labels

    assert knowledge.uncovered_intents(labels) == ()
    for label in labels:
        for passage in (passages := knowledge.for_intent(label, DAY)):
            assert passage.valid_until is None
            assert 30 <= len(passage.text.split()) <= 120
            assert "[" not in passage.text, "a bracket could be mistaken for a placeholder"
        assert passages, label


def test_no_starter_passage_speaks_of_an_intent_that_does_not_exist() -> None:
    labels = set(Taxonomy.read(STARTER_TAXONOMY).labels)

    assert {intent for passage in Knowledge.read(STARTER_KNOWLEDGE).passages for intent in passage.intents} <= labels


def test_audience_and_language_are_optional_and_checked(tmp_path: Path) -> None:
    write(tmp_path, audience="[premium, enterprise]", language="de")
    (passage,) = Knowledge.read(tmp_path).passages

    assert passage.language == "de"
    assert passage.is_for(CustomerTier.PREMIUM)
    assert not passage.is_for(CustomerTier.FREE)


@pytest.mark.parametrize(("field", "value"), [("audience", "[vip]"), ("audience", "premium"), ("language", "German")])
def test_an_audience_or_language_that_does_not_exist_is_refused(tmp_path: Path, field: str, value: str) -> None:
    write(tmp_path, **{field: value})
    with pytest.raises(ConfigurationError, match=field):
        Knowledge.read(tmp_path)
