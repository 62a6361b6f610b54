from __future__ import annotations

from pathlib import Path

import pytest

from frontdesk.errors import DataError
from frontdesk.taxonomy import Taxonomy
from training.data.examples import Example
from training.data.taxonomy_scaffold import build_taxonomy, render_taxonomy

AWKWARD = ("no", "yes", "on", "null", "12", "1e3", "a: b", "# hash", "card_payment?", "café", "x" * 90 + " " + "y" * 90)
ROWS = tuple(Example("x", name, None, "g") for name in AWKWARD)


def test_every_label_is_an_intent_without_policy_in_order_of_name() -> None:
    result = build_taxonomy((*ROWS, Example("joke", None, None, "j", out_of_scope=True)))
    assert result.labels == tuple(sorted(AWKWARD)) == result.intents_without_policy()


def test_the_template_is_read_back_as_the_same_taxonomy_with_any_labels(tmp_path: Path) -> None:
    (tmp_path / "taxonomy.yaml").write_text(render_taxonomy(ROWS), encoding="utf-8")
    assert Taxonomy.read(tmp_path / "taxonomy.yaml") == build_taxonomy(ROWS)


def test_the_example_in_the_template_is_a_policy_that_can_be_uncommented(tmp_path: Path) -> None:
    head = render_taxonomy(ROWS).partition("intents:\n")[0]
    example = [line.removeprefix("# ") for line in head.splitlines() if line.startswith("#   ")]
    text = "\n".join(["intents:", *example]) + "\nactions:\n  look_up_order: Look it up.\n"
    (tmp_path / "taxonomy.yaml").write_text(text)
    (policy,) = Taxonomy.read(tmp_path / "taxonomy.yaml").intents
    assert (policy.is_defined, policy.urgency, policy.actions) == (True, "high", ("look_up_order",))


def test_rows_without_intents_have_no_taxonomy() -> None:
    with pytest.raises(DataError, match="No row has an intent"):
        build_taxonomy([Example("x", None, "neutral", "g")])
