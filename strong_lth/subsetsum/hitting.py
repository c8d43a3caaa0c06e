"""How many random candidates it takes until they cover a whole window: one pass per trial answers for every n."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from threading import Event
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strong_lth.core import BudgetError, Floats, InputError
from strong_lth.distributions import Law, Scaled
from strong_lth.stats import clopper_pearson, dkw_half_width
from strong_lth.streams import check_seed, trial_generator
from strong_lth.subsetsum.fixedpoint import Ints
from strong_lth.subsetsum.problem import check_budget, numbers, scalar, whole
from strong_lth.subsetsum.threads import in_order, thread_count

MOST_LIMIT = 1 << 20  # candidates of a trial: a block of them takes 2 GiB
BLOCK = 256  # trials that share a random stream
GROUP = 16 * BLOCK  # trials at a time on a device
ROUND = 32  # candidates drawn for a block at a time
SPREAD = 32.0  # a draw farther than this many standard deviations from 0 is refused
LONGEST_CURVE = 1_000_000  # places of a failure curve that nobody asked for one by one
HITTING_BUDGET = 1 << 26  # intervals of 16 bytes: 1 GiB

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class FailureCurve:
    """P(n candidates fail to cover) for several n, from the same trials: ``n``, ``failure`` (estimates), ``low`` and ``high``, each (K,).

    The band holds for all these n at once with probability >= ``confidence``.
    """

    n: Ints
    failure: Floats
    low: Floats
    high: Floats
    trials: int
    confidence: float
    method: str


def failure_curve(
    times: ArrayLike,
    *,
    n: ArrayLike | None = None,
    confidence: float = 0.95,
    method: Literal["dkw", "clopper-pearson"] = "dkw",
) -> FailureCurve:
    """The failure probability P(N > n) for every n, with a simultaneous confidence band.

    times: what ``hitting_times`` returned; -1 counts as larger than every n. n: where to look, by default 0, 1, .. up to the largest time seen
    (no n beyond the ``limit`` of the times). method: "dkw" is one width for all n; "clopper-pearson" is exact at each n, at confidence
    1 - (1 - confidence) / K for K places (Bonferroni), and far narrower where failures are rare. InputError for malformed input.

    >>> curve = failure_curve([3, 4, 4, 5], n=[3, 4], method="clopper-pearson")
    >>> curve.failure, curve.high.round(3)
    (array([0.75, 0.25]), array([0.997, 0.848]))
    """
    seen = _array("times", times)
    if seen.ndim != 1 or seen.size == 0 or seen.dtype.kind not in "iu" or seen.min() < -1:
        raise InputError(
            "times", f"shape {seen.shape} of {seen.dtype}", "give the whole numbers that hitting_times returned"
        )
    if n is None and seen.max() > LONGEST_CURVE:
        raise InputError(
            "n",
            f"none, and times up to {int(seen.max())}",
            f"name the places to look at: more than {LONGEST_CURVE} by default",
        )
    at = np.arange(max(int(seen.max()), 0) + 1) if n is None else _array("n", n)
    if at.ndim != 1 or at.size == 0 or at.dtype.kind not in "iu" or at.min() < 0:
        raise InputError("n", f"shape {at.shape} of {at.dtype}", "give whole numbers >= 0")
    if method not in ("dkw", "clopper-pearson"):
        raise InputError("method", repr(method), 'give "dkw" or "clopper-pearson"')
    trials = seen.size
    finite = np.sort(seen[seen >= 0])
    failed = trials - np.searchsorted(finite, at, side="right")
    failure = failed / trials
    if method == "dkw":
        half = dkw_half_width(trials, confidence=confidence)
        low, high = np.maximum(failure - half, 0.0), np.minimum(failure + half, 1.0)
    else:
        each = 1 - (1 - confidence) / at.size
        ends = np.array([clopper_pearson(int(count), trials, confidence=each) for count in failed])
        low, high = ends[:, 0], ends[:, 1]
    return FailureCurve(np.asarray(at, np.int64), failure, low, high, trials, confidence, method)


def _array(name: str, value: ArrayLike) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except ValueError:
        raise InputError(name, "rows of unequal lengths", "give whole numbers in one row") from None


def hitting_times(
    law: Law,
    tol: float,
    perturbation: float = 0.0,
    window: tuple[float, float] = (-0.5, 0.5),
    trials: int = 10_000,
    seed: int = 0,
    *,
    limit: int = 256,
    workers: int | None = None,
    device: str = "cpu",
    budget: int = HITTING_BUDGET,
    progress: Progress | None = None,
) -> Ints:
    """N = min{n : every target of the window has a subset of x_1..x_n within tol, each kept x_i moving by at most perturbation}, x_i ~ law.

    Returns N for each trial, shape (trials,); -1 where N exceeds ``limit``. More candidates never hurt, so P(n candidates fail) =
    P(N > n): one array gives the failure probability for every n (``failure_curve``). Trial t reads the random stream (seed, t // 256), so the
    result is the same, bit for bit, for any number of workers, and the first trials are the same however many follow. Draws are
    rounded to multiples of 2^-q, q = 50 for Uniform(-1, 1) and limit = 256; for those numbers N is exact (tol and perturbation are
    rounded down, the window outward, by less than 2^-q). device: "cpu" (compiled kernels), "cuda" or "torch": the same times. progress is called with (trials done, trials).

    InputError for malformed input, a law without variance, and tol = perturbation = 0. BudgetError where a trial needs more than
    ``budget`` intervals of 16 bytes, and before anything is allocated where the times themselves (8 bytes each) would take more.

    >>> from strong_lth.distributions import Uniform
    >>> hitting_times(Uniform(-1, 1), 0.01, trials=8, seed=1)
    array([11, 11, 12, 11, 13,  9, 11,  9])
    """
    task = _Task.of(law, tol, perturbation, window, limit, seed, check_budget(budget))
    trials = whole("trials", trials, 1)
    if trials > 2 * budget:
        raise BudgetError(
            f"hitting_times: {trials} times take {trials >> 17} MiB and {budget * 16 >> 20} MiB are allowed; ask for fewer trials, or raise budget"
        )
    step, threads = (BLOCK, thread_count(workers)) if device == "cpu" else (GROUP, 1)
    times = np.empty(trials, np.int64)

    def block(start: int) -> int:
        stop = min(start + step, trials)
        if device == "cpu":
            times[start:stop] = task.block(start // BLOCK, stop - start)
        else:
            times[start:stop] = task.group(start // BLOCK, stop - start, device)
        return stop

    for stop in in_order(block, range(0, trials, step), threads, task.halt):
        if progress is not None:
            progress(stop, trials)
    return times


class _Task:
    """One question in fixed point: all lengths are multiples of 2^-q."""

    def __init__(
        self, law: Law, q: int, r: int, reach: int, ends: tuple[int, int], limit: int, seed: int, budget: int
    ) -> None:
        self.law, self.q, self.r, self.reach, self.limit, self.seed, self.budget = law, q, r, reach, limit, seed, budget
        self.bottom, self.top = ends
        pieces = (self.top - self.bottom) / max(2 * r, 1)  # n candidates have 2^n sums, and each covers 2 r
        self.free = 0 if reach or pieces <= 1 else min(math.ceil(math.log2(pieces)) - 1, 20, ROUND - 1)
        wide = (self.top - self.bottom) / max(2 * (r + reach), 1)
        self.step = max(1, min(BLOCK, int((1 << 22) / max(wide, 1.0))))  # trials between two looks at the keyboard
        self.halt = Event()
        self.trivial = -r <= self.bottom and self.top <= r

    @classmethod
    def of(
        cls, law: Law, tol: float, perturbation: float, window: tuple[float, float], limit: int, seed: int, budget: int
    ) -> _Task:
        tol, perturbation = scalar("tol", tol, least=0.0), scalar("perturbation", perturbation, least=0.0)
        ends = numbers("window", window)
        if ends.shape != (2,) or ends[0] > ends[1]:
            raise InputError("window", window, "give its two ends (low, high), low <= high")
        if isinstance(law, type) or not all(hasattr(law, name) for name in ("sample", "support", "variance")):
            raise InputError("law", repr(law), "give a law of strong_lth.distributions, such as Uniform(-1, 1)")
        if whole("limit", limit, 1) > MOST_LIMIT:
            raise InputError("limit", f"more than {MOST_LIMIT}", f"give a whole number from 1 to {MOST_LIMIT}")
        if tol == 0 and perturbation == 0:
            raise InputError("tol", 0.0, "give tol or perturbation > 0: finitely many sums never cover a window")
        limit = -(-int(limit) // ROUND) * ROUND
        largest = _largest(law) + perturbation
        total = limit * largest + float(np.abs(ends).max()) + tol
        if not math.isfinite(total):
            raise InputError("law", repr(law), "use a law with a finite variance, and finite lengths")
        q = min(59 - math.frexp(total)[1], 1000)
        unit = Fraction(2) ** q
        r, reach = math.floor(Fraction(tol) * unit), math.floor(Fraction(perturbation) * unit)
        if r == 0 and reach == 0:
            raise InputError(
                "tol",
                tol,
                f"give tol or perturbation above {math.ldexp(1.0, -q):.1e}, the grid of sums of this law, or a smaller limit",
            )
        outer = math.floor(Fraction(float(ends[0])) * unit), math.ceil(Fraction(float(ends[1])) * unit)
        return cls(law, q, r, reach, outer, limit, check_seed(seed), budget)

    def block(self, index: int, count: int) -> Ints:
        """The first ``count`` times of one block."""
        from strong_lth.subsetsum.kernels_cover import hit_rows

        times = np.full(count, 0 if self.trivial else -1, np.int64)
        rows = np.flatnonzero(times < 0)
        generator = trial_generator(self.seed, index)
        x = np.empty((BLOCK, 0), np.int64)
        buffers = self.buffers(max(1 << 10, 4 << self.free))
        while rows.size and x.shape[1] < self.limit:
            x = np.concatenate([x, self.draw(generator)], axis=1)
            done = 0
            while done < rows.size:
                if self.halt.is_set():
                    return times
                part = rows[done : done + self.step]
                hits = hit_rows(x, self.reach, self.r, self.bottom, self.top, self.free, part, *buffers, times)
                done += hits
                if hits < part.size:
                    buffers = self.buffers(4 * len(buffers[0]))
            rows = np.flatnonzero(times < 0)
        return times

    def group(self, index: int, count: int, device: str) -> Ints:
        """The first ``count`` times of several blocks, on a device."""
        from strong_lth.subsetsum.kernels_gpu import hit_times

        times = np.full(count, 0 if self.trivial else -1, np.int64)
        generators = [trial_generator(self.seed, index + k) for k in range(-(-count // BLOCK))]
        x = np.empty((len(generators) * BLOCK, 0), np.int64)
        while (times < 0).any() and x.shape[1] < self.limit:
            x = np.concatenate([x, np.concatenate([self.draw(generator) for generator in generators])], axis=1)
            rows = np.flatnonzero(times < 0)
            budget = 8 * self.budget
            times[rows] = hit_times(x[rows], self.reach, self.r, self.bottom, self.top, budget, device)
            if (times == -2).any():
                raise self.exceeded()
        return times

    def draw(self, generator: np.random.Generator) -> Ints:
        """The next candidates of a whole block, shape (BLOCK, ROUND)."""
        scaled = np.ldexp(self.law.sample(generator, (BLOCK, ROUND)), self.q)
        if not (np.abs(scaled) <= np.ldexp(_largest(self.law), self.q)).all():
            raise InputError("law", repr(self.law), f"use a law without draws beyond {SPREAD:g} standard deviations")
        return np.asarray(np.rint(scaled), dtype=np.int64)

    def exceeded(self) -> BudgetError:
        return BudgetError(
            f"hitting_times: a trial needs more than {self.budget} intervals ({self.budget * 16 >> 20} MiB); raise budget, tol or perturbation"
        )

    def buffers(self, size: int) -> tuple[Ints, Ints, Ints, Ints]:
        if 2 * size > self.budget:
            raise self.exceeded()
        lo, hi, out_lo, out_hi = (np.empty(size, np.int64) for _ in range(4))
        return lo, hi, out_lo, out_hi


def _largest(law: Law) -> float:
    """A bound on |x|: that of the support, or so many standard deviations that no draw will reach it."""
    bound = max(map(abs, law.support))
    if math.isfinite(bound):
        return bound
    if isinstance(law, Scaled):
        return law.factor * _largest(law.law)
    return SPREAD * math.hypot(math.sqrt(law.variance), getattr(law, "mean", 0.0))
