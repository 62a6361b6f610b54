from __future__ import annotations

from pathlib import Path

import pytest

from frontdesk.errors import ConfigurationError
from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy


def test_the_starter_taxonomy_has_27_intents_each_with_actions_and_a_description() -> None:
    taxonomy = Taxonomy.read(STARTER_TAXONOMY)
    assert len(taxonomy.labels) == len(set(taxonomy.labels)) == 27
    assert all(intent.actions and intent.description for intent in taxonomy.intents)
    assert taxonomy.intents_without_policy() == ()


def test_every_action_of_the_closed_list_is_used() -> None:
    taxonomy = Taxonomy.read(STARTER_TAXONOMY)
    assert {action for intent in taxonomy.intents for action in intent.actions} == set(taxonomy.actions)


def test_an_intent_without_policy_is_medium_and_never_automated() -> None:
    taxonomy = Taxonomy.read(STARTER_TAXONOMY).with_labels(["track_order", "card_lost"])
    policy = taxonomy.policy("card_lost")
    assert (policy.urgency, policy.automate, policy.is_defined) == ("medium", False, False)
    assert taxonomy.intents_without_policy() == ("card_lost",)


def test_a_taxonomy_is_unchanged_after_conversion_to_plain_data() -> None:
    taxonomy = Taxonomy.read(STARTER_TAXONOMY).with_labels(["track_order", "card_lost"])
    assert Taxonomy.from_mapping(taxonomy.to_mapping()) == taxonomy


def test_an_action_may_list_its_slots() -> None:
    data = {
        "intents": {"a": {"actions": ["fly", "land"]}},
        "actions": {"fly": {"does": "Fly there", "needs": ["order", "date"]}, "land": "Land there"},
    }
    taxonomy = Taxonomy.from_mapping(data)
    assert taxonomy.actions == {"fly": "Fly there", "land": "Land there"}
    assert taxonomy.needs == {"fly": ("order", "date")}
    assert Taxonomy.from_mapping(taxonomy.to_mapping()) == taxonomy
    assert taxonomy.to_mapping()["actions"] == data["actions"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("intents: {a: {urgency: soon}}", "urgency"),
        ("intents: {yes: {urgency: low}}", "True"),
        ("intents: {a: {actions: [fly]}}", "fly"),
        ("intents: {a: {automat: true}}", "automat"),
        ("{intents: {a: {}}, actions: {fly: {does: Fly}}}", "'fly'"),
        ("{intents: {a: {}}, actions: {fly: {does: Fly, needs: wings}}}", "'wings'"),
        ("{intents: {a: {}}, actions: {fly: {does: Fly, needs: [wings]}}}", "wings"),
        ("intents: {a: yes}", "'a'"),
        ("intents: {out_of_scope: {}}", "reserved"),
        ("intents: {}", "no intents"),
        ("[]", "mapping"),
        ("a: [", "YAML"),
    ],
)
def test_a_wrong_taxonomy_is_refused_by_name(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "taxonomy.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=named):
        Taxonomy.read(path)
