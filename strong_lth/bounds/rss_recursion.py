"""The recursion whose every step a proof assistant has checked: a table of failure probabilities, one candidate at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strong_lth.bounds import rss_contraction_checked
from strong_lth.bounds.evaluation import unit_question
from strong_lth.bounds.growth_tables import below
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope, whole
from strong_lth.core import InputError, Reference, Verdict, canonical_hash
from strong_lth.distributions import half_width

DEEPEST = 200  # candidates; later values of a table no longer fall, and the closed form takes over
LEAST = 1e-5  # smaller tolerances leave too few parts for the start interval
MOST_PARTS = 2_000_001
START_SHARE = Fraction(13, 20)  # of the tolerance: the start interval; the rest closes the last gap
RATIO = (101, 100)  # of neighbouring entries


@dataclass
class Table:
    """V_0, V_1, ... of one recursion: the window is cut into ``parts``; entry i bounds P(fail) times ``scale`` while at least counts[i] parts
    are covered; fewer than ``gap`` + 1 uncovered parts are no failure. It proves a tolerance above (counts[0] + 2 gap) / (2 parts).
    """

    parts: int
    gap: int
    scale: int
    counts: NDArray[np.int64]
    values: list[NDArray[np.int64]] = field(default_factory=list)

    def numerator(self, n: int) -> int:
        """P(some target is missed with n candidates) <= numerator / scale."""
        from strong_lth.bounds.recursion_kernels import next_table

        if not self.values:
            self.values.append(np.where(self.parts - self.counts <= self.gap, 0, self.scale).astype(np.int64))
        while len(self.values) <= min(n, DEEPEST):
            new = np.empty_like(self.values[-1])
            next_table(self.parts, self.counts, self.values[-1], new)
            self.values.append(new)
        return int(self.values[min(n, DEEPEST)][0])


def failure(question: Question) -> Failure:
    """Upper bound of P(some z in [-c/2, c/2] is missed), candidates i.i.d. U[-c, c]: the smaller of ``rss-contraction-checked`` and, for c = 1,

        V_n(v_0),  V_0(v) = 1 while 1 - v > g, else 0,  V_{n+1}(v) = min over lines c - w min(x, T) above V_n(v + .) of c - w T (1 - T) / 2,

    with T <= min(v, 1 - v) and v_0 / 2 + g < tol (v: covered fraction), in integers rounded to the safe side. The theorem, for every table, is machine-checked;
    the tables are evaluated here. Without tolerance (exact representation) it adds nothing. Laws and targets as for ``rss-contraction-checked``.

    Source: proofs/docs/recursion.md; Coq: Recursion.rss_recursion.

    >>> failure(Question(35, tol=0.01)) < 0.05 < failure(Question(34, tol=0.01))
    True
    """
    closed = rss_contraction_checked.failure(question)
    width = half_width(question.law)
    if isinstance(closed, Verdict) or width is None:
        return closed
    scaled = unit_question(question, width)
    if scaled is None or not LEAST <= scaled[0] < 0.5:
        return closed
    table = tabulated(below(scaled[0]))
    return min(closed, math.nextafter(table.numerator(question.n) / table.scale, 1.0))


@lru_cache(maxsize=256)
def tabulated(tol: float) -> Table:
    """The table for a tolerance in (0, 1/2)."""
    parts = min(int(1000 / tol) | 1, MOST_PARTS)
    room = math.ceil(2 * Fraction(tol) * parts) - 1  # the largest whole number below 2 tol parts
    start = (int(START_SHARE * room) - 1) | 1
    return table(parts, start, (room - start) // 2, scale=(1 << 60) // parts, ratio=RATIO)


def table(parts: int, start: int, gap: int, *, scale: int, ratio: tuple[int, int]) -> Table:
    """An empty table with entries in geometric progression from ``start`` to the middle, and mirrored from ``gap`` on."""
    middle = parts // 2
    rising = _climb(start, middle, ratio)[1:]
    falling = [parts - y for y in reversed(_climb(gap, middle, ratio))]
    return Table(parts, gap, scale, np.array([start, *rising, middle, *falling, parts], dtype=np.int64))


def _climb(x: int, top: int, ratio: tuple[int, int]) -> list[int]:
    found = []
    while x < top:
        found.append(x)
        x = max(x + 1, x * ratio[0] // ratio[1])
    return found


def certificate(n: int, *, tol: float, of: Table | None = None) -> dict[str, Any]:
    """What ``proofs/check_certificate.py`` needs to repeat the recursion for n candidates U[-1, 1] and targets in [-1/2, 1/2].

    ``of``: a table of one's own; default: the one that ``failure`` uses at ``tol``. Raises InputError where that table proves nothing.

    >>> document = certificate(35, tol=0.01)
    >>> document["failure"] / document["scale"] < 0.05
    True
    """
    n = whole("n", n, least=0)
    if of is None and not LEAST <= tol < 0.5:
        raise InputError("tol", tol, f"give a tolerance from {LEAST:g} to 1/2")
    used = tabulated(below(tol)) if of is None else of
    if not int(used.counts[0]) + 2 * used.gap < 2 * Fraction(tol) * used.parts:
        raise InputError(
            "tol", tol, f"the table proves tolerances above {(used.counts[0] + 2 * used.gap) / used.parts / 2:g}"
        )
    if n > DEEPEST or used.numerator(n) >= used.scale:
        raise InputError("n", n, f"nothing is proved with so few candidates; beyond {DEEPEST} no table is made")
    document = {
        "format": "strong_lth recursion certificate",
        "version": 1,
        "candidates": n,
        "tol": float(tol).hex(),
        "parts": used.parts,
        "gap": used.gap,
        "scale": used.scale,
        "counts": used.counts.tolist(),
        "failure": used.numerator(n),
    }
    return {**document, "hash": canonical_hash(document)}


BOUND = Bound(
    id="rss-recursion",
    title="Recursion over the covered fraction, every step machine-checked",
    reference=Reference("strong_lth", "proofs/docs/recursion.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.EXPLICIT,
    status="machine-checked for every table; this table is evaluated in Python (Coq itself evaluated 36 at tol 0.01, delta 0.05)",
    proof="recursion",
    formula=failure,
)
