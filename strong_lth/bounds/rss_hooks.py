"""Theorem H: all targets. Pollard's inequality for windows of any length, an early stage in which small sets double, an end stage."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from strong_lth.bounds import growth
from strong_lth.bounds.evaluation import unit_question
from strong_lth.bounds.growth_tables import LEAST, Table, below
from strong_lth.bounds.growth_tables import failure as tabulated_failure
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.bounds.unimodal import Shape, rho_of, shape_of
from strong_lth.core import Floats, Reference, Verdict

CELLS, MORE_CELLS = 100, 300  # the second where an end stage follows, whose value has no jump to resolve
# (length of the window, share e / t of the allowance spent on the start interval, candidates reserved for the end stage)
_SETTINGS = {
    "uniform": ((1.15, 0.65, 0), (1.4, 0.7, 0), (1.95, 0.75, 5)),
    "normal": ((1.7, 0.65, 0), (2.2, 0.7, 0), (2.6, 0.75, 5)),
}
_OTHER_SETTINGS = ((1.1, 0.65, 0), (1.2, 0.65, 0))
_NONEMPTY_SHARE = 0.35  # of e, where the points of the start interval cannot be used at the end
QUADRATURE = 80


def failure(question: Question) -> Failure:
    """Upper bound of P(some z in [-1/2, 1/2] is missed), candidates i.i.d. with an even density that falls away from 0.

    With n = m + k + r, a window of length L, a start interval [-e, e] and tau = tol - e: E V_k(|A_m|), where V_0(a) = 1 until the uncovered
    part L - a is less than tau + min(tau, (L - 1)/2) (or Lemma 5 for r > 0 candidates of an end stage), V_(k+1) follows by the growth
    programme, and E V_k(|A_m|) is bounded by moments of |A_m| (``early``). With a perturbation also: tol + perturbation
    in place of tol, where the points of the start interval do not count as covered, so the uncovered part may be 2e longer. For tol >= 1/2: 0; allowances below
    1e-7 are not tabulated: 1.

    Laws and targets as for ``rss_survival``. Source: proofs/docs/rss-hooks.md.

    >>> failure(Question(31, tol=0.01)) < 0.01 < failure(Question(29, tol=0.01))
    True
    """
    known = shape_of(question.law)
    scaled = None if known is None else unit_question(question, known[1])
    if known is None or scaled is None:
        return Verdict.NOT_APPLICABLE
    tol, perturbation = scaled
    if tol >= 0.5:
        return 0.0
    values = [1.0]
    if tol >= LEAST:
        values.append(tabulated_failure(tables(known[0], below(tol), False), question.n))
    if perturbation > 0 and tol + perturbation >= LEAST:
        allowance = below(min(tol + perturbation, 0.5))
        values.append(tabulated_failure(tables(known[0], allowance, True), question.n))
    return min(values)


@lru_cache(maxsize=256)
def tables(shape: Shape, allowance: float, nonempty: bool) -> list[Table]:
    """One table per setting; ``nonempty``: only points reached by at least one candidate count at the end."""
    found = []
    for length, share, reserved in _SETTINGS.get(shape.name, _OTHER_SETTINGS):
        start = allowance * (_NONEMPTY_SHARE if nonempty else share)
        if 2 * start < length / 2 and (reserved == 0 or (allowance < 0.1 and length >= 1 + 2 * allowance)):
            cells = MORE_CELLS if reserved else CELLS
            lost = 2 * start if nonempty else 0.0
            found.append(table(shape, start, allowance - start, length, reserved, lost=lost, cells=cells))
    return found


def table(
    shape: Shape, start: float, tau: float, length: float, reserved: int, *, lost: float = 0.0, cells: int = CELLS
) -> Table:
    """The programme without survival; ``lost``: length of covered points that do not count at the end."""
    tau *= 1 - 1e-12
    stop = (tau + min(tau, (length - 1) / 2) - lost) * (1 - 1e-9)
    rho, knots = rho_of(shape, length)
    jump = reserved == 0
    grid = growth.grid(2 * start, length, stop if jump else stop / 2, cells, jump=jump)
    ones = np.ones(grid.y.size - 1)
    programme = growth.programme(grid, (ones, ones), rho, knots)
    if jump:
        value = np.where(np.arange(grid.y.size) <= grid.last, 1.0, 0.0)
    else:
        value = _end_stage(shape, grid.y, tau, reserved, 2 * tau - lost)
    return Table(programme, shape, length, start, 0.0, reserved, [value])


def _end_stage(shape: Shape, y: Floats, tau: float, reserved: int, needed: float) -> Floats:
    """Lemma 5 on the vertices: P(the uncovered part of I+ stays as long as ``needed``), with the last ``reserved`` candidates.

    q(z) = P(|x| <= b/2) + P(z - x not in J) grows with |z|, so right ends of the intervals of integration are above.
    """
    length, b = y[-1], (y[-1] - y)[:, None]
    width = np.minimum(b, 1 + 2 * tau) / 2
    z = np.maximum(0.5 + tau - width + width * np.arange(1, QUADRATURE + 1) / QUADRATURE, 0.0)
    beyond = 1 - (shape.central(np.maximum(length / 2 - z, 0.0)) + shape.central(length / 2 + z)) / 2
    q = np.minimum((shape.central(b / 2) + beyond) * (1 + 1e-12) + 1e-14, 1.0)
    bound = np.minimum((2 * width[:, 0]) * (q**reserved).mean(axis=1) / needed * (1 + 1e-11), 1.0)
    bound = np.maximum.accumulate(bound[::-1])[::-1]
    return np.append(bound[:1], bound[:-1])  # one vertex later: then the chord lies above the staircase


BOUND = Bound(
    id="rss-hooks",
    title="Growth of the covered part by Pollard's inequality, any window, early and end stage",
    reference=Reference("strong_lth", "proofs/docs/rss-hooks.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.EXPLICIT,
    status="proved on paper; its programme in the unit window is machine-checked (growth-programme: 32 at tol 0.01, delta 0.05, 37 at delta 0.01)",
    proof="rss-hooks",
    formula=failure,
)
