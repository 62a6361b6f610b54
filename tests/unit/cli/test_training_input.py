from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from cli.training_input import IntentsWithheldFromTraining, OwnData, TrainingInput, read_training_input
from frontdesk.errors import DataError
from frontdesk.masking.masked_message import mask_message
from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy
from training.data.column_mapping import ColumnMapping
from training.data.examples import Example

OWN = ColumnMapping(intent="about")
NOTHING = IntentsWithheldFromTraining()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "own data.csv"
    path.write_text("text,about\n" + "".join(f"{label} {n},{label}\n" for label in "abcdefg" for n in range(3)))
    return path


def read(
    data: Path | None,
    columns: ColumnMapping = OWN,
    *,
    taxonomy: Path | None = None,
    withheld: IntentsWithheldFromTraining = NOTHING,
) -> tuple[TrainingInput, str]:
    console = Console(width=400)
    with console.capture() as captured:
        own_data = OwnData(data, columns) if data else None
        training_input = read_training_input(own_data, taxonomy, withheld, 13, console, mask_message)
    return training_input, captured.get()


def test_own_data_gets_a_taxonomy_without_policies_and_the_output_says_how_to_write_them(data: Path) -> None:
    training_input, output = read(data)
    assert training_input.taxonomy.intents_without_policy() == tuple("abcdefg")
    assert training_input.source == "own data.csv"
    assert "7 intents have no policy (a, b, c, d, e and 2 more)" in output
    assert f"frontdesk data taxonomy '{data}' --intent about > taxonomy.yaml" in output


def test_a_taxonomy_file_is_used_and_its_gaps_are_listed(data: Path, tmp_path: Path) -> None:
    (tmp_path / "taxonomy.yaml").write_text("intents:\n" + "".join(f"  {label}: {{}}\n" for label in "abcdef"))
    training_input, output = read(data, taxonomy=tmp_path / "taxonomy.yaml")
    assert training_input.taxonomy.labels == tuple("abcdef")
    assert "1 intents have no policy (g)" in output


def test_the_starter_corpus_has_the_starter_taxonomy_and_no_notes() -> None:
    training_input, output = read(None, ColumnMapping())
    assert (training_input.taxonomy, training_input.source, output) == (
        Taxonomy.read(STARTER_TAXONOMY),
        "starter corpus",
        "",
    )


def test_withheld_intents_are_listed_and_are_not_labels(data: Path) -> None:
    training_input, output = read(data, withheld=IntentsWithheldFromTraining(("b",), share=0.3))
    near = {row.text[0] for row in training_input.examples if row.near}
    assert (len(near), "b" in near) in {(2, True), (3, True)}
    assert f"Withheld from training: b, {', '.join(sorted(near - {'b'}))}." in output
    assert set(training_input.taxonomy.labels) == set("abcdefg") - near
    assert training_input.examples[3] == Example(
        "b 0", None, None, "own data-5", out_of_scope=True, part="test", near=True
    )


def test_an_unknown_intent_cannot_be_withheld(data: Path) -> None:
    with pytest.raises(DataError, match="No row has the intent 'z'"):
        read(data, withheld=IntentsWithheldFromTraining(("z",)))
