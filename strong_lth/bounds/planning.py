"""From failure probabilities to numbers of candidates."""

from __future__ import annotations

import numpy as np

from strong_lth.bounds.listed import BOUNDS
from strong_lth.bounds.types import (
    UNIFORM,
    WINDOW,
    Bound,
    Constants,
    Direction,
    Prediction,
    Scope,
    Targets,
    whole,
)
from strong_lth.core import InputError, Verdict
from strong_lth.distributions import Law

LIMIT = 1_000_000


def required_candidates(
    bound: Bound | Prediction,
    *,
    tol: float,
    perturbation: float = 0.0,
    delta: float,
    law: Law = UNIFORM,
    targets: Targets = WINDOW,
    blocks: int = 1,
    limit: int = LIMIT,
) -> int | Verdict:
    """Least n whose failure probability, summed over ``blocks`` independent or dependent blocks of candidates, is at most ``delta``.

    SUFFICIENT bound: blocks * failure(n) <= delta (union bound); a prediction likewise. NECESSARY bound: the least n that is not excluded;
    blocks add nothing. A Verdict in place of a number: NOT_APPLICABLE where the theorem does not cover the law, the range or the
    quantifier, INCONCLUSIVE where its constants are unspecified, VACUOUS where no n up to ``limit`` suffices.

    Raises InputError for delta outside (0, 1), blocks < 1, and bad tol or perturbation.

    >>> from strong_lth.bounds import get
    >>> required_candidates(get("rss-contraction-checked"), tol=0.01, delta=0.05)
    45
    >>> required_candidates(get("volume"), tol=0.01, delta=0.05)
    6
    """
    if not isinstance(bound, Bound | Prediction):
        raise InputError("bound", repr(bound), "give one of BOUNDS or PREDICTIONS, for example get('rss-contraction')")
    if isinstance(delta, bool) or not isinstance(delta, int | float | np.floating) or not 0 < delta < 1:
        raise InputError("delta", delta, "give a probability strictly between 0 and 1")
    blocks, limit = whole("blocks", blocks, least=1), whole("limit", limit, least=1)
    union = 1 if isinstance(bound, Bound) and bound.direction is Direction.NECESSARY else blocks

    def enough(n: int) -> bool | Verdict:
        failure = bound.failure(n, tol, perturbation, law=law, targets=targets)
        return failure if isinstance(failure, Verdict) else union * failure <= delta

    low, high = -1, 0
    while not (answer := enough(high)):
        if high == limit:
            return Verdict.VACUOUS
        low, high = high, min(max(high + 8, high + high // 4), limit)  # tables are as deep as the largest n asked
    if isinstance(answer, Verdict):
        return answer
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def sharpest(
    *,
    tol: float,
    perturbation: float = 0.0,
    delta: float,
    law: Law = UNIFORM,
    targets: Targets = WINDOW,
    blocks: int = 1,
    scope: Scope = Scope.EACH_TARGET,
) -> tuple[Bound, int] | Verdict:
    """The SUFFICIENT bound with explicit constants that needs the fewest candidates, and that number; ties go to the one listed first.

    EACH_TARGET: each target of ``targets`` with candidates of its own (one given network), where an ALL_TARGETS bound is valid too.
    ALL_TARGETS: one sample for every target of the window (all networks at once), from the ALL_TARGETS bounds alone. NOT_APPLICABLE if no bound covers the
    question, VACUOUS if those that do need too many candidates. Errors as for ``required_candidates``.

    >>> bound, n = sharpest(tol=0.01, perturbation=0.001, delta=0.05)
    >>> bound.id, n
    ('rss-survival', 16)
    """
    best: tuple[Bound, int] | None = None
    vacuous = False
    for bound in BOUNDS:
        if bound.direction is not Direction.SUFFICIENT or bound.constants is not Constants.EXPLICIT:
            continue
        if scope is Scope.ALL_TARGETS and bound.scope is not Scope.ALL_TARGETS:
            continue
        if best is not None:  # one question tells whether this bound can win, and tables grow no deeper than it
            fewer = bound.failure(max(best[1] - 1, 0), tol, perturbation, law=law, targets=targets)
            if isinstance(fewer, Verdict) or blocks * fewer > delta:
                continue
        n = required_candidates(
            bound, tol=tol, perturbation=perturbation, delta=delta, law=law, targets=targets, blocks=blocks,
            limit=LIMIT if best is None else max(best[1], 1),
        )  # fmt: skip
        vacuous = vacuous or n is Verdict.VACUOUS
        if not isinstance(n, Verdict) and (best is None or n < best[1]):
            best = bound, n
    if best is not None:
        return best
    return Verdict.VACUOUS if vacuous else Verdict.NOT_APPLICABLE
