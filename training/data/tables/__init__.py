"""Tabular files of any common format, read row by row: CSV, JSON, Excel and Parquet, also compressed or in folders.

`open_tables` is the entry point. A table has column names and yields rows with line numbers. A row that cannot be read
has a `problem` and does not end the reading. Values are not changed. Encodings other than UTF-8 and UTF-16, Excel and
Parquet need the extra `train`.
"""

from training.data.tables.open import SUPPORTED, Table, open_table, open_tables
from training.data.tables.rows import Row, find_column, normalise_name
from training.data.tables.source import STANDARD_INPUT

__all__ = [
    "STANDARD_INPUT",
    "SUPPORTED",
    "Row",
    "Table",
    "find_column",
    "normalise_name",
    "open_table",
    "open_tables",
]
