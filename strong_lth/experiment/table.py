"""All rows as one table, asked in SQL."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from strong_lth.core import FormatError, InputError
from strong_lth.experiment.describe import Row, canonical
from strong_lth.experiment.records import read_record
from strong_lth.experiment.shards import read_shard


def query(sql: str, *, runs: Path | None = None, records: Path | None = None) -> list[dict[str, Any]]:
    """Answer an SQL query (DuckDB) on the tables ``runs`` (every stored row, cell and provenance) and ``records`` (rows of committed records).

    Columns that one experiment lacks are NULL. Every shard is verified first.

    Raises FormatError for a damaged shard, by name, and InputError for an SQL error or a table without rows.
    """
    import duckdb

    stored = [] if runs is None else [dict(row) for row in _stored(runs)]
    kept = [] if records is None else [dict(row) for row in _recorded(records)]
    with tempfile.TemporaryDirectory() as scratch, duckdb.connect() as database:
        for name, rows in (("runs", stored), ("records", kept)):
            if rows:
                file = Path(scratch) / f"{name}.jsonl"
                file.write_text("".join(canonical(row) + "\n" for row in rows))
                database.execute(
                    f"CREATE TABLE {name} AS SELECT * FROM read_json(?, {_READ})",
                    [str(file)],
                )
        try:
            answer = database.execute(sql)
            columns = [column[0] for column in answer.description or []]
            return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]
        except duckdb.Error as error:
            there = [name for name, rows in (("runs", stored), ("records", kept)) if rows]
            tables = f"tables with rows: {' and '.join(there) or 'none yet'}"
            raise InputError("sql", repr(sql), f"{str(error).splitlines()[0]} ({tables})") from None


# every field a column: with many experiments DuckDB would otherwise take a row for one map
_READ = "format='newline_delimited', sample_size=-1, map_inference_threshold=-1, field_appearance_threshold=0"


def _stored(folder: Path) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*/*/*.jsonl")):
        header, rows = read_shard(path)
        out += [header | row for row in rows]
    return out


def _recorded(folder: Path) -> list[Row]:
    """Rows of the records of experiments; the folder may also hold JSON of other kinds."""
    out: list[Row] = []
    for path in sorted(folder.glob("*.json")):
        try:
            out += read_record(path).rows
        except FormatError:
            if _is_record(path):
                raise
    return out


def _is_record(path: Path) -> bool:
    """Whether it is a record, whole or damaged."""
    try:
        body = json.loads(path.read_text())
    except ValueError:
        return True
    return isinstance(body, dict) and "manifest" in body
