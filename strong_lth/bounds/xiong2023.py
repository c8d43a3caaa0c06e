"""Xiong, Liao and Kyrillidis (AISTATS 2023), Theorem 1: as printed, and as its proof gives it.

For 0 <= perturbation = eps <= 1 and every K >= 0, with n = O(log(1/tol) / (1 + eps) + K) candidates i.i.d. U[-1, 1], every target in
[-1/2, 1/2] is within 2 tol of a perturbed subset sum, except with probability exp(-``stage_exponent``) + exp(-K). The constant of the O is not given, so neither statement has a number of candidates; the printed and the proved exponent differ in one square. The
proof also adds O(1) candidates at its end whose own failure probability is a constant that exp(-K) does not cover.
"""

from __future__ import annotations

import math

from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import InputError, Reference, Verdict
from strong_lth.distributions import half_width


def stage_exponent(n: int, perturbation: float, slack: float = 0.0, *, printed: bool = False) -> float:
    """The explicit exponent of the first stage of the proof: (n - K) (1 + eps)^2 / (8 (3 - eps)^2), in nats, with K = ``slack``.

    As printed in Theorem 1 the denominator is 8 (3 - eps), which the proof does not give; the paper's Lemma 1 and Theorem 2 have the square.
    exp(-exponent) bounds the probability that the first stage is slow. It is no bound for the theorem: the number of candidates
    that the stage needs carries the unspecified constant.

    >>> stage_exponent(72, 0.0), stage_exponent(72, 0.0, printed=True)
    (1.0, 3.0)
    """
    if not (0 <= perturbation <= 1):
        raise InputError("perturbation", perturbation, "give a number in [0, 1]")
    if not (math.isfinite(slack) and 0 <= slack <= n):
        raise InputError("slack", slack, "give a number in [0, n]")
    denominator = 8 * (3 - perturbation) ** (1 if printed else 2)
    return (n - slack) * (1 + perturbation) ** 2 / denominator


def failure(question: Question) -> Failure:
    """INCONCLUSIVE where the theorem speaks: its constant is unspecified, so no number follows. NOT_APPLICABLE elsewhere.

    >>> failure(Question(100, tol=0.01)).name, failure(Question(100, tol=0.01, perturbation=2.0)).name
    ('INCONCLUSIVE', 'NOT_APPLICABLE')
    """
    covered = half_width(question.law) == 1.0 and question.reach <= 0.5 and question.perturbation <= 1
    return Verdict.INCONCLUSIVE if covered and 0 < question.tol <= 1 else Verdict.NOT_APPLICABLE


_URL = "https://proceedings.mlr.press/v206/xiong23a.html"
_SOURCE = "Xiong, Liao and Kyrillidis, AISTATS 2023, PMLR 206:6879-6902"

PRINTED = Bound(
    id="xiong2023-theorem1-printed",
    title="n = O(log(1/tol) / (1 + perturbation)), exponent with 8 (3 - perturbation)",
    reference=Reference(_SOURCE, "Theorem 1 (exponent as printed)", _URL),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.UNSPECIFIED,
    status="cited; its own proof gives a smaller exponent",
    proof=None,
    formula=failure,
)
PROVED = Bound(
    id="xiong2023-theorem1-proved",
    title="n = O(log(1/tol) / (1 + perturbation)), exponent with 8 (3 - perturbation)^2",
    reference=Reference(_SOURCE, "Theorem 1 (exponent as in Appendix A)", _URL),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.UNSPECIFIED,
    status="cited, with the exponent of its proof",
    proof=None,
    formula=failure,
)
