"""held_out.jsonl: the test rows of a training run, stored in its bundle for later comparisons with other bundles.

Texts are masked, like all texts in a bundle. The file has the format of training data with one more column, `near`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from frontdesk.errors import BundleError
from frontdesk.taxonomy import OUT_OF_SCOPE
from model_store.bundle import Bundle
from training.data.examples import Example

FILE_NAME = "held_out.jsonl"


def write_held_out(examples: Sequence[Example], folder: Path) -> None:
    rows = (
        {
            "text": example.text,
            "intent": OUT_OF_SCOPE if example.out_of_scope else example.intent,
            "sentiment": example.sentiment,
            "group": example.group,
            "split": example.part,
            "near": example.near,
        }
        for example in examples
    )
    (folder / FILE_NAME).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def read_held_out(bundle: Bundle) -> tuple[Example, ...]:
    """Read the rows that were used for neither training nor calibration of the bundle.

    Raises:
        BundleError: the bundle has no held-out rows, because an older version sealed it.
    """
    if FILE_NAME not in bundle.manifest.files:
        raise BundleError(
            f"Bundle {bundle.version} was sealed without its held-out rows, so it cannot be compared.",
            field=FILE_NAME,
            hint="Train it again with: frontdesk train",
        )
    lines = (bundle.files / FILE_NAME).read_bytes().decode().split("\n")
    return tuple(_parse_row(json.loads(line)) for line in lines if line)


def _parse_row(row: dict[str, Any]) -> Example:
    """Convert a row to an example. Rows of older bundles have neither `split` nor `near`."""
    out_of_scope = row["intent"] == OUT_OF_SCOPE
    return Example(
        text=row["text"],
        intent=None if out_of_scope else row["intent"],
        sentiment=row["sentiment"],
        group=row["group"],
        out_of_scope=out_of_scope,
        part=row.get("split"),
        near=row.get("near", False),
    )
