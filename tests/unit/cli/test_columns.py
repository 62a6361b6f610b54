from __future__ import annotations

from cli.columns import flags
from training.data.column_mapping import Columns


def test_only_what_is_not_as_usual_needs_a_flag() -> None:
    assert flags(Columns()) == []
    assert flags(Columns(intent="the label", out_of_scope="oos")) == ["--intent", "the label", "--out-of-scope", "oos"]
