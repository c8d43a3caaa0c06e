"""What commands share: rows as a table or JSON, progress bars, output files that can be written."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table


Row = Mapping[str, Any]


def show_rows(rows: Sequence[Row], table: Table | None) -> None:
    """Print the table, or the rows as JSON where there is none; a pipe gets wide lines instead of cut cells."""
    if table is None:
        print(dumps(list(rows), indent=2, allow_nan=False))
        return
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 200).print(table)


def plain_table(rows: Sequence[Row], columns: Mapping[str, str]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns.values(), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(str(row[key])) for key in columns))
    return table


def tickets_table(rows: Sequence[Row]) -> Table:
    shown = []
    for row in rows:
        interval = (
            f"{row['worst']:.2%} .. {row['best']:.2%}"
            if row["low"] is None
            else f"{row['low']:.2%} - {row['high']:.2%}"
        )
        shown.append(
            {
                "method": row["method"],
                "density": f"{row['density']:.2%}",
                "kept": f"{row['kept']:,}",
                "accuracy": f"{row['accuracy']:.2%}",
                "interval": interval,
                "find": f"{row['find_epochs']:g}",
                "train": f"{row['train_epochs']:g}",
                "seconds": f"{row['seconds']:.1f}",
            }
        )
    names = ("method", "density", "kept", "accuracy", "95 % interval (or range ..)", "epochs to find", "to train", "s")
    keys = ("method", "density", "kept", "accuracy", "interval", "find", "train", "seconds")
    return plain_table(shown, dict(zip(keys, names, strict=True)))


@contextmanager
def progress_bars() -> Iterator[Callable[..., None]]:
    """A progress bar with the time left on stderr: call it with (stage, done, total) and, if there is more to say, a detail."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    tasks: dict[str, TaskID] = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    bar = Progress(*columns, console=Console(stderr=True))

    def report(stage: str, done: int, total: int, detail: str = "") -> None:
        if stage not in tasks:
            bar.start()  # not earlier: input that is refused leaves no empty line
            tasks[stage] = bar.add_task(stage, total=total, detail=detail)
        bar.update(tasks[stage], completed=done, total=total, detail=detail)

    try:
        yield report
    finally:
        if tasks:
            bar.stop()


def write_document(path: Path, document: Mapping[str, Any]) -> None:
    """A certificate in its canonical form; an existing file is replaced only when the new one is complete."""
    from strong_lth.networks.files import write_text

    write_text(path, dumps(document, sort_keys=True, separators=(",", ":")))


def check_writable(*paths: Path | None, apart_from: Path | None = None) -> None:
    """Refuse output files that cannot be written, or are one file (or an input), before the work starts."""
    from strong_lth.core import InputError

    given = [path for path in paths if path is not None]
    places = [path.resolve() for path in (*given, apart_from) if path is not None]
    if len(set(places)) < len(places):
        raise InputError("output files", given[0], "name different files, none of them an input")
    for path in given:
        if path.exists() and not path.is_file():
            raise InputError("output file", path, "name a regular file, not a folder, device or pipe")
        try:
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            raise InputError(
                "output file", path, f"name a file in a folder that can be written ({error.strerror})"
            ) from None
