"""``strong-lth solve`` and ``cover``: subset sums from flags and files."""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import Any, Literal

import tyro

from strong_lth.commands.shown import Row, check_writable, progress_bars, write_document


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
    certificate: Path | None = None,
    json: bool = False,
) -> int:
    """Choose candidates whose sum is near a target: one problem, or many from files; status 1 if one is not solved or not proved.

    "kept" lists the positions of the kept candidates, counted from 0, "shift" how far each of them is moved, and with --signed "signs" how it enters.

    Args:
        file: Candidates, .npy or .csv: n numbers, or one row of n per problem.
        candidates: The candidates themselves, in place of a file.
        target: The target of every problem.
        targets: One target per problem, .npy or .csv, in place of --target.
        tol: The error that counts as solved.
        perturbation: How much each kept candidate may move.
        size: Keep exactly so many candidates.
        signed: Kept candidates enter with either sign.
        objective: The least error, any subset within tol, or the fewest candidates within tol.
        workers: Threads; default one per core.
        out: File to write: .npz with keep, shift, errors and statuses (many problems) or keep and shift (one).
        certificate: File to write: what proofs/check_certificate.py re-proves with the standard library alone (.json).
        json: Print the answer as JSON.
    """
    import numpy as np

    from strong_lth import subsetsum
    from strong_lth.core import InputError

    check_writable(out, certificate)
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
            "kept": kept.tolist(),
            **({"signs": solution.keep[kept].tolist()} if signed else {}),
            "shift": solution.shift[kept].tolist(),
            "verified": ok,
            "engine": solution.stats["engine"],
        }
        decided = solution.status.name in ("SOLVED", "OPTIMAL")
        note = solution.stats.get("note")
        document = subsetsum.sum_certificate(problem, solution) if certificate else {}
    else:
        if certificate and signed:
            raise InputError("--certificate", "with --signed and many problems", "certify the problems one by one")
        z = np.broadcast_to(z, (len(x),)) if z.ndim == 0 else z
        kind: dict[str, Any] = {"tol": tol, "perturbation": perturbation, "size": size, "signed": signed}
        with progress_bars() as progress:
            batch = subsetsum.solve_batch(
                x, z, objective=objective, workers=workers, progress=lambda done, total: progress("problems", done, total), **kind
            )  # fmt: skip
        ok = subsetsum.verify_batch(x, z, batch, **kind).ok
        names = [status.name for status in subsetsum.STATUSES]
        counts = np.bincount(batch.statuses, minlength=len(names)).tolist()
        arrays = {"keep": batch.keep, "shift": batch.shift, "errors": batch.errors}
        arrays["statuses"] = np.array(names)[batch.statuses]
        answer = {"problems": len(z), **dict(zip(names, counts, strict=True))}
        answer |= {"largest error": float(batch.errors.max(initial=0.0)), "verified": ok}
        decided = answer["INFEASIBLE"] == answer["UNDECIDED"] == 0
        note = batch.stats.get("note")
        document = {}
        if certificate:
            document = subsetsum.batch_certificate(x, z, batch, tol=tol, perturbation=perturbation)
    if note:
        answer["note"] = note
    if out is not None:
        from strong_lth.networks.files import replacing

        with replacing(out) as handle:
            np.savez(handle, **arrays)
    if certificate is not None:
        write_document(certificate, document)
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
    certificate: Path | None = None,
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
        certificate: File to write with --tol, if every target is covered: what proofs/check_certificate.py re-proves with the standard library alone (.json).
        json: Print the answer as JSON.
    """
    from strong_lth import subsetsum
    from strong_lth.core import InputError

    check_writable(out, certificate)
    x = _candidates(file, candidates)
    answer: dict[str, Any] = {"candidates": int(x.size), "window": list(window)}
    if tol is None:
        for flag, path in (("--out", out), ("--certificate", certificate)):
            if path is not None:
                raise InputError(flag, path, "give --tol too: it speaks of the targets within tol")
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
    if certificate is not None and covered:
        write_document(certificate, subsetsum.cover_certificate(x, tol, perturbation, window))
    _show_answer(answer, json)
    return int(not covered)


def _candidates(file: Path | None, given: tuple[float, ...]) -> Any:
    from strong_lth.core import InputError

    if (file is None) == (not given):
        raise InputError("candidates", "neither" if file is None else "both", "give a file or --candidates")
    import numpy as np

    x = np.array(given) if file is None else _numbers_in(file)
    if x.ndim == 0:
        raise InputError("candidates", f"a single number in {file}", "give an array of n numbers, or of B rows of n")
    return x


def _numbers_in(path: Path) -> Any:
    """The numbers of a .npy or .csv file; a single row or column counts as one-dimensional."""
    import numpy as np

    from strong_lth.core import FormatError

    try:
        if path.suffix == ".npy":
            with path.open("rb") as handle:
                return np.lib.format.read_array(handle, allow_pickle=False)
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


def _show_answer(answer: Row, json: bool) -> None:
    """One answer: a line per fact, or JSON."""
    if json:
        print(dumps(dict(answer), allow_nan=False))
        return
    for name, value in answer.items():
        print(f"{name:16s} {value}")
