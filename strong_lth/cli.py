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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib import metadata
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

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


def demo(*, out: Path = Path("strong_lth_demo"), seed: int = 0, json: bool = False) -> int:
    """Train a digit classifier, prune random networks into it, certify them; table, figures, ticket and certificate.

    Args:
        out: Folder for the files; made if absent.
        seed: Seed of the training and of the pruned source.
        json: Print the rows as JSON.
    """
    from strong_lth import demo as job
    from strong_lth import report

    job.prepare(out)
    with _progress() as progress:
        result = job.run(seed=seed, progress=progress)
    paths = job.write(result, out)
    rows = [asdict(row) for row in result.rows]
    _show(rows, None if json else report.demo_table(rows))
    if not json:
        strict = result.strictest
        print(f"{result.seconds:.0f} s; wrote {', '.join(path.name for path in paths)} to {out}/")
        print(f"ticket and certificate are those of tol {strict.tol:g}, perturbation {strict.perturbation:g}")
        print(f"check it with the standard library alone: python proofs/check_certificate.py {out}/certificate.json")
    return int(not all(row.verified for row in result.rows) or any(row.unserved for row in result.rows))


def approximate(
    target: tyro.conf.Positional[Path],
    *,
    tol: float,
    perturbation: float = 0.0,
    delta: float = 0.01,
    width: str = "smallest",
    objective: Literal["fewest", "nearest"] = "fewest",
    low: float = 0.0,
    high: float = 1.0,
    scale: float = 1.0,
    first: Literal["balanced", "signs", "uniform"] = "balanced",
    seed: int = 0,
    out: Path | None = None,
    certificate: Path | None = None,
    memory_gib: float = 2.0,
    json: bool = False,
) -> int:
    """Prune one random network into a target network and certify the result; status 1 if a weight cannot be served.

    Args:
        target: The target: an .npz file with arrays W1 .. WL (d_out, d_in) and optionally b1 .. bL.
        tol: Allowed output error, the largest over the input box [low, high]^d.
        perturbation: Allowed change of each kept random weight of the even matrices.
        delta: Failure probability behind --width proved.
        width: Candidates per weight and sign half: a number, numbers joined by commas (one per layer), "smallest" or "proved".
        objective: Keep as few weights as possible, or make each weight as accurate as possible.
        low: Lower end of every input.
        high: Upper end of every input.
        scale: The even matrices are U[-scale, scale].
        first: Law of the odd matrices: rows of +1 and -1, random signs, or U[-1, 1].
        seed: Seed of the random network.
        out: Ticket file to write (safetensors).
        certificate: Certificate file to write (JSON).
        memory_gib: Memory budget; more is refused before it is used.
        json: Print the numbers as JSON.
    """
    import strong_lth as lth
    from strong_lth import networks

    firsts: dict[str, lth.Law] = {
        "balanced": lth.BalancedSigns(),
        "signs": lth.RandomSigns(),
        "uniform": lth.Uniform(-1, 1),
    }
    _check_writable(out, certificate)
    if not 0 < memory_gib <= 2**20:
        raise lth.InputError("--memory-gib", memory_gib, "give a number of GiB above 0")
    if not 0 < scale < float("inf"):
        raise lth.InputError("--scale", scale, "give a finite number above 0")
    network = lth.Network.load(target)
    domain = lth.Box(low, high)
    with _progress() as progress:
        strong = lth.approximate(
            network,
            domain=domain,
            tol=tol,
            law=lth.Uniform(-scale, scale),
            first=firsts[first],
            perturbation=perturbation,
            delta=delta,
            width=_width(width),
            objective=objective,
            seed=seed,
            memory=int(memory_gib * 2**30),
            progress=progress,
        )
        progress("certificate", 0, 1)
        error = lth.certify(network, strong, domain=domain)
        progress("certificate", 1, 1)
    if out is not None:
        strong.save(out)
    if certificate is not None:
        networks.write_certificate(network, strong, error, certificate)
    return _show_ticket(network, strong, error, json)


def certify(target: tyro.conf.Positional[Path], ticket: tyro.conf.Positional[Path], *, json: bool = False) -> int:
    """Re-prove a ticket file against its target and bound its error on the ticket's domain; status 1 if a check fails
    or a weight is not served.

    Args:
        target: The target the ticket was made for (.npz).
        ticket: A ticket file written by `approximate --out` or Subnetwork.save.
        json: Print the numbers as JSON.
    """
    import strong_lth as lth

    network, strong = lth.Network.load(target), lth.Subnetwork.load(ticket)
    error = lth.certify(network, strong, domain=strong.domain)
    return _show_ticket(network, strong, error, json)


