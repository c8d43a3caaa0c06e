"""The command line, ``strong-lth``: one function per command, listed in ``COMMANDS``.

A command returns its exit status: 0, or 1 where the mathematics says no. Bad input, unreadable files and exceeded budgets become one sentence
on stderr and status 2. Everything heavy is imported inside the commands: numpy must not load before ``main`` has set the thread counts,
and ``--help`` answers at once.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import tyro

import strong_lth

if TYPE_CHECKING:
    from rich.table import Table

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
Row = Mapping[str, Any]


def bounds(*, tol: float = 0.01, perturbation: float = 0.0, delta: float = 0.05, json: bool = False) -> int:
    """Candidates that each bound and each prediction asks for, with source, quantifier and status.

    Args:
        tol: Allowed approximation error of a target.
        perturbation: Allowed change of each candidate.
        delta: Failure probability.
        json: Print the rows as JSON.
    """
    from strong_lth import report

    rows = report.bounds_rows(tol, perturbation, delta)
    _show(rows, None if json else report.bounds_table(rows))
    return 0


def data(*, data_dir: Path | None = None, json: bool = False) -> int:
    """Which data files are present, where, and with which status; status 1 if one of them is damaged.

    Args:
        data_dir: Folder that holds mnist/, fashion-mnist/, cifar-10-batches-bin/ and cifar-100-binary/; default STRONG_LTH_DATA.
        json: Print the rows as JSON.
    """
    from strong_lth import datasets

    rows = [asdict(report) for report in datasets.survey(data_dir)]
    columns = {"dataset": "data set", "path": "file", "status": "status", "note": "note"}
    _show(rows, None if json else _table(rows, columns))
    return int(any(row["status"] == "refused" for row in rows))


def doctor(*, json: bool = False) -> int:
    """Versions, threads, compiler cache, GPU and data; what is missing, and the command that mends it.

    Args:
        json: Print the rows as JSON.
    """
    rows = [*_libraries(), _threads(), _compiler_cache(), _gpu(), _data_folder()]
    _show(rows, None if json else _table(rows, {"item": "item", "found": "found", "remedy": "to mend it"}))
    return int(any(not row["ok"] for row in rows))


COMMANDS: tuple[Callable[..., int], ...] = (bounds, data, doctor)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; ``argv`` defaults to the arguments of the process."""
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments in (["--version"], ["-V"]):
        print(f"strong-lth {strong_lth.__version__}")
        return 0
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            status = _run(arguments)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("strong-lth: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader has gone; without this the interpreter would complain while closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ValueError, MemoryError, OSError) as error:
        from strong_lth.core import FormatError, InputError

        if isinstance(error, ValueError) and not isinstance(error, InputError | FormatError):
            raise
        print(f"strong-lth: {_sentence(error)}", file=sys.stderr)
        return 2


def _run(arguments: Sequence[str]) -> int:
    status: int = tyro.extras.subcommand_cli_from_dict(
        {command.__name__.replace("_", "-"): command for command in COMMANDS},
        prog="strong-lth",
        description=f"Predict, find, prove and compare strong lottery tickets (strong-lth {strong_lth.__version__}).",
        args=list(arguments),
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    return status


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}"
    return " ".join(str(error).split()) or type(error).__name__


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"strong-lth: warning: {message}", file=sys.stderr)


def _show(rows: Sequence[Row], table: Table | None) -> None:
    """Print the table, or the rows as JSON where there is none; a pipe gets wide lines instead of cut cells."""
    if table is None:
        print(dumps(list(rows), indent=2, allow_nan=False))
        return
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _table(rows: Sequence[Row], columns: Mapping[str, str]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns.values(), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(str(row[key])) for key in columns))
    return table


def _finding(item: str, found: str, remedy: str = "", *, ok: bool = True) -> Row:
    return {"item": item, "found": found, "ok": ok, "remedy": remedy}


def _libraries() -> list[Row]:
    rows = [_finding("python", f"{platform.python_version()} ({sys.executable})")]
    rows.append(_finding("strong_lth", f"{strong_lth.__version__} ({Path(strong_lth.__file__).parent})"))
    try:
        needed = [line for line in metadata.requires("strong_lth") or [] if "extra ==" not in line]
    except metadata.PackageNotFoundError:
        remedy = "run `pip install -e .` in the checkout"
        return [*rows, _finding("installation", "none: the package runs from its folder", remedy, ok=False)]
    for line in needed:
        name = re.split(r"[^A-Za-z0-9._-]", line)[0]
        try:
            rows.append(_finding(name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            rows.append(_finding(name, "missing", f"{sys.executable} -m pip install '{line}'", ok=False))
    return rows


def _threads() -> Row:
    counts = ", ".join(f"{name}={os.environ.get(name, 'unset')}" for name in THREAD_VARIABLES[:3])
    return _finding("threads", f"{os.cpu_count()} cores; {counts}")


def _compiler_cache() -> Row:
    """The first of the folders numba tries that can be written."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    folders = [Path(chosen)] if chosen else [Path(strong_lth.__file__).parent, Path.home() / ".cache"]
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return _finding("compiler cache", f"writable ({folder})")
        except OSError:
            continue
    places = " and ".join(str(folder) for folder in folders)
    remedy = "export NUMBA_CACHE_DIR=<a folder you can write>; without it every run compiles again"
    return _finding("compiler cache", f"{places} cannot be written", remedy, ok=False)


def _gpu() -> Row:
    """What torch sees, asked in a process of its own: a broken installation becomes a line of the report."""
    question = (
        "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else 'none, the CPU is used')"
    )
    try:
        answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        return _finding("GPU", f"unknown: torch did not answer ({type(error).__name__})", ok=False)
    if answer.returncode != 0:
        reason = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        remedy = f"{sys.executable} -m pip install --force-reinstall torch"
        return _finding("GPU", f"torch does not load: {reason}", remedy, ok=False)
    return _finding("GPU", answer.stdout.strip())


def _data_folder() -> Row:
    folder = os.environ.get("STRONG_LTH_DATA")
    if not folder:
        return _finding("data", "the bundled digits", "optional: export STRONG_LTH_DATA=<folder of mnist/, ...>")
    if not Path(folder).is_dir():
        return _finding("data", f"no folder {folder}", "export STRONG_LTH_DATA=<an existing folder>", ok=False)
    return _finding("data", folder, "details: strong-lth data")
