"""A bound held against exact solves of the very event it speaks of, with a verdict whose error rates are stated.

The quantifier is part of a bound: an EACH_TARGET bound is tested on one fixed target with fresh candidates in every trial, an ALL_TARGETS bound on
whether one sample leaves any target of the window unserved. Nothing is estimated from grids of targets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strong_lth.bounds.types import UNIFORM, WINDOW, Bound, Direction, Question, Scope, Targets
from strong_lth.core import Floats, InputError, Point, Status, Verdict, Window
from strong_lth.distributions import Law
from strong_lth.stats import clopper_pearson
from strong_lth.streams import check_seed, trial_generator
from strong_lth.subsetsum import solve_batch

BLOCK = 64  # trials drawn together: trial t is row t % 64 of block t // 64, whatever the number of trials

Missed = NDArray[np.bool_]


@dataclass(frozen=True)
class Validation:
    """What ``check`` found.

    ``event``: what was counted, in words. ``claimed``: the bound's probability of it, None where the bound gives no number. ``missed`` of ``trials``: how
    often it happened, and ``low``, ``high``: exact limits of its probability. ``alpha``: each of the two limits is wrong with at most this probability, over all looks
    together, so a wrong REFUTED has at most this probability, and so has a wrong CONSISTENT.
    """

    bound: str
    verdict: Verdict
    event: str
    claimed: float | None
    missed: int
    trials: int
    low: float
    high: float
    alpha: float
    note: str


def check(
    bound: Bound,
    *,
    n: int,
    tol: float,
    perturbation: float = 0.0,
    law: Law = UNIFORM,
    targets: Targets = WINDOW,
    trials: int = 2000,
    seed: int,
    alpha: float = 1e-3,
    progress: Callable[[int, int], None] | None = None,
) -> Validation:
    """Simulate the event of the bound at n candidates until its verdict is clear, at most ``trials`` times.

    After 64, 128, 256, ... and at last ``trials`` trials (K looks) the probability P of the event lies between the exact one-sided Clopper-Pearson limits, each of level
    1 - alpha / K. SUFFICIENT (P <= claimed): REFUTED as soon as low > claimed, CONSISTENT as soon as high <= claimed; NECESSARY (P >= claimed) mirrored;
    INCONCLUSIVE if neither happens. A claim of probability exactly 0 or 1 is REFUTED by a single trial against it and CONSISTENT if ``trials``
    trials have none. VACUOUS without any trial where the bound is 1 (SUFFICIENT) or 0 (NECESSARY), NOT_APPLICABLE where it covers
    no such law or targets, INCONCLUSIVE where its constants are unspecified. An EACH_TARGET bound over a window speaks of every target in it, and is
    tested on the one farthest from 0.

    Solves are exact; where rounding could decide (a relative 1e-15), the trial counts in favour of the bound. The trials depend on the seed and
    n alone, not on the bound.

    Raises InputError for a prediction, and for bad parameters by name.

    >>> from strong_lth.bounds import get
    >>> result = check(get("rss-contraction-checked"), n=40, tol=0.01, trials=2000, seed=1)
    >>> result.verdict.name, result.missed, result.trials, round(result.claimed, 3)
    ('CONSISTENT', 0, 64, 0.202)
    """
    if not isinstance(bound, Bound):
        raise InputError("bound", repr(bound), "give one of bounds.BOUNDS; a prediction claims no inequality to refute")
    question, seed = Question(n, tol, perturbation, law, targets), check_seed(seed)
    if isinstance(trials, bool) or not isinstance(trials, int | np.integer) or trials < 1:
        raise InputError("trials", repr(trials), "give a whole number >= 1")
    if not 0 < alpha < 1:
        raise InputError("alpha", alpha, "give a probability strictly between 0 and 1")
    claimed = bound.failure(n, tol, perturbation, law=law, targets=targets)
    sufficient = bound.direction is Direction.SUFFICIENT
    event, count = _event(bound, question)
    if isinstance(claimed, Verdict):
        return Validation(bound.id, claimed, event, None, 0, 0, 0.0, 1.0, alpha, claimed.value)
    if claimed == (1.0 if sufficient else 0.0):
        return Validation(
            bound.id, Verdict.VACUOUS, event, claimed, 0, 0, 0.0, 1.0, alpha, "the bound allows every probability"
        )
    looks = _looks(int(trials))
    missed, low, high, verdict = 0, 0.0, 1.0, Verdict.INCONCLUSIVE
    certain = claimed in (0.0, 1.0)
    for done, block in _blocks(question, seed, looks):
        missed += int(np.count_nonzero(count(block)))
        if progress is not None:
            progress(done, int(trials))
        against = missed if claimed == 0.0 else done - missed
        if certain and (against or done == trials):
            verdict = Verdict.REFUTED if against else Verdict.CONSISTENT
        if done in looks or verdict is not Verdict.INCONCLUSIVE:
            low, high = clopper_pearson(missed, done, confidence=1 - 2 * alpha / len(looks))
        if done in looks and not certain:
            verdict = _verdict(claimed, low, high, sufficient)
        if verdict is not Verdict.INCONCLUSIVE:
            break
    note = _note(verdict, claimed, certain, alpha, len(looks))
    return Validation(bound.id, verdict, event, claimed, missed, done, low, high, alpha, note)


def window_missed(candidates: Floats, tol: float, perturbation: float, window: Window) -> bool:
    """Whether some target of the window is farther than tol + perturbation |S| from every subset sum S of the candidates, shape (n,).

    The served targets are a union of intervals, built candidate by candidate: U <- U u [U + x, grown by the perturbation]. Parts from which the rest
    cannot reach the window are dropped.

    >>> window_missed(np.array([0.5, -0.25]), 0.15, 0.0, Window(-0.4, 0.4)), window_missed(np.array([0.5, -0.25]), 0.1, 0.0, Window(-0.4, 0.4))
    (False, True)
    """
    x = candidates[np.argsort(np.abs(candidates), kind="stable")]  # small ones first: their sums merge early
    up = np.append(np.cumsum(np.maximum(x + perturbation, 0)[::-1])[::-1], 0.0)
    down = np.append(np.cumsum(np.minimum(x - perturbation, 0)[::-1])[::-1], 0.0)
    low, high = np.array([-tol]), np.array([tol])
    if tol < 0:
        return True
    for k, value in enumerate(x):
        low, high = _merged(
            np.concatenate([low, low + (value - perturbation)]), np.concatenate([high, high + (value + perturbation)])
        )
        useful = (low + down[k + 1] <= window.high) & (high + up[k + 1] >= window.low)
        low, high = low[useful], high[useful]
        if not low.size:
            return True
        if np.any((low <= window.low) & (high >= window.high)):
            return False
    return not bool(np.any((low <= window.low) & (high >= window.high)))


def _merged(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(low, kind="stable")
    low, top = low[order], np.maximum.accumulate(high[order])
    gap = low[1:] > top[:-1]
    return low[np.append(True, gap)], top[np.append(gap, True)]


def _event(bound: Bound, question: Question) -> tuple[str, Callable[[Floats], Missed]]:
    """What the bound speaks of, in words, and a function that decides it for each row of candidates (B, n)."""
    favour = 1.0 if bound.direction is Direction.SUFFICIENT else -1.0
    targets, tol, perturbation = question.targets, question.tol, question.perturbation
    if bound.scope is Scope.ALL_TARGETS and isinstance(targets, Window):
        window = targets

        def all_targets(rows: Floats) -> Missed:
            slack = favour * 1e-15 * (1 + np.abs(rows).sum(axis=1))
            return np.array(
                [window_missed(x, tol + s, perturbation, window) for x, s in zip(rows, slack, strict=True)], np.bool_
            )

        return f"some target of [{window.low:g}, {window.high:g}] is missed by one sample", all_targets
    z = targets.z if isinstance(targets, Point) else max((targets.low, targets.high), key=abs)

    def one_target(rows: Floats) -> Missed:
        if rows.shape[1] == 0:
            return np.full(len(rows), abs(z) > tol)
        found = solve_batch(rows, np.full(len(rows), z), tol=tol, perturbation=perturbation, objective="any", workers=1)
        missed = np.array([found.status(row) is Status.INFEASIBLE for row in range(len(rows))], np.bool_)
        return missed if favour > 0 else missed | ~found.decided

    return f"the target {z:g} is missed", one_target


def _looks(trials: int) -> tuple[int, ...]:
    """64, 128, 256, ... below ``trials``, then ``trials``."""
    count = max(0, math.ceil(math.log2(trials / BLOCK)))
    return (*(BLOCK * 2**k for k in range(count)), trials)


def _blocks(question: Question, seed: int, looks: tuple[int, ...]) -> Iterator[tuple[int, Floats]]:
    """Number of trials done after each block, and its candidates (at most BLOCK, n)."""
    for block, start in enumerate(range(0, looks[-1], BLOCK)):
        rows = question.law.sample(trial_generator(seed, block), (BLOCK, question.n))
        done = min(start + BLOCK, looks[-1])
        yield done, rows[: done - start]


def _verdict(claimed: float, low: float, high: float, sufficient: bool) -> Verdict:
    if (low > claimed) if sufficient else (high < claimed):
        return Verdict.REFUTED
    if (high <= claimed) if sufficient else (low >= claimed):
        return Verdict.CONSISTENT
    return Verdict.INCONCLUSIVE


def _note(verdict: Verdict, claimed: float, certain: bool, alpha: float, looks: int) -> str:
    if certain and verdict is Verdict.CONSISTENT:
        return f"no trial contradicts the claimed probability {claimed:g}"
    if verdict is Verdict.INCONCLUSIVE:
        return f"the claimed {claimed:.3g} lies between the limits; more trials would decide unless the bound is exact"
    return f"wrong with probability at most {alpha:g}, over all {looks} looks together"
