"""Theorem D: the best that mean and range of one step allow, by a recursion over the covered length."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from strong_lth.bounds.envelope_tables import LEAST, Chain, chain, rung
from strong_lth.bounds.evaluation import in_groups, natural_unit, unit_question
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict

GAP = 0.38  # share of the tolerance left for the last gaps
WIDEST = 0.4  # of a tolerance that is split
DEEPEST = 240  # candidates in one recursion; more are split into independent groups


def failure(question: Question) -> Failure:
    """Upper bound of P(some z in [-1/2, 1/2] is missed), candidates i.i.d. with density >= c on [-1, 1], c <= 1/2: V_n(2e), where

        V_0(p) = 1 for p < 1 - g, else 0,
        V_(k+1)(p) = sup of E V_k(P) over P in [p, min(1, 2p + k)] with E P = p + c (1 - p) min(1, p + k),

    for 0 <= k <= min(perturbation, g) and (A) e + g = tol, or (B) e = 0 < k, g = tol + perturbation - k. V is evaluated as a piecewise linear upper bound
    (``envelope``) and rounded outward; allowances are rounded down to 2^(j / 16), which keeps it monotone. For tol >= 1/2: 0; allowances below 1e-9: 1.

    Laws and targets as for ``rss_martingale_kl``. Source: proofs/docs/rss-drift.md.

    >>> failure(Question(41, tol=0.01)) < 0.01 < failure(Question(39, tol=0.01))
    True
    """
    found = scaled(question)
    if isinstance(found, Verdict):
        return found
    density, tol, perturbation = found
    if tol >= 0.5:
        return 0.0
    chains = list(splits(density, tol, perturbation))
    bound: Callable[[int], float] = lambda n: min((c.bound(n, start) for c, start, _ in chains), default=1.0)  # noqa: E731
    return in_groups(bound, question.n, DEEPEST)


def scaled(question: Question) -> tuple[float, float, float] | Verdict:
    """(lower bound c of the density on [-1, 1], tol, perturbation) in the natural unit of the law; NOT_APPLICABLE where c = 0 or the targets leave [-1/2, 1/2]."""
    unit = natural_unit(question.law)
    density = min(unit * question.law.lower_density(-unit, unit), 0.5)
    allowances = unit_question(question, unit)
    return Verdict.NOT_APPLICABLE if density <= 0 or allowances is None else (density, *allowances)


def splits(density: float, tol: float, perturbation: float) -> Iterator[tuple[Chain, float, dict[str, float]]]:
    """(chain, start, its e, g and k) of every split that is tried."""
    if tol >= LEAST:
        whole = min(rung(tol), WIDEST)
        gap = GAP * whole
        for k in {0.0, rung(min(perturbation, gap)) if perturbation >= LEAST else 0.0}:
            e = (whole - gap) * (1 - 1e-12)
            yield chain(density, 2 * e, gap, k), 2 * e, {"e": e, "gap": gap, "widened": k}
    if perturbation >= LEAST:
        k = rung(min(perturbation, 1.0)) / 2
        gap = min(k + (rung(tol) if tol >= LEAST else 0.0), 0.9)
        yield chain(density, 0.0, gap, k), 0.0, {"e": 0.0, "gap": gap, "widened": k}


BOUND = Bound(
    id="rss-drift",
    title="Mean and range of one step, used optimally by a recursion",
    reference=Reference("strong_lth", "proofs/docs/rss-drift.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.EXPLICIT,
    status="proved on paper",
    proof="rss-drift",
    formula=failure,
)
