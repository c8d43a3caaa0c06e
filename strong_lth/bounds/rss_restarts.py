"""Perturbation gain, Theorem 1: the recursion of Theorem D, restarted so that every covered point owes its place to L kept candidates or more."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from strong_lth.bounds.envelope_tables import LEAST, Chain, Stage, rung, stages
from strong_lth.bounds.evaluation import in_groups
from strong_lth.bounds.rss_drift import DEEPEST, GAP, WIDEST, scaled
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict

LEVELS = 2


def failure(question: Question) -> Failure:
    """Upper bound of P(some z in [-1/2, 1/2] is missed), candidates i.i.d. with density >= c on [-1, 1], c <= 1/2: V^0_n(2e; 2e) with

        V^L_k the recursion of ``rss_drift`` with gap g and without perturbation,
        V^i_k(a; u) = min(V^(i+1)_k(a - u; a - u), sup of E V^i_(k-1)(P; u) over the same P),    i < L,

    for 0 <= L <= 2 and e + g = tol + L perturbation, e <= 1/2, g < 1: the least of the three. Rounded outward; the allowance is rounded down to 2^(j / 16). For
    tol >= 1/2: 0; allowances below 1e-9: 1.

    Laws and targets as for ``rss_martingale_kl``. Source: proofs/docs/rss-restarts.md.

    >>> failure(Question(39, tol=0.01, perturbation=0.01)) < 0.01 < failure(Question(37, tol=0.01, perturbation=0.01))
    True
    """
    found = scaled(question)
    if isinstance(found, Verdict):
        return found
    density, tol, perturbation = found
    if tol >= 0.5:
        return 0.0
    tables = list(splits(density, tol, perturbation))
    bound: Callable[[int], float] = lambda n: min((t.bound(n, start) for t, start, _ in tables), default=1.0)  # noqa: E731
    return in_groups(bound, question.n, DEEPEST)


def splits(density: float, tol: float, perturbation: float) -> Iterator[tuple[Chain | Stage, float, dict[str, float]]]:
    """(table, start, its levels, e and g) for every number of levels that can help."""
    for levels in range(LEVELS + 1 if perturbation > tol / 100 else 1):
        if tol + levels * perturbation >= LEAST:
            whole = min(rung(tol + levels * perturbation), WIDEST)
            gap = GAP * whole
            e = (whole - gap) * (1 - 1e-12)
            yield stages(density, 2 * e, gap, levels), 2 * e, {"levels": levels, "e": e, "gap": gap}


BOUND = Bound(
    id="rss-restarts",
    title="Restarts: the optimal recursion with up to two guaranteed inclusions",
    reference=Reference("strong_lth", "proofs/docs/rss-restarts.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.EXPLICIT,
    status="proved on paper",
    proof="rss-restarts",
    formula=failure,
)
