"""Exact statements about counts: confidence intervals for one probability and for a whole curve, and a one-sided test of a claimed one; an exact test of paired differences."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from strong_lth.core import InputError


def clopper_pearson(successes: int, trials: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Exact two-sided confidence interval for the probability of success: coverage is at least ``confidence``, whatever the truth.

    The ends solve P(X >= successes) = (1 - confidence) / 2 and P(X <= successes) = (1 - confidence) / 2 for X ~ Bin(trials, p). With no trials
    the interval is [0, 1]. Source: Clopper and Pearson, Biometrika 26 (1934) 404-413.

    Raises InputError for counts that are not whole, negative or above ``trials``, and for a confidence outside (0, 1).

    >>> tuple(round(end, 4) for end in clopper_pearson(8, 10))
    (0.4439, 0.9748)
    >>> clopper_pearson(0, 0)
    (0.0, 1.0)
    """
    successes, trials = _counts(successes, trials)
    if not 0 < confidence < 1:
        raise InputError("confidence", confidence, "give a number strictly between 0 and 1")
    from scipy.special import betaincinv

    tail, failures = (1 - confidence) / 2, trials - successes
    low = 0.0 if successes == 0 else float(betaincinv(successes, failures + 1, tail))
    # the upper end through the mirrored count, which keeps the small tail
    high = 1.0 if failures == 0 else 1 - float(betaincinv(failures, successes + 1, tail))
    return low, high


def dkw_half_width(trials: int, *, confidence: float = 0.95) -> float:
    """Half the width of a band around an empirical distribution function that holds everywhere at once: sqrt(ln(2 / (1 - confidence)) / (2 trials)).

    P(sup_n |F_trials(n) - F(n)| > half width) <= 1 - confidence, for every law. Source: Dvoretzky, Kiefer and Wolfowitz, Ann. Math. Statist. 27
    (1956) 642-669, with the constant of Massart, Ann. Probab. 18 (1990) 1269-1283.

    Raises InputError for trials < 1 and for a confidence outside (0, 1).

    >>> round(dkw_half_width(10_000), 6)
    0.013581
    """
    if _counts(0, trials)[1] < 1:
        raise InputError("trials", trials, "give at least one")
    if not 0 < confidence < 1:
        raise InputError("confidence", confidence, "give a number strictly between 0 and 1")
    return min(1.0, math.sqrt(math.log(2 / (1 - confidence)) / (2 * trials)))


def binomial_p_value(successes: int, trials: int, probability: float, *, alternative: str = "greater") -> float:
    """Exact one-sided binomial test: how surprising is the count if the true probability were the claimed one?

    ``"greater"``: P(X >= successes), evidence that the truth exceeds ``probability`` (an upper bound is refuted when this is small).
    ``"less"``: P(X <= successes), evidence that it lies below. ``"two-sided"``: twice the smaller of both, at most 1. X ~ Bin(trials, probability). Both are valid p-values for the composite claims
    "at most" and "at least".

    Raises InputError for bad counts, a probability outside [0, 1] or another alternative.

    >>> round(binomial_p_value(9, 10, 0.5), 6), round(binomial_p_value(1, 10, 0.5, alternative="less"), 6)
    (0.010742, 0.010742)
    """
    successes, trials = _counts(successes, trials)
    if not 0 <= probability <= 1:
        raise InputError("probability", probability, "give a number in [0, 1]")
    if alternative == "two-sided":
        sides = (binomial_p_value(successes, trials, probability, alternative=side) for side in ("greater", "less"))
        return min(1.0, 2 * min(sides))
    if alternative not in ("greater", "less"):
        raise InputError("alternative", repr(alternative), "give 'greater', 'less' or 'two-sided'")
    from scipy.special import betainc

    if alternative == "less":
        successes, probability = trials - successes, 1 - probability
    return 1.0 if successes == 0 else float(betainc(successes, trials - successes + 1, probability))


def sign_flip_p_value(differences: Sequence[float], *, alternative: str = "greater") -> float:
    """Exact paired test of "no difference": the share of the 2^n ways to flip the signs whose sum is at least (``"less"``: at most) the observed one.

    Valid when each difference is symmetric about a value <= 0 (>= 0) under the hypothesis; the least p-value is 2^-n. Source: Fisher, The Design of Experiments (1935), section 21.

    Raises InputError for no differences or more than 20, a value that is not finite, or another alternative.

    >>> sign_flip_p_value([1.0, 2.0, 3.0]), sign_flip_p_value([1.0, 2.0, 3.0], alternative="less")
    (0.125, 1.0)
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or not 1 <= values.size <= 20 or not np.all(np.isfinite(values)):
        raise InputError("differences", f"{values.size} values", "give 1 to 20 finite differences")
    if alternative not in ("greater", "less"):
        raise InputError("alternative", repr(alternative), "give 'greater' or 'less'")
    values = values if alternative == "greater" else -values
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    slack = 1e-12 * float(np.abs(values).sum())  # equal sums stay equal after rounding
    return float(np.count_nonzero(sums >= values.sum() - slack)) / sums.size


def dkw_band(trials: int, *, alpha: float = 0.05) -> float:
    """Half-width of a band around an empirical distribution function that holds the true one everywhere with probability >= 1 - alpha.

    sqrt(ln(2 / alpha) / (2 trials)). Source: Massart, Annals of Probability 18 (1990) 1269-1283, Corollary 1.

    Raises InputError for trials < 1 and for alpha outside (0, 1).

    >>> round(dkw_band(1000), 4)
    0.0429
    """
    if isinstance(trials, bool) or not isinstance(trials, int | np.integer) or trials < 1:
        raise InputError("trials", repr(trials), "give a whole number >= 1")
    if not 0 < alpha < 1:
        raise InputError("alpha", alpha, "give a number strictly between 0 and 1")
    return float(np.sqrt(np.log(2 / alpha) / (2 * trials)))


def _counts(successes: int, trials: int) -> tuple[int, int]:
    for parameter, value in (("successes", successes), ("trials", trials)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise InputError(parameter, repr(value), "give a whole number >= 0")
    if successes > trials:
        raise InputError("successes", successes, f"give at most the number of trials, {trials}")
    return int(successes), int(trials)
