"""``strong-lth simulate`` and ``runs``."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import tyro

import strong_lth
from strong_lth.commands.shown import Row, plain_table, show_rows


def simulate(
    name: tyro.conf.Positional[str] = "",
    *,
    list: bool = False,
    smoke: bool = False,
    workers: int = 1,
    dask: str | None = None,
    shard: str = "1/1",
    resume: bool = False,
    record: bool = False,
    root: Path | None = None,
    out: Path | None = None,
    json: bool = False,
) -> int:
    """Run a simulation of simulations/ and hold its rows against its claim; status 1 if the outcome is not the foreseen one.

    Args:
        name: Its id or file name; none with --list.
        list: Show claim, source and cost of every simulation.
        smoke: Quick setting (seconds).
        workers: Processes.
        dask: Address of a Dask scheduler whose workers see this checkout under the same path; --workers shards in flight.
        shard: i/N computes every N-th shard, beginning with the i-th (array jobs); implies --resume.
        resume: Go on with the rows that are there.
        record: Write record and figure into simulations/records, after a complete full run.
        root: Checkout that holds simulations/; default: the current folder, or the one this package runs from.
        out: Folder for the rows; default simulations/runs in the checkout.
        json: Print the outcome as JSON.
    """
    from strong_lth import experiment
    from strong_lth.core import InputError

    folder = _simulations(root)
    if list or not name:
        rows = [_described(path) for path in _simulation_files(folder)]
        show_rows(
            rows,
            None
            if json
            else plain_table(rows, {"id": "simulation", "claim": "claim", "source": "source", "cost": "full run"}),
        )
        return 0
    entry = experiment.load(_simulation_file(folder, name))
    store = out or folder / "runs"
    part = _part(shard)
    with _trial_progress(entry.id) as progress, _dask(dask) as executor:
        done = experiment.run(
            entry,
            store,
            smoke=smoke,
            workers=max(workers, 4) if executor else workers,
            executor=executor,
            part=part,
            resume=resume or smoke or part != (1, 1),
            progress=progress,
        )
    if not done.complete:
        print(
            f"{entry.id}: {done.shards - done.missing} of {done.shards} shards are there; the outcome needs all",
            file=sys.stderr,
        )
        return 0
    outcome = experiment.judge(entry, done.rows)
    rows = [asdict(item) | {"verdict": item.verdict.name, "foreseen": item.foreseen.name} for item in outcome]
    show_rows(
        rows,
        None
        if json
        else plain_table(
            rows, {"verdict": "verdict", "statement": "statement", "evidence": "evidence", "alpha": "alpha"}
        ),
    )
    image = store / entry.id / f"{'smoke' if smoke else 'full'}.png"
    if record:
        if smoke:
            raise InputError("--record", "--smoke", "record full runs only")
        experiment.write_record(folder / "records" / f"{entry.id}.json", entry, done)
        image = folder / "records" / f"{entry.id}.png"
    if entry.figure is not None:
        drawn = BytesIO()
        entry.figure(done.rows, drawn)
        experiment.write_over(image, drawn.getvalue())
    if not json:
        print(f"{len(done.rows)} rows, {done.seconds:.1f} s of computing; figure {image}")
    return int(not all(item.as_foreseen for item in outcome))


def runs(
    sql: tyro.conf.Positional[
        str
    ] = "SELECT experiment, mode, count(*) AS rows, any_value(commit) AS commit FROM runs GROUP BY ALL ORDER BY ALL",
    *,
    root: Path | None = None,
    out: Path | None = None,
    json: bool = False,
) -> int:
    """Ask the rows of all simulations in SQL: tables `runs` (rows on this machine) and `records` (committed rows).

    Args:
        sql: A query in DuckDB's SQL.
        root: Checkout that holds simulations/.
        out: Folder of the rows; default simulations/runs in the checkout.
        json: Print the answer as JSON.
    """
    from strong_lth import experiment

    folder = _simulations(root)
    rows = experiment.query(sql, runs=out or folder / "runs", records=folder / "records")
    show_rows(rows, None if json else plain_table(rows, {name: name for name in (rows[0] if rows else {})}))
    return 0


def _simulations(root: Path | None) -> Path:
    """The folder simulations/ of a checkout."""
    from strong_lth.core import InputError

    places = [root] if root is not None else [Path.cwd(), Path(strong_lth.__file__).parent.parent]
    for place in places:
        if (place / "simulations").is_dir():
            return (place / "simulations").resolve()
    raise InputError("--root", places[0], "name a checkout of strong_lth, a folder that holds simulations/")


def _simulation_files(folder: Path) -> list[Path]:
    """Every file of simulations/ that defines an experiment."""
    return sorted(path for path in folder.glob("*.py") if "\nEXPERIMENT = " in path.read_text())


def _simulation_file(folder: Path, name: str) -> Path:
    import difflib

    from strong_lth.core import InputError

    files = {path.stem.replace("_", "-"): path for path in _simulation_files(folder)}
    wanted = name.removesuffix(".py").replace("_", "-")
    if wanted not in files:
        near = difflib.get_close_matches(wanted, files, n=3, cutoff=0.4) or [*files]
        raise InputError("name", repr(name), f"did you mean {' or '.join(near)}?")
    return files[wanted]


def _described(path: Path) -> Row:
    from strong_lth import experiment

    entry = experiment.load(path)
    return {"id": entry.id, "claim": entry.claim, "source": entry.source, "cost": entry.cost}


def _part(text: str) -> tuple[int, int]:
    from strong_lth.core import InputError

    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None:
        raise InputError("--shard", repr(text), "give i/N, such as 2/8")
    return int(match[1]), int(match[2])


@contextmanager
def _dask(address: str | None) -> Iterator[Any]:
    """The executor of a Dask scheduler, or None."""
    from strong_lth.core import InputError

    if address is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError:
        raise InputError("--dask", address, "install it first: pip install 'strong_lth[dask]'") from None
    with Client(address) as client:
        yield client.get_executor()


@contextmanager
def _trial_progress(name: str) -> Iterator[Callable[[Any], None]]:
    """A bar on stderr with rate and time left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[pace]}"))
    with Progress(*columns, console=Console(stderr=True)) as bar:

        def report(step: Any) -> None:
            task = bar.task_ids[0] if bar.task_ids else bar.add_task(name, pace="")
            left = "" if step.left is None else f"{step.rate:.3g} trials/s, {step.left:.0f} s left"
            bar.update(task, completed=step.done, total=step.total, pace=left)

        yield report
