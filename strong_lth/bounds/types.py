"""What a bound is, what a prediction is, and the question both answer.

A bound is a theorem about random subset sum: with n candidates drawn from a law, how likely is it that targets are missed? Its quantifier is
part of the type: *each target* speaks of one fixed target, *all targets* of one sample that serves every target of a window. A prediction
answers the same question by an asymptotically exact law; it is never a bound and never mixed with them.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from strong_lth.core import InputError, Point, Reference, Verdict, Window
from strong_lth.distributions import Law, Uniform

Targets = Window | Point
Failure = float | Verdict

UNIFORM = Uniform(-1.0, 1.0)
WINDOW = Window(-0.5, 0.5)


class Direction(enum.Enum):
    """Which way a bound points: this many candidates suffice, or fewer than this many cannot do."""

    SUFFICIENT = "sufficient"
    NECESSARY = "necessary"


class Scope(enum.Enum):
    """The quantifier: P(z missed) for each fixed target z, or P(some z missed) for one sample and all targets."""

    EACH_TARGET = "each target"
    ALL_TARGETS = "all targets"


class Constants(enum.Enum):
    """Whether the statement gives numbers, or says "for some constant"."""

    EXPLICIT = "explicit"
    UNSPECIFIED = "constants unspecified"


@dataclass(frozen=True)
class Question:
    """Are the targets served by subsets of n candidates, within tol, when each kept candidate may move by the perturbation?

    Raises InputError by the name of the parameter that is wrong.
    """

    n: int
    tol: float
    perturbation: float = 0.0
    law: Law = UNIFORM
    targets: Targets = WINDOW

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", whole("n", self.n, least=0))
        check_allowance(self.tol, self.perturbation)
        object.__setattr__(self, "tol", float(self.tol))
        object.__setattr__(self, "perturbation", float(self.perturbation))
        if not isinstance(self.law, Law):
            raise InputError("law", repr(self.law), "give a law of strong_lth.distributions, such as Uniform(-1, 1)")
        if not isinstance(self.targets, Window | Point):
            raise InputError("targets", repr(self.targets), "give Window(low, high) or Point(z)")

    @property
    def reach(self) -> float:
        """The largest |z| of the targets."""
        return reach(self.targets)


Formula = Callable[[Question], Failure]


@dataclass(frozen=True)
class Bound:
    """A theorem on the failure probability of random subset sum.

    SUFFICIENT: ``failure`` is an upper bound of the probability that targets are missed, rounded outward. NECESSARY: a lower bound of it.
    ``proof`` names the page ``proofs/docs/<proof>.md``, ``status`` says in words how far the statement can be trusted.

    >>> from strong_lth.bounds import get
    >>> bound = get("rss-contraction")
    >>> bound.failure(60, tol=0.01) < 0.001, bound.failure(10, tol=0.01)
    (True, 1.0)
    """

    id: str
    title: str
    reference: Reference
    direction: Direction
    scope: Scope
    constants: Constants
    status: str
    proof: str | None
    formula: Formula

    def failure(
        self, n: int, tol: float, perturbation: float = 0.0, *, law: Law = UNIFORM, targets: Targets = WINDOW
    ) -> Failure:
        """The bound at n candidates: a number in [0, 1], or a Verdict.

        ``tol``, ``perturbation`` and ``targets`` are in the units of the candidates. NOT_APPLICABLE where the theorem does not cover the law,
        the target range or the quantifier; INCONCLUSIVE where its constants are unspecified. An EACH_TARGET bound over a Window means
        its worst target. Raises InputError for negative or non-finite parameters, and for tol = perturbation = 0.
        """
        return self.formula(Question(n, tol, perturbation, law, targets))


@dataclass(frozen=True)
class Prediction:
    """An asymptotically exact law for the same event: accurate, never a bound.

    >>> from strong_lth.bounds import get
    >>> round(get("all-targets-covering").failure(14, tol=0.003), 2)
    0.13
    """

    id: str
    title: str
    reference: Reference
    scope: Scope
    status: str
    formula: Formula

    def failure(
        self, n: int, tol: float, perturbation: float = 0.0, *, law: Law = UNIFORM, targets: Targets = WINDOW
    ) -> Failure:
        """The predicted probability of missing a target, or NOT_APPLICABLE; parameters and errors as for ``Bound.failure``."""
        return self.formula(Question(n, tol, perturbation, law, targets))


def reach(targets: Targets) -> float:
    """The largest |z| of the targets.

    >>> reach(Window(-0.25, 0.5)), reach(Point(-0.3))
    (0.5, 0.3)
    """
    return abs(targets.z) if isinstance(targets, Point) else max(abs(targets.low), abs(targets.high))


def whole(parameter: str, value: int, least: int) -> int:
    """The value as an int, or InputError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(parameter, repr(value), f"give a whole number >= {least}")
    return int(value)


def check_allowance(tol: float, perturbation: float) -> None:
    """InputError unless tol and perturbation are finite, >= 0 and not both zero."""
    for parameter, value in (("tol", tol), ("perturbation", perturbation)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise InputError(parameter, repr(value), "give a number >= 0")
        if not (math.isfinite(value) and value >= 0):
            raise InputError(parameter, value, "give a finite number >= 0")
    if tol == 0 and perturbation == 0:
        raise InputError("tol", 0, "give tol > 0, or a perturbation > 0; with both zero almost no target is reachable")
