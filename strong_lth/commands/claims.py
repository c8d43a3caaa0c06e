"""``strong-lth bounds``, ``check`` and ``proofs``: what is claimed, held against reality, and proved."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from strong_lth.commands.shown import check_writable, plain_table, progress_bars, show_rows, write_document

if TYPE_CHECKING:
    pass


def bounds(
    *,
    tol: float = 0.01,
    perturbation: float = 0.0,
    delta: float = 0.05,
    root: Path | None = None,
    certificate: Path | None = None,
    json: bool = False,
) -> int:
    """Candidates that each bound and each prediction asks for and, from recorded simulations, how many are needed; with source, quantifier and status.

    Args:
        tol: Allowed approximation error of a target.
        perturbation: Allowed change of each candidate.
        delta: Failure probability.
        root: Checkout that holds simulations/records/; default: the one this package runs from, if any.
        certificate: File to write: the number of rss-recursion, for proofs/check_certificate.py to re-prove with the standard library alone (.json).
        json: Print the rows as JSON.
    """
    from strong_lth import measured, report
    from strong_lth.bounds import get, required_candidates, rss_recursion
    from strong_lth.core import InputError

    check_writable(certificate)
    rows = report.bounds_rows(tol, perturbation, delta)
    rows += measured.measured_rows(tol, perturbation, delta, root=root)
    if certificate is not None:
        n = required_candidates(get("rss-recursion"), tol=tol, delta=delta)
        if not isinstance(n, int):
            raise InputError("delta", delta, "the recursion asks for no number here")
        write_document(certificate, rss_recursion.certificate(n, tol=tol))
    show_rows(rows, None if json else report.bounds_table(rows))
    return 0


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
    with progress_bars() as progress:
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
        show_rows([row], None)
    else:
        order = ("bound", "verdict", "meaning", "event", "n", "claimed", "missed", "trials", "low", "high", "note")
        show_rows([], plain_table([{"item": name, "value": row[name]} for name in order], {"item": "", "value": ""}))
    return int(result.verdict is lth.Verdict.REFUTED)


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
        show_rows(rows, None if json else plain_table(rows, columns))
        return 0
    description = theorems.describe(id, root)
    if json:
        show_rows([description], None)
    else:
        print(theorems.theorem_text(description))
    return 0
