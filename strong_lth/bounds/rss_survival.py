"""Theorem E: one given target. The covered length grows while the target survives."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from strong_lth.bounds import growth
from strong_lth.bounds.evaluation import unit_question
from strong_lth.bounds.growth_tables import LEAST, Table, below
from strong_lth.bounds.growth_tables import failure as tabulated_failure
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.bounds.unimodal import UNIT_UNIFORM, Shape, rho_of, shape_of
from strong_lth.core import Floats, Reference, Verdict

CELLS = 128
_STOP = 1e-3  # where the grid ends its logarithmic part
_LENGTHS = {"uniform": (2.0,), "normal": (2.6, 3.2)}
_OTHER_LENGTHS = (1.04, 1.2, 1.5, 2.0)


def failure(question: Question) -> Failure:
    """Upper bound of P(z missed) for one fixed z with |z| <= 1/2, candidates i.i.d. with an even density that falls away from 0.

    With e = tol + perturbation, a window of length L around the target and m + k = n: E V_k(|A_m|), where A_m is the part of the
    window within e of a subset sum, V_0 = 1, and V_(k+1) follows from V_k by the growth programme with the survival
    probability q(a) = P(|x| > L/2) + P(|x| <= (L - a)/2); for U[-1, 1] and L = 2, q(a) = 1 - a/2. E V_k(|A_m|) is bounded by moments of |A_m| (``early``).
    For |z| <= tol the empty set serves: 0. An allowance below 1e-7 is not tabulated: 1.

    Laws: U[-c, c], N(0, s^2), a product of two U[-1, 1], triangular and tabulated ones, for targets in [-h/2, h/2] with h = c, s, 1, the half-width, 1.
    For a Window: its worst target. NOT_APPLICABLE for other laws or targets. Source: proofs/docs/rss-survival.md.

    >>> failure(Question(20, tol=0.01)) < 0.01 < failure(Question(19, tol=0.01))
    True
    """
    known = shape_of(question.law)
    scaled = None if known is None else unit_question(question, known[1])
    if known is None or scaled is None:
        return Verdict.NOT_APPLICABLE
    if question.reach <= question.tol:
        return 0.0
    if sum(scaled) < LEAST:
        return 1.0
    return tabulated_failure(tables(known[0], below(min(sum(scaled), 0.5))), question.n)


@lru_cache(maxsize=256)
def tables(shape: Shape, start: float) -> list[Table]:
    """One table per window length that holds the start interval for every target."""
    lengths = _LENGTHS.get(shape.name, _OTHER_LENGTHS)
    return [table(shape, start, length) for length in lengths if start + offset(shape, length) <= length / 2][:2]


def offset(shape: Shape, length: float) -> float:
    """Largest distance between 0 and the centre of the window over all targets |z| <= 1/2.

    The window is centred at the target; for U[-1, 1] and L <= 2 it is the one inside [z - 1, z + 1] that is nearest to 0.
    """
    return (length - 1) / 2 if shape is UNIT_UNIFORM and length <= 2 else 0.5


def table(shape: Shape, start: float, length: float, cells: int = CELLS) -> Table:
    """The survival programme from V_0 = 1 on [2 e, L]."""
    grid = growth.grid(2 * start, length, min(_STOP, (length - 2 * start) / 4), cells, jump=False)
    rho, knots = rho_of(shape, length)
    programme = growth.programme(grid, survival(shape, grid.y), rho, knots)
    return Table(programme, shape, length, start, offset(shape, length), 0, [np.ones(grid.y.size)])


def survival(shape: Shape, y: Floats) -> tuple[Floats, Floats]:
    """Lemma 6 at both ends of every cell: a linear upper bound of q, which is concave in the covered length (its tangent at the left end)."""
    length = y[-1]
    if shape is UNIT_UNIFORM and length <= 2:
        q = (1 - y / 2) * (1 + 1e-15)
        return q[:-1], q[1:]
    half = (length - y[:-1]) / 2
    q = (1 - shape.central(np.array(length / 2)) + shape.central(half)) * (1 + 1e-12) + 1e-15
    slope = shape.density(np.maximum(half, 1e-300)) * (1 - 1e-12)
    return np.minimum(q, 1.0), np.minimum(np.maximum(q - slope * np.diff(y), 0.0), 1.0)


BOUND = Bound(
    id="rss-survival",
    title="Survival of one given target while the covered part grows",
    reference=Reference("strong_lth", "proofs/docs/rss-survival.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.EACH_TARGET,
    constants=Constants.EXPLICIT,
    status="proved on paper",
    proof="rss-survival",
    formula=failure,
)
