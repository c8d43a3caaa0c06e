"""The volume bound: 2^n intervals cannot cover more than their total length."""

from __future__ import annotations

from fractions import Fraction

from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict, Window


def failure(question: Question) -> Failure:
    """1 where coverage of the window is impossible, else 0: a lower bound of P(some z of the window is missed), for any law.

    The targets served by the kept set S form an interval of length 2 (tol + perturbation |S|). Summed over all S this is
    2^n (2 tol + n perturbation), which must be at least the length of the window. Decided in exact rationals.

    >>> failure(Question(5, tol=0.01)), failure(Question(6, tol=0.01))
    (1.0, 0.0)
    """
    if not isinstance(question.targets, Window):
        return Verdict.NOT_APPLICABLE
    length = Fraction(question.targets.high) - Fraction(question.targets.low)
    volume = 2**question.n * (2 * Fraction(question.tol) + question.n * Fraction(question.perturbation))
    return 1.0 if volume < length else 0.0


BOUND = Bound(
    id="volume",
    title="Volume: 2^n (2 tol + n perturbation) >= length of the window",
    reference=Reference("strong_lth", "proofs/docs/volume.md"),
    direction=Direction.NECESSARY,
    scope=Scope.ALL_TARGETS,
    constants=Constants.EXPLICIT,
    status="machine-checked",
    proof="volume",
    formula=failure,
)
