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

        strict = result.strictest
        print("trained tickets of another network (digits, mlp-bn), the same final recipe for all:")
        _show(result.trained, _tickets_table(summarise(result.trained)))
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
    _check_writable(out, certificate, apart_from=target)
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


def check(
    bound: tyro.conf.Positional[str],
    *,
    tol: float,
    perturbation: float = 0.0,
    delta: float = 0.05,
    n: int | None = None,
    law: Literal["uniform", "normal", "product"] = "uniform",
    target: float | None = None,
    window: tuple[float, float] = (-0.5, 0.5),
    trials: int = 2000,
    seed: int = 1,
    alpha: float = 1e-3,
    json: bool = False,
) -> int:
    """Hold a bound against exact solves of the event it speaks of; status 1 if it is refuted.

    Args:
        bound: Id of a bound, as `strong-lth bounds` lists it.
        tol: Allowed approximation error of a target.
        perturbation: Allowed change of each candidate.
        delta: Without --n, the candidates that the bound asks for at this failure probability are simulated.
        n: Number of candidates.
        law: Candidates uniform on [-1, 1], standard normal, or products of two uniforms.
        target: One fixed target in place of a window.
        window: Targets of the statement.
        trials: At most so many trials; clear cases end early.
        seed: Seed of the trials.
        alpha: A wrong REFUTED has at most this probability, and so has a wrong CONSISTENT.
        json: Print the result as JSON.
    """
    import strong_lth as lth
    from strong_lth.core import InputError

    entry = lth.bounds.get(bound)
    if not isinstance(entry, lth.Bound):
        raise InputError("bound", repr(bound), "name a bound; a prediction claims no inequality to refute")
    laws: dict[str, lth.Law] = {
        "uniform": lth.Uniform(-1, 1),
        "normal": lth.Normal(),
        "product": lth.ProductUniform(),
    }
    targets = lth.Window(*window) if target is None else lth.Point(target)
    needed = n if n is not None else lth.required_candidates(
        entry, tol=tol, perturbation=perturbation, delta=delta, law=laws[law], targets=targets
    )  # fmt: skip
    size = 0 if isinstance(needed, lth.Verdict) else needed
    setting = {"tol": tol, "perturbation": perturbation, "law": laws[law], "targets": targets}
    with _progress() as progress:
        result = lth.validate.check(
            entry,
            n=size,
            **setting,
            trials=trials,
            seed=seed,
            alpha=alpha,
            progress=lambda done, total: progress("trials", done, total),
        )
    row = asdict(result) | {"n": size, "verdict": result.verdict.name, "meaning": result.verdict.value}
    if json:
        _show([row], None)
    else:
        order = ("bound", "verdict", "meaning", "event", "n", "claimed", "missed", "trials", "low", "high", "note")
        _show([], _table([{"item": name, "value": row[name]} for name in order], {"item": "", "value": ""}))
    return int(result.verdict is lth.Verdict.REFUTED)


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
        _show(
            rows,
            None
            if json
            else _table(rows, {"id": "simulation", "claim": "claim", "source": "source", "cost": "full run"}),
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
    _show(
        rows,
        None
        if json
        else _table(rows, {"verdict": "verdict", "statement": "statement", "evidence": "evidence", "alpha": "alpha"}),
    )
    image = store / entry.id / f"{'smoke' if smoke else 'full'}.png"
    if record:
        if smoke:
            raise InputError("--record", "--smoke", "record full runs only")
        experiment.write_record(folder / "records" / f"{entry.id}.json", entry, done)
        image = folder / "records" / f"{entry.id}.png"
    if entry.figure is not None:
        with image.open("wb") as file:
            entry.figure(done.rows, file)
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
    _show(rows, None if json else _table(rows, {name: name for name in (rows[0] if rows else {})}))
    return 0


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


def proofs(id: tyro.conf.Positional[str | None] = None, *, root: Path | None = None, json: bool = False) -> int:
    """What is proved, by whom and how far: all theorems, or one with its statement, its Coq names and what uses it.

    Args:
        id: Id of a theorem; left out: all of them.
        root: Checkout that holds proofs/; default: the one this package runs from.
        json: Print as JSON.
    """
    from strong_lth import theorems

    if id is None:
        rows = theorems.theorem_rows(root)
        columns: dict[str, str] = {name: name for name in ("id", "title", "status", "tier") if name in rows[0]}
        _show(rows, None if json else _table(rows, columns))
        return 0
    description = theorems.describe(id, root)
    if json:
        _show([description], None)
    else:
        print(theorems.theorem_text(description))
    return 0


COMMANDS: tuple[Callable[..., int], ...] = (
    demo,
    solve,
    cover,
    bounds,
    check,
    approximate,
    certify,
    tickets,
    compare,
    simulate,
    runs,
    proofs,
    data,
    doctor,
)


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


def _check_writable(*paths: Path | None, apart_from: Path | None = None) -> None:
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
