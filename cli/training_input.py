"""Input of a training run: labelled rows without the withheld ones, and the taxonomy.

The starter corpus has the starter taxonomy. Other data without a taxonomy gets one of its labels, without policies.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from frontdesk.taxonomy import Taxonomy
    from training.data.column_mapping import ColumnMapping
    from training.data.examples import Example, Mask

MAX_SHOWN_GAPS = 5


@dataclass(frozen=True, slots=True)
class IntentsWithheldFromTraining:
    """Intents to leave out of training: by name, and a random share drawn with the seed of the profile."""

    names: tuple[str, ...] = ()
    share: float | None = None


@dataclass(frozen=True, slots=True)
class OwnData:
    """A team's own file or folder, its columns, and the file with new names of its labels."""

    path: Path
    columns: ColumnMapping
    label_map: Path | None = None


@dataclass(frozen=True, slots=True)
class TrainingInput:
    """Examples and taxonomy of a run. `source` is the name of the data in the manifest."""

    examples: tuple[Example, ...]
    taxonomy: Taxonomy
    source: str


def read_training_input(
    data: OwnData | None,
    taxonomy: Path | None,
    withheld: IntentsWithheldFromTraining,
    seed: int,
    console: Console,
    mask: Mask,
) -> TrainingInput:
    """Read rows and taxonomy. Prints the rows that are not used, withheld intents, and intents without a policy.

    Args:
        data: None for the starter corpus.

    Raises:
        DataError: rows cannot be used, or an intent to be withheld does not exist.
        ConfigurationError: the taxonomy cannot be read.
    """
    from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy
    from training.data.examples import STARTER_CORPUS, list_intents, read_examples
    from training.data.label_map import read_label_map
    from training.data.taxonomy_scaffold import build_taxonomy

    if data is None:
        rows = read_examples(STARTER_CORPUS, mask=mask)
    else:
        print_remark = partial(console.print, highlight=False, markup=False, soft_wrap=True)
        rows = read_examples(data.path, data.columns, read_label_map(data.label_map), print_remark, mask)
    examples = _withhold_intents_from_training(withheld, rows, seed, console)
    if taxonomy is None and data is not None:
        loaded_taxonomy = build_taxonomy(examples)
    else:
        loaded_taxonomy = Taxonomy.read(taxonomy or STARTER_TAXONOMY)
    if intents_without_policy := loaded_taxonomy.with_labels(
        list_intents(examples, loaded_taxonomy.labels)
    ).intents_without_policy():
        _print_intents_without_policy(intents_without_policy, data, console)
    return TrainingInput(examples, loaded_taxonomy, data.path.name if data else "starter corpus")


def _withhold_intents_from_training(
    withheld: IntentsWithheldFromTraining, examples: tuple[Example, ...], seed: int, console: Console
) -> tuple[Example, ...]:
    from training.data.withheld_intents import sample_intents, withhold_from_training

    random_names = sample_intents(examples, withheld.share, seed) if withheld.share else ()
    names = tuple(dict.fromkeys((*withheld.names, *random_names)))
    if not names:
        return examples
    remaining = withhold_from_training(examples, names)
    test_rows = sum(example.near for example in remaining)
    console.print(
        f"Withheld from training: {', '.join(names)}. Their {test_rows} test rows measure whether messages near known "
        f"intents are recognized as out of scope; {len(examples) - len(remaining)} other rows are left out.",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    return remaining


def _print_intents_without_policy(
    intents_without_policy: Sequence[str], data: OwnData | None, console: Console
) -> None:
    from cli.column_options import non_default_options
    from training.data.examples import STARTER_CORPUS

    more = (
        f" and {len(intents_without_policy) - MAX_SHOWN_GAPS} more"
        if len(intents_without_policy) > MAX_SHOWN_GAPS
        else ""
    )
    source = [str(data.path), *non_default_options(data.columns, data.label_map)] if data else [str(STARTER_CORPUS)]
    command = shlex.join(["frontdesk", "data", "taxonomy", *source])
    console.print(
        f"{len(intents_without_policy)} intents have no policy "
        f"({', '.join(intents_without_policy[:MAX_SHOWN_GAPS])}{more}): they are recognized, but never automated. "
        f"To write policies:\n  {command} > taxonomy.yaml\nEdit the file, then train with "
        "--taxonomy taxonomy.yaml",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