def solve(
    file: tyro.conf.Positional[Path | None] = None,
    *,
    candidates: tuple[float, ...] = (),
    target: float | None = None,
    targets: Path | None = None,
    tol: float = 0.0,
    perturbation: float = 0.0,
    size: int | None = None,
    signed: bool = False,
    objective: Literal["nearest", "any", "fewest"] = "nearest",
    workers: int | None = None,
    out: Path | None = None,
    json: bool = False,
) -> int:
    """Choose candidates whose sum is near a target: one problem, or many from files; status 1 if one is not solved or not proved.

    Args:
        file: Candidates, .npy or .csv: n numbers, or one row of n per problem.
        candidates: The candidates themselves, in place of a file.
        target: The target of every problem.
        targets: One target per problem, .npy or .csv, in place of --target.
        tol: The error that counts as solved.
        perturbation: How much each kept candidate may move.
        size: Keep exactly so many candidates (one problem).
        signed: Kept candidates enter with either sign (one problem).
        objective: The least error, any subset within tol, or the fewest candidates within tol.
        workers: Threads; default one per core.
        out: File to write: .npz with keep, shift, errors and statuses (many problems) or keep and shift (one).
        json: Print the answer as JSON.
    """
    import numpy as np

    from strong_lth import subsetsum
    from strong_lth.core import InputError

    _check_writable(out)
    x = _candidates(file, candidates)
    if (target is None) == (targets is None):
        raise InputError("target", "neither" if target is None else "both", "give --target or --targets")
    z = np.asarray(target) if targets is None else _numbers_in(targets)
    if x.ndim == 1 and z.ndim == 0:
        problem = subsetsum.SubsetSumProblem(x, float(z), tol, perturbation, size, signed)
        solution = subsetsum.solve(problem, objective)
        ok = subsetsum.verify(problem, solution).ok
        arrays: dict[str, Any] = {"keep": solution.keep, "shift": solution.shift}
        kept = np.flatnonzero(solution.keep)
        answer = {
            "status": solution.status.name,
            "meaning": solution.status.value,
            "error": solution.error,
            "kept": kept.tolist() if not signed else (np.sign(solution.keep[kept]) * (kept + 1)).tolist(),
            "shift": solution.shift[kept].tolist(),
            "verified": ok,
            "engine": solution.stats["engine"],
        }
        decided = solution.status.name in ("SOLVED", "OPTIMAL")
        note = solution.stats.get("note")
    else:
        if size is not None or signed:
            raise InputError("--size and --signed", "many problems", "solve them one by one")
        z = np.broadcast_to(z, (len(x),)) if z.ndim == 0 else z
        with _progress() as progress:
            batch = subsetsum.solve_batch(
                x, z, tol=tol, perturbation=perturbation, objective=objective, workers=workers,
                progress=lambda done, total: progress("problems", done, total),
            )  # fmt: skip
        ok = subsetsum.verify_batch(x, z, batch, tol=tol, perturbation=perturbation).ok
        names = [status.name for status in subsetsum.STATUSES]
        counts = np.bincount(batch.statuses, minlength=len(names)).tolist()
        arrays = {"keep": batch.keep, "shift": batch.shift, "errors": batch.errors}
        arrays["statuses"] = np.array(names)[batch.statuses]
        answer = {"problems": len(z), **dict(zip(names, counts, strict=True))}
        answer |= {"largest error": float(batch.errors.max(initial=0.0)), "verified": ok}
        decided = answer["INFEASIBLE"] == answer["UNDECIDED"] == 0
        note = batch.stats.get("note")
    if note:
        answer["note"] = note
    if out is not None:
        from strong_lth.networks.files import replacing

        with replacing(out) as handle:
            np.savez(handle, **arrays)
    _show_answer(answer, json)
    return int(not (ok and decided))


