"""The martingale theorem: growth of the covered part with explicit constants and a Kullback-Leibler tail."""

from __future__ import annotations

import numpy as np

from strong_lth.bounds.evaluation import FRACTIONS, natural_unit, unit_question, upper_probability
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Floats, Reference, Verdict


def failure(question: Question) -> Failure:
    """Upper bound of P(some z in [-1/2, 1/2] is missed), candidates i.i.d. with density >= c on [-1, 1], c <= 1/2.

    With b = 2 / (1 + e) and T = [log2((1 - tau + e) / (p + e)) + ln((1 - p) / tau)] / (1 + e), for n > T / c,

        exp(-n KL(T / (n b) || c / b)),    KL(x || q) = x ln(x / q) + (1 - x) ln((1 - x) / (1 - q)),

    is minimised over splits of the allowances: (A) p = 2 a tol, tau = (1 - a) tol, e = min(perturbation, tau, 1); or (B) p = 0,
    tau = tol + (1 - a) perturbation (at most 1), e = min(a perturbation, tau). For tol >= 1/2 the empty set serves every target: 0.

    Other laws are measured in their natural unit h: the theorem at (tol/h, perturbation/h), c = h * lower_density(-h, h), for targets in
    [-h/2, h/2]. U[-c, c] has h = c (c / b with c = 1/2), N(0, s^2) has h = s, a product of uniforms h = 1/e. NOT_APPLICABLE where that
    density is 0 or the targets leave the window.

    >>> failure(Question(62, tol=0.01)) <= 0.01 < failure(Question(61, tol=0.01))
    True
    """
    unit = natural_unit(question.law)
    density = min(unit * question.law.lower_density(-unit, unit), 0.5)
    scaled = unit_question(question, unit)
    if density <= 0 or scaled is None:
        return Verdict.NOT_APPLICABLE
    tol, perturbation = scaled
    if tol >= 0.5:
        return 0.0
    if question.n == 0:
        return 1.0
    start, gap, e = _splits(tol, perturbation)
    with np.errstate(all="ignore"):
        bracket = np.log2((1 - gap + e) / (start + e)) + np.log((1 - start) / gap)
        x, q = bracket / (2 * question.n), density * (1 + e) / 2
        # x = 0 when the first gap is already small enough: KL(0 || q) = -ln(1 - q)
        divergence = np.where(x > 0, x * np.log(x / q), 0.0) + (1 - x) * (np.log1p(-x) - np.log1p(-q))
        valid = np.isfinite(divergence) & (x < q)
    return upper_probability(-question.n * float(np.max(divergence[valid], initial=0.0)), question.n)


def _splits(tol: float, perturbation: float) -> tuple[Floats, Floats, Floats]:
    """Candidate splits (p, tau, e): the measure at the start, the gap left at the end, the perturbation spent per kept candidate."""
    share = np.append(FRACTIONS, 1.0)
    start = np.concatenate([2 * FRACTIONS * tol, np.zeros(share.size)])
    gap = np.concatenate([tol - FRACTIONS * tol, tol + (perturbation - share * perturbation)])
    limit = np.concatenate([np.full(FRACTIONS.size, perturbation), share * perturbation])
    gap = np.minimum(gap, 1.0)
    return start, gap, np.minimum(limit, gap)


BOUND = Bound(
    id="rss-martingale-kl",
    title="Martingale growth of the covered part, Kullback-Leibler tail",
    reference=Reference("strong_lth", "proofs/docs/rss-martingale-kl.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.EXPLICIT,
    status="proved on paper",
    proof="rss-martingale-kl",
    formula=failure,
)
