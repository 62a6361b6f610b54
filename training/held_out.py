"""held_out.jsonl: the test rows of a training run, sealed into its bundle, so that any bundle can be asked about them.

Texts are masked, as everything in a bundle. The file has the form of training data. Knows nothing of models.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from frontdesk.errors import BundleError
from frontdesk.taxonomy import OUT_OF_SCOPE
from model_store.bundle import Bundle
from training.data import Example, read_examples

FILE_NAME = "held_out.jsonl"


def write_held_out(examples: Sequence[Example], folder: Path) -> None:
    rows = (
        {
            "text": example.text,
            "intent": OUT_OF_SCOPE if example.out_of_scope else example.intent,
            "sentiment": example.sentiment,
            "group": example.group,
        }
        for example in examples
    )
    (folder / FILE_NAME).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def read_held_out(bundle: Bundle) -> tuple[Example, ...]:
    """The rows that took no part in the bundle's training or calibration.

    Raises:
        BundleError: when the bundle was sealed before bundles kept them.
    """
    if FILE_NAME not in bundle.manifest.files:
        raise BundleError(
            f"Bundle {bundle.version} was sealed without its held-out rows, so it cannot be compared.",
            field=FILE_NAME,
            hint="Train it again with: frontdesk train",
        )
    return read_examples(bundle.path / FILE_NAME)
