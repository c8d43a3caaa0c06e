"""``strong-lth data`` and ``doctor``."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import strong_lth
from strong_lth.commands.shown import Row, plain_table, show_rows
from strong_lth.commands.threads import THREAD_VARIABLES


def data(*, data_dir: Path | None = None, json: bool = False) -> int:
    """Which data files are present, where, and with which status; status 1 if one of them is damaged.

    Args:
        data_dir: Folder that holds mnist/, fashion-mnist/, cifar-10-batches-bin/ and cifar-100-binary/; default STRONG_LTH_DATA.
        json: Print the rows as JSON.
    """
    from strong_lth import datasets

    rows = [asdict(report) for report in datasets.survey(data_dir)]
    columns = {"dataset": "data set", "path": "file", "status": "status", "note": "note"}
    show_rows(rows, None if json else plain_table(rows, columns))
    return int(any(row["status"] == "refused" for row in rows))


def doctor(*, json: bool = False) -> int:
    """Versions, threads, compiler cache, GPU and data; what is missing, and the command that mends it.

    Args:
        json: Print the rows as JSON.
    """
    rows = [*_libraries(), _threads(), _compiler_cache(), _gpu(), _data_folder()]
    show_rows(rows, None if json else plain_table(rows, {"item": "item", "found": "found", "remedy": "to mend it"}))
    return int(any(not row["ok"] for row in rows))


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
