"""The starter corpus agrees with its data card."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from difflib import SequenceMatcher

from frontdesk.masking import mask
from frontdesk.taxonomy import OUT_OF_SCOPE, STARTER_TAXONOMY, Taxonomy
from training.data.data_check import find_row_issues
from training.data.examples import STARTER_CORPUS, read_examples, read_rows

ROWS = [
    json.loads(line)
    for file in sorted(STARTER_CORPUS.glob("*.jsonl"))
    for line in file.read_text(encoding="utf-8").splitlines()
]
CUES = {"deadline", "waiting", "repeated", "money_loss", "legal", "public", "churn", "security", "vulnerable"}


def test_every_intent_has_124_messages_and_the_rows_without_one_are_as_many_as_the_card_says() -> None:
    counted = Counter(row["intent"] for row in ROWS)
    assert counted.pop(OUT_OF_SCOPE) == 440
    assert counted.pop(None) == 420
    assert set(counted) == set(Taxonomy.read(STARTER_TAXONOMY).labels)
    assert set(counted.values()) == {124}


def test_each_file_holds_one_intent_and_social_the_rows_without_one() -> None:
    for file in STARTER_CORPUS.glob("*.jsonl"):
        intents = {json.loads(line)["intent"] for line in file.read_text(encoding="utf-8").splitlines()}
        assert intents == {None if file.stem == "social" else file.stem}


def test_rows_without_an_intent_are_read_for_sentiment_only_and_never_as_out_of_scope() -> None:
    social = read_examples(STARTER_CORPUS / "social.jsonl")
    assert len(social) == 420
    assert not any(example.out_of_scope or example.intent for example in social)


def test_no_group_holds_two_labels() -> None:
    labels: dict[str, set[str | None]] = defaultdict(set)
    for row in ROWS:
        labels[row["group"]].add(row["intent"])
    assert [group for group, group_labels in labels.items() if len(group_labels) > 1] == []


def test_every_row_has_the_fields_of_the_card_and_known_labels() -> None:
    for row in ROWS:
        assert set(row) == {"text", "intent", "sentiment", "cues", "group"}
        assert row["sentiment"] in ("negative", "neutral", "positive")
        assert set(row["cues"]) <= CUES
        assert 1 <= len(row["text"]) <= 4000
        assert row["text"] == row["text"].strip()


def test_no_message_comes_twice_even_with_numbers_and_case_ignored() -> None:
    counts = Counter("".join(c for c in mask(row["text"]).text.lower() if c.isalpha()) for row in ROWS)
    assert [text for text, count in counts.items() if count > 1 and len(text) > 12] == []


def test_sentiment_does_not_give_the_intent_away() -> None:
    for intent in {row["intent"] for row in ROWS}:
        moods = Counter(row["sentiment"] for row in ROWS if row["intent"] == intent)
        total = sum(moods.values())
        assert all(0.2 <= moods[mood] / total <= 0.5 for mood in ("negative", "neutral", "positive")), intent


def test_messages_of_an_intent_are_no_template_with_slots() -> None:
    """Outside a group of paraphrases, hardly any two messages of an intent read alike."""
    for intent in [*sorted({row["intent"] for row in ROWS if row["intent"] is not None})[::4], None]:
        rows = [row for row in ROWS if row["intent"] == intent]
        alike = sum(
            SequenceMatcher(None, one["text"].lower(), other["text"].lower(), autojunk=False).quick_ratio() > 0.9
            and SequenceMatcher(None, one["text"].lower(), other["text"].lower(), autojunk=False).ratio() > 0.85
            for index, one in enumerate(rows)
            for other in rows[index + 1 :]
            if one["group"] != other["group"]
        )
        assert alike <= 3, intent


def test_the_data_check_finds_no_error() -> None:
    assert [of for of in find_row_issues(read_rows(STARTER_CORPUS)) if of.kind == "error"] == []
