"""One problem of 47 to 60 candidates without perturbation: a seed, four lists, and windows shared out over threads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from strong_lth.subsetsum.fixedpoint import GUARD, Ints
from strong_lth.subsetsum.threads import in_order

MOST = 60  # candidates; beyond, the time is days and the grid holds sums that are equal anyway
PART = 58  # of more candidates: their sums are so dense that one of them hits a target of the grid
SEED = 40  # candidates that give the first subset
WINDOW = 1 << 17  # left sums per window, about
SAMPLE = 200_000
RUN = 512  # windows between two looks at the keyboard

Bools = NDArray[np.bool_]


def nearest_by_windows(
    x: Ints, spot: int, budget: int, workers: int = 1, window: int = WINDOW, seed: int = SEED
) -> tuple[Bools, int, bool]:
    """The subset of x (n,) whose sum is nearest to ``spot``: keep, its distance, and whether it is proved to be the nearest.

    Not proved: so many equal sums that a window outgrows ``budget`` (entries of 16 bytes); the subset is then the best one known.
    """
    ends = int(np.minimum(x, 0).sum()), int(np.maximum(x, 0).sum())
    if not ends[0] < spot < ends[1]:
        keep = x > 0 if spot >= ends[1] else x < 0
        return keep, abs(int(x[keep].sum()) - spot), True
    keep = _seed(x, spot, min(seed, len(x)))
    best = abs(int(x[keep].sum()) - spot)
    enough = _least(x, spot)
    if best <= enough:
        return keep, best, True
    quarter = len(x) // 4
    lists = [_sorted_sums(part) for part in np.split(x, [quarter, 2 * quarter, 3 * quarter])]
    edges = _edges(lists, spot, window)
    found = _search(lists, spot, edges, best, enough, budget, workers)
    if found is None:
        return keep, best, False
    distance, left, right = found
    if distance < best:
        half = 2 * quarter
        keep = np.concatenate([_with_sum(x[:half], left), _with_sum(x[half:], spot - right)])
    return keep, distance, True


def nearest_of_many(x: Ints, spot: int, budget: int, workers: int = 1) -> tuple[Bools, int, bool]:
    """``nearest_by_windows`` for any number of candidates: of more than 60, all but ``PART`` are set so that the target lies amid the others' sums.

    The result of the sub-problem is proved to be the nearest only if no sum of multiples of GUARD could be nearer: on the grid, a distance of 0.
    """
    if len(x) <= MOST:
        return nearest_by_windows(x, spot, budget, workers)
    free, keep = _frame(x, spot, PART)
    rest = spot - int(x[keep].sum())
    found, distance, _ = nearest_by_windows(x[free], rest, budget, workers)
    keep[free] = found
    return keep, distance, distance <= _least(x, spot)


def _least(x: Ints, spot: int) -> int:
    """No sum of x is nearer to ``spot`` than this."""
    return min(spot % GUARD, -spot % GUARD) if not (x % GUARD).any() else 0


def _search(
    lists: list[Ints], spot: int, edges: Ints, best: int, enough: int, budget: int, workers: int
) -> tuple[int, int, int] | None:
    """(distance, left sum, value of the right side); None when a window never fits. The first window with the least distance wins."""
    from strong_lth.subsetsum.kernels_windows import search_windows

    count = len(edges) - 1
    workers = min(workers, count)
    parts = max(workers, count // RUN)  # short ones, so that an interruption is heard
    cuts = [count * k // parts for k in range(parts + 1)]
    capacity = 4 * WINDOW

    def part(k: int) -> tuple[int, int, int, bool]:
        return search_windows(*lists, spot, edges, cuts[k], cuts[k + 1], best, enough, capacity)  # type: ignore[no-any-return]

    while capacity * workers <= budget:
        found = list(in_order(part, range(parts), workers))
        if all(fits for *_, fits in found):
            return min((p[:3] for p in found), key=lambda p: p[0])
        capacity *= 4
    return None


def _seed(x: Ints, spot: int, count: int) -> Bools:
    """A good subset: the nearest one of a framed sub-problem."""
    free, keep = _frame(x, spot, count)
    keep[free] = nearest_one(x[free], spot - int(x[keep].sum()))
    return keep


def _frame(x: Ints, spot: int, count: int) -> tuple[NDArray[np.intp], Bools]:
    """The ``count`` smallest candidates, and the others set greedily so that the target lies amid the sums of those."""
    order = np.argsort(np.abs(x), kind="stable")
    free, fixed = np.sort(order[:count]), order[count:][::-1]
    keep = np.zeros(len(x), np.bool_)
    rest = spot - int(x[free].sum()) // 2
    for k in fixed:
        if abs(rest - int(x[k])) < abs(rest):
            keep[k] = True
            rest -= int(x[k])
    return free, keep


def nearest_one(x: Ints, spot: int) -> Bools:
    """The subset of up to 46 candidates with the sum nearest to ``spot``."""
    from strong_lth.subsetsum.kernels_nearest import nearest_rows

    keep, gap = np.zeros((1, len(x)), np.bool_), np.empty(1, np.int64)
    nearest_rows(np.ascontiguousarray(x)[None, :], np.array([spot]), keep, gap)
    return np.asarray(keep[0])


def _with_sum(x: Ints, value: int) -> Bools:
    keep = nearest_one(x, value)
    assert int(x[keep].sum()) == value
    return keep


def _sorted_sums(x: Ints) -> Ints:
    from strong_lth.subsetsum.kernels import all_sums

    a, b = np.empty(1 << len(x), np.int64), np.empty(1 << len(x), np.int64)
    return b if all_sums(np.ascontiguousarray(x), len(x), a, b) else a


def _edges(lists: list[Ints], spot: int, window: int) -> Ints:
    """Edges of the windows: sampled quantiles of the left sums and of the values they must meet."""
    a, b, c, d = lists
    rng = np.random.default_rng(0)  # any sample will do: the edges decide the speed, not the answer
    left = rng.choice(a, SAMPLE) + rng.choice(b, SAMPLE)
    right = spot - rng.choice(c, SAMPLE) - rng.choice(d, SAMPLE)
    count = max(4, min(len(a) * len(b) // window, SAMPLE // 20))
    both = np.sort(np.concatenate([left, right]))
    cuts = both[np.linspace(0, len(both) - 1, count + 1).astype(np.int64)[1:-1]]
    low, high = int(a[0] + b[0]), int(a[-1] + b[-1]) + 1
    return np.unique(np.concatenate([[low], cuts[(cuts > low) & (cuts < high)], [high]]))
