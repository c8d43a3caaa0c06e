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

    from strong_lth.tickets.comparison import Comparison

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
        from strong_lth.tickets.summary import summarise

        print("trained tickets of another network (digits, mlp-bn), the same final recipe for all:")
        _show(result.trained, _tickets_table(summarise(result.trained)))
        print(f"{result.seconds:.0f} s; wrote {', '.join(path.name for path in paths)} to {out}/")
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
    for path in (out, certificate):
        _check_writable(path)
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
    _show_ticket(network, strong, error, json)
    return int(bool(strong.unserved) or not error.certificate.ok)


def certify(target: tyro.conf.Positional[Path], ticket: tyro.conf.Positional[Path], *, json: bool = False) -> int:
    """Re-prove a ticket file against its target and bound its error on the ticket's domain; status 1 if a check fails.

    Args:
        target: The target the ticket was made for (.npz).
        ticket: A ticket file written by `approximate --out` or Subnetwork.save.
        json: Print the numbers as JSON.
    """
    import strong_lth as lth

    network, strong = lth.Network.load(target), lth.Subnetwork.load(ticket)
    error = lth.certify(network, strong, domain=strong.domain)
    _show_ticket(network, strong, error, json)
    return int(not error.certificate.ok)


def tickets(
    method: tyro.conf.Positional[str],
    *,
    data: str = "digits",
    model: str = "mlp-bn",
    density: tuple[float, ...] = (0.1,),
    seeds: tuple[int, ...] = (0,),
    epochs: int | None = None,
    lr: float | None = None,
    batch: int | None = None,
    preset: Literal["scaled", "authors"] = "scaled",
    device: str = "cpu",
    out: Path | None = None,
    dry_run: bool = False,
    json: bool = False,
) -> int:
    """Find trained tickets by one method, train and score them; with --out a resumable run that also writes the ticket files.

    Args:
        method: A method: dense, random-mask, one-shot, imp, lrr, aws, sign-transfer, mask-transfer, rst, unilth, unidlth or stable-rewinding.
        data: digits, mnist, fashion-mnist, cifar10 or cifar100.
        model: A model of the zoo, like mlp-bn, lenet-300-100 or resnet20.
        density: Fractions of the prunable weights to keep.
        seeds: Run numbers.
        epochs: Epochs of the final training (and of each round where the method says so).
        lr: Largest learning rate.
        batch: Images per step.
        preset: Settings of the method: scaled to the task, or the authors'.
        device: cpu or cuda.
        out: Folder for the run; the same call resumes it.
        dry_run: Print what it will cost, train nothing.
        json: Print the rows as JSON.
    """
    settings = _given(
        methods=(method,), densities=density, seeds=seeds, data=data, model=model, preset=preset, device=device
    )
    chosen = _comparison(None, settings, epochs, lr, batch)
    status = _compare(chosen, out, dry_run, json)
    if out is not None and not dry_run:
        _write_tickets(chosen, out)
    return status


def compare(
    methods: tyro.conf.Positional[tuple[str, ...]] = (),
    *,
    config: Path | None = None,
    data: str | None = None,
    model: str | None = None,
    density: tuple[float, ...] = (),
    seeds: tuple[int, ...] = (),
    epochs: int | None = None,
    lr: float | None = None,
    batch: int | None = None,
    preset: Literal["scaled", "authors"] | None = None,
    device: str | None = None,
    out: Path | None = None,
    dry_run: bool = False,
    json: bool = False,
) -> int:
    """Compare ways to find trained tickets: accuracy and cost per method and density over the same seeds.

    Args:
        methods: Methods, as for `tickets`.
        config: A TOML file with these settings (and a table [recipe]); options given here win.
        data: digits (default), mnist, fashion-mnist, cifar10 or cifar100.
        model: A model of the zoo; default mlp-bn.
        density: Fractions of the prunable weights to keep; default 0.5 0.2 0.1 0.05.
        seeds: Run numbers; default 0 1 2 3 4. An interval needs five, a verdict eight.
        epochs: Epochs of the final training.
        lr: Largest learning rate.
        batch: Images per step.
        preset: Settings of the methods: scaled to the task (default), or the authors'.
        device: cpu or cuda.
        out: Folder for the run; the same call resumes it.
        dry_run: Print what it will cost, train nothing.
        json: Print the rows as JSON.
    """
    settings = _given(
        methods=methods or None,
        densities=density or None,
        seeds=seeds or None,
        data=data,
        model=model,
        preset=preset,
        device=device,
    )
    return _compare(_comparison(config, settings, epochs, lr, batch), out, dry_run, json)


