"""Value functions of the growth programme, computed once per setting and extended on demand, and the best way to spend n candidates on them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from strong_lth.bounds import early
from strong_lth.bounds.evaluation import in_groups
from strong_lth.bounds.growth import Choice, Programme, advance
from strong_lth.bounds.unimodal import Shape
from strong_lth.core import Floats

DEEPEST = 160  # candidates in one programme; more are split into independent groups
LEAST = 1e-7  # smaller tolerances are not tabulated: the grid could not tell its points apart
_TINY = 1e-30
_STEPS_PER_OCTAVE = 32


def below(tol: float) -> float:
    """The tolerance at which bounds are tabulated: the largest 2^(j / 32), less a relative 1e-9, that is at most ``tol``.

    It keeps a bound monotone in the tolerance, whatever its grid does, and makes nearby questions share one table. It costs at most 0.04 bit.

    >>> below(0.01) <= 0.01 < below(0.0103), below(0.5) < 0.5
    (True, True)
    """
    return float(2.0 ** (math.floor(math.log2(tol) * _STEPS_PER_OCTAVE + 1e-9) / _STEPS_PER_OCTAVE) * (1 - 1e-9))


Division = tuple[float, int, int, dict[float, float]]


@dataclass
class Table:
    """V_0, V_1, ... of one programme (``values``, nonincreasing in length), and what the early stage needs to go with it."""

    programme: Programme
    shape: Shape
    length: float
    start: float  # e: the start interval is [-e, e]
    offset: float  # of the start interval from the centre of the window
    reserved: int  # candidates already spent in V_0
    values: list[Floats]
    choices: list[Choice] = field(default_factory=list)
    above: list[list[Floats]] = field(default_factory=list)
    _divisions: dict[int, Division] = field(default_factory=dict)

    def value(self, k: int) -> Floats:
        """V_k on the vertices."""
        while len(self.values) <= k:
            new, choice, above = advance(self.programme, self.values[-1])
            self.values.append(new)
            self.choices.append(choice)
            self.above.append(above)
        return self.values[k]

    def bound(self, n: int) -> float:
        """P(fail) with n <= DEEPEST candidates, by the best division into early, programme and reserved ones."""
        if n not in self._divisions:
            self._divisions[n] = self._best(n)
        return max(self._divisions[n][0], _TINY)

    def division(self, n: int) -> tuple[int, int, dict[float, float]]:
        """Early candidates and steps behind ``bound(n)``, and the shares C_theta of its mixture."""
        self.bound(n)
        return self._divisions[n][1:]

    def _best(self, n: int) -> Division:
        free = n - self.reserved
        if free < 0:
            return 1.0, 0, 0, {}
        best: Division = min(1.0, float(self.value(free)[0])), 0, free, {}
        if self.length <= 1 or best[0] < _TINY:
            return best
        y, moments = self.programme.grid.y, self.moments()
        rough = []
        for m in range(2, min(early.STEPS, free) + 1):
            cover = np.max(self.value(free - m)[:-1, None] * y[1:, None] ** early.EXPONENTS, axis=0)
            rough.append((float((cover * moments[:, m]).min()), m))
        for _, m in sorted(rough)[:2]:
            shares = early.mixture(y, self.value(free - m), moments[:, m])
            total = sum(share * moments[early.THETAS.index(t), m] for t, share in shares.items()) * (1 + 1e-12)
            if shares and total < best[0]:
                best = float(total), m, free - m, shares
        return best

    def moments(self) -> Floats:
        """M_m(theta), shape (thetas, steps + 1)."""
        return np.array([early.moments(self.shape, self.length, t, self.start, self.offset) for t in early.THETAS])


def failure(tables: list[Table], n: int) -> float:
    """The least bound of the tables at n candidates; beyond DEEPEST the candidates form independent groups that must all fail."""
    return in_groups(lambda size: min((table.bound(size) for table in tables), default=1.0), n, DEEPEST)
