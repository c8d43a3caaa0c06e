"""Do Python's numbers mean what the theorems say? Coq re-proves it for more than a hundred instances.

For each (tol, perturbation, delta), with n = required_candidates and f = failure(n) as an exact fraction, Coq proves with the expressions of
Statements.v: f lies within a relative 1e-9 of them on both sides, the expression at n is at most delta, and at n - 1 it is above delta.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from coq import _last, compile_text

TOLS = (0.5, 0.3, 0.1, 0.05, 0.03, 0.01, 0.003, 0.001, 1e-4)
PERTURBATIONS = (0.9, 0.1, 0.02, 0.01, 0.001, 1e-5)
DELTAS = (0.5, 0.05, 0.01, 1e-3, 1e-8)
BOUND = "rss-contraction-checked"

Failure = Callable[[int, float, float], float]


def faults(proofs: Path, failure: Failure | None = None) -> list[str]:
    """One line if Coq refuses an instance; ``failure`` replaces the package's own function (for drills)."""
    text = "Require Import Reals Lra.\nFrom StrongLTH Require Import Statements.\nOpen Scope R_scope.\n"
    text += "".join(goals(proofs.parent, failure))
    done = compile_text(text, [(proofs / "theories", "StrongLTH")])
    return [] if done.returncode == 0 else [f"constants of Python against Coq: {_last(done.stderr)}"]


def goals(root: Path, failure: Failure | None = None) -> Iterator[str]:
    """The goals as Coq source."""
    sys.path.insert(0, str(root))
    from strong_lth.bounds import get, required_candidates

    bound = get(BOUND)
    of = failure or (lambda n, tol, perturbation: bound.failure(n, tol, perturbation))
    for tol, perturbation, delta in instances():
        n = required_candidates(bound, tol=tol, perturbation=perturbation, delta=delta)
        value = of(n, tol, perturbation)
        now, before = expression(n, tol, perturbation), expression(n - 1, tol, perturbation)
        f, d = _rational(value), _rational(delta)
        yield (
            f"Goal 999999999 / 1000000000 * {now} <= {f} /\\ {f} <= 1000000001 / 1000000000 * {now} "
            f"/\\ {now} <= {d} /\\ {d} < {before}.\n"
            "Proof. unfold failure_tol, failure_exact, Rmin; repeat destruct Rle_dec; repeat split; lra. Qed.\n"
        )


def instances() -> Iterator[tuple[float, float, float]]:
    """(tol, perturbation, delta): each allowance alone, then both."""
    yield from ((tol, 0.0, delta) for tol, delta in itertools.product(TOLS, DELTAS))
    yield from ((0.0, perturbation, delta) for perturbation, delta in itertools.product(PERTURBATIONS, DELTAS))
    yield from itertools.product(TOLS[2::2], PERTURBATIONS[1::2], DELTAS[1:4])


def expression(n: int, tol: float, perturbation: float) -> str:
    """The theorem's expression, in the words of Statements.v."""
    alone = [
        f"{name} {n} ({_rational(value)})"
        for name, value in (("failure_tol", tol), ("failure_exact", perturbation))
        if value > 0
    ]
    return f"({alone[0]})" if len(alone) == 1 else f"Rmin ({alone[0]}) ({alone[1]})"


def _rational(x: float) -> str:
    fraction = Fraction(x)
    return f"{fraction.numerator} / {fraction.denominator}"