def cover(
    file: tyro.conf.Positional[Path | None] = None,
    *,
    candidates: tuple[float, ...] = (),
    window: tuple[float, float] = (-0.5, 0.5),
    tol: float | None = None,
    perturbation: float = 0.0,
    out: Path | None = None,
    json: bool = False,
) -> int:
    """How far the worst target of a window stays from every subset sum; with --tol, whether all are within it (status 1 if not).

    Args:
        file: Candidates, .npy or .csv.
        candidates: The candidates themselves, in place of a file.
        window: The targets: its low and its high end.
        tol: Decide whether every target has a subset within this error; thousands of candidates are fine.
        perturbation: How much each kept candidate may move.
        out: File to write with --tol: the covered targets as intervals, .npy or .csv.
        json: Print the answer as JSON.
    """
    from strong_lth import subsetsum
    from strong_lth.core import InputError

    _check_writable(out)
    x = _candidates(file, candidates)
    answer: dict[str, Any] = {"candidates": int(x.size), "window": list(window)}
    if tol is None:
        if out is not None:
            raise InputError("--out", out, "give --tol too: it holds the targets within tol")
        worst = subsetsum.worst_target(x, window, perturbation=perturbation)
        answer |= {"covering radius": worst.error, "worst target": worst.target, "resolution": worst.resolution}
        _show_answer(answer, json)
        return 0
    covered = subsetsum.covers(x, tol, perturbation, window)
    intervals = subsetsum.covered_set(x, tol, perturbation, window)
    length = float((intervals[:, 1] - intervals[:, 0]).sum())
    answer |= {"tol": tol, "covered": covered, "intervals": len(intervals), "covered length": length}
    if out is not None:
        _write_numbers(out, intervals)
    _show_answer(answer, json)
    return int(not covered)


COMMANDS: tuple[Callable[..., int], ...] = (demo, solve, cover, bounds, approximate, certify, data, doctor)


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


def _show_answer(answer: Row, json: bool) -> None:
    """One answer: a line per fact, or JSON."""
    if json:
        print(dumps(dict(answer), allow_nan=False))
        return
    for name, value in answer.items():
        print(f"{name:16s} {value}")


def _candidates(file: Path | None, given: tuple[float, ...]) -> Any:
    from strong_lth.core import InputError

    if (file is None) == (not given):
        raise InputError("candidates", "neither" if file is None else "both", "give a file or --candidates")
    import numpy as np

    return np.array(given) if file is None else _numbers_in(file)


def _numbers_in(path: Path) -> Any:
    """The numbers of a .npy or .csv file; a single row or column counts as one-dimensional."""
    import numpy as np

    from strong_lth.core import FormatError

    try:
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        if path.suffix == ".csv":
            array = np.loadtxt(path, delimiter=",", ndmin=2)
            return array.reshape(-1) if 1 in array.shape else array
    except (ValueError, EOFError) as error:
        raise FormatError(
            f"{path}: not an array of numbers ({error}); write it with numpy.save or numpy.savetxt"
        ) from None
    raise FormatError(f"{path}: give a .npy or a .csv file")


def _write_numbers(path: Path, array: Any) -> None:
    import numpy as np

    from strong_lth.networks.files import replacing

    with replacing(path) as handle:
        if path.suffix == ".csv":
            np.savetxt(handle, array, delimiter=",", fmt="%.17g")
        else:
            np.save(handle, array)


def _show_ticket(network: Any, strong: Any, error: Any, json: bool) -> int:
    """Print the numbers of a ticket; status 1 if a check failed or a weight is not served."""
    from strong_lth import report

    numbers = report.ticket_numbers(network, strong, error)
    if json:
        _show([numbers], None)
    else:
        _show([], report.ticket_table(numbers))
    if strong.unserved:
        print(f"strong-lth: {report.unserved_sentence(strong)}", file=sys.stderr)
    return int(bool(strong.unserved) or not error.certificate.ok)


def _width(text: str) -> int | list[int] | Literal["smallest"] | None:
    """``--width``: a number, numbers joined by commas, "smallest", or "proved" (None to the library)."""
    from strong_lth.core import InputError

    if text == "smallest":
        return "smallest"
    if text == "proved":
        return None
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError("--width", repr(text), "give a number, numbers joined by commas, smallest or proved") from None
    return numbers[0] if len(numbers) == 1 else numbers


def _check_writable(*paths: Path | None) -> None:
    """Refuse output files that cannot be written, or are one file, before the work starts."""
    from strong_lth.core import InputError

    given = [path for path in paths if path is not None]
    if len({path.resolve() for path in given}) < len(given):
        raise InputError("output files", given[0], "name two different files")
    for path in given:
        if path.is_dir():
            raise InputError("output file", path, "name a file, not a folder")
        try:
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            raise InputError(
                "output file", path, f"name a file in a folder that can be written ({error.strerror})"
            ) from None


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on stderr: call it with (stage, done, total)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    tasks: dict[str, TaskID] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield report


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


if __name__ == "__main__":
    sys.exit(main())