COMMANDS: tuple[Callable[..., int], ...] = (demo, bounds, approximate, certify, tickets, compare, data, doctor)


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


def _show_ticket(network: Any, strong: Any, error: Any, json: bool) -> None:
    from strong_lth import report

    numbers = report.ticket_numbers(network, strong, error)
    if json:
        _show([numbers], None)
    else:
        _show([], report.ticket_table(numbers))


def _given(**settings: Any) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _comparison(
    config: Path | None, settings: Mapping[str, Any], epochs: int | None, lr: float | None, batch: int | None
) -> Comparison:
    from strong_lth.tickets import comparison

    chosen = comparison.make_comparison(settings) if config is None else comparison.read_comparison(config, **settings)
    return comparison.with_recipe(chosen, epochs=epochs, lr=lr, batch=batch)


def _compare(chosen: Comparison, out: Path | None, dry_run: bool, json: bool) -> int:
    """Show the planned cost, or run and show the rows."""
    from strong_lth import tickets
    from strong_lth.tickets.summary import summarise

    plan = tickets.planned(chosen)
    if dry_run:
        columns = {"method": "method", "search_epochs": "epochs to find", "final_epochs": "epochs to train"}
        _show(plan, None if json else _table(plan, columns))
        return 0
    if out is not None:
        _make_folder(out)
    totals = {row["method"]: round(row["search_epochs"] + row["final_epochs"]) for row in plan}
    done = dict.fromkeys(totals, 0)
    with _progress() as progress, tempfile.TemporaryDirectory() as scratch:

        def report(method: str, seed: int, row: Any) -> None:
            done[method] += 1
            progress(f"{method}, seed {seed}: loss {row.train_loss:.3f}", done[method], totals[method])

        rows = tickets.run_comparison(chosen, out or Path(scratch), report=report)
    _show(rows, None if json else _tickets_table(summarise(rows)))
    return 0


def _write_tickets(chosen: Comparison, out: Path) -> None:
    """The tickets of a finished run, from its stored trainings."""
    from strong_lth import tickets
    from strong_lth.tickets.comparison import methods_of, task_of

    task = task_of(chosen)
    store = tickets.FolderStore(out / "trainings")
    for method in methods_of(chosen, task):
        for seed in chosen.seeds:
            for density in (1.0,) if method.reference else chosen.densities:
                ticket = tickets.find(method, task, density, seed, store=store)
                tickets.save_ticket(ticket, out / f"{chosen.methods[0]}-{density:g}-{seed}.safetensors")


def _make_folder(path: Path) -> None:
    from strong_lth.core import InputError

    if path.exists() and not path.is_dir():
        raise InputError("--out", path, "name a folder")
    path.mkdir(parents=True, exist_ok=True)


def _tickets_table(rows: Sequence[Row]) -> Table:
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
    return _table(shown, dict(zip(keys, names, strict=True)))


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


def _check_writable(path: Path | None) -> None:
    """Refuse an output file that cannot be written before the work starts."""
    from strong_lth.core import InputError

    if path is None:
        return
    if path.is_dir():
        raise InputError("output file", path, "name a file, not a folder")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise InputError("output file", path, "name a file in a folder that exists and can be written")


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
