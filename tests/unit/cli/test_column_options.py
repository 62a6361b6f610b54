from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from cli.column_options import ColumnNames, non_default_options, with_column_options
from training.data.column_mapping import ColumnMapping


def test_only_columns_with_other_names_need_an_option() -> None:
    assert non_default_options(ColumnMapping()) == []
    assert non_default_options(ColumnMapping(intent="the label", out_of_scope="oos")) == [
        "--intent",
        "the label",
        "--out-of-scope",
        "oos",
    ]
    assert non_default_options(ColumnMapping(("subject", "body")), Path("names.yaml")) == [
        *("--text", "subject", "--text", "body"),
        *("--label-map", "names.yaml"),
    ]


def test_a_command_gets_one_option_for_each_column_with_its_default_name() -> None:
    received: list[tuple[str, ColumnNames]] = []
    app = typer.Typer()

    @app.command()
    @with_column_options
    def read(path: str, *, columns: ColumnNames) -> None:
        received.append((path, columns))

    CliRunner().invoke(app, ["rows.csv"], catch_exceptions=False)
    CliRunner().invoke(app, ["rows.csv", "--intent", "the label", "--out-of-scope", "oos"], catch_exceptions=False)
    CliRunner().invoke(app, ["rows.csv", "--text", "subject", "--text", "body"], catch_exceptions=False)

    assert [ColumnMapping(**columns) for _, columns in received] == [
        ColumnMapping(),
        ColumnMapping(intent="the label", out_of_scope="oos"),
        ColumnMapping(("subject", "body")),
    ]
    assert [path for path, _ in received] == ["rows.csv"] * 3
