"""How many candidates per weight: needed by this target and seed, predicted, and proved. Three numbers about one event.

The event: every weight (and bias) and sign half of every layer has a subset within its tolerance. *Needed* is its hitting time in the width, measured on the
source network itself; *predicted* is the width at which the expected number of failures falls to ln 2 (an estimate of the median); *proved*
is a union bound with the sharpest applicable theorem at failure probability delta.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from strong_lth import bounds
from strong_lth.core import BudgetError, Domain, Floats, InputError, Verdict, Window
from strong_lth.distributions import BalancedSigns, Law, ProductUniform, Scaled, Uniform, half_width, weight_grid
from strong_lth.networks.gadgets import Problems, halves_of, problems
from strong_lth.networks.network import Dense, Network
from strong_lth.networks.source import Ints, SourceLayer, random_source
from strong_lth.streams import WordStream
from strong_lth.subsetsum import needed_candidates

Progress = Callable[[str, int, int], None]
WIDEST = 4096


def candidate_law(law: Law, first: Law) -> Law:
    """Law of one candidate |odd weight| x even weight of a serving unit."""
    if not isinstance(first, Uniform):
        return law
    width = half_width(law)
    assert width is not None
    return ProductUniform() if width == 1 else Scaled(ProductUniform(), width)


def planned_width(
    counts: Sequence[int],
    weight_tol: Sequence[float],
    perturbation: float,
    delta: float,
    *,
    law: Law,
    first: Law,
    reach: float,
) -> list[int]:
    """Proved widths, layer by layer: a union bound over all subset sums at failure probability ``delta``.

    Raises InputError if no bound covers the candidate law.
    """
    widths = []
    for tol in weight_tol:
        width = proved_width(tol, perturbation, delta, blocks=sum(counts), law=law, first=first, reach=reach)
        if width is None:
            raise InputError(
                "width",
                None,
                f"give a width or 'smallest': no bound covers candidates {candidate_law(law, first)} at a tolerance of {tol:.1e}",
            )
        widths.append(width)
    return widths


def proved_width(
    tol: float, perturbation: float, delta: float, *, blocks: int, law: Law, first: Law, reach: float
) -> int | None:
    """Least n with blocks x P(one subset sum fails) <= delta by the sharpest applicable bound; None if none applies.

    Bounds speak of continuous laws, the source of a grid: a sum of n candidates moves by at most n ``grid_step``, which is taken off ``tol``.
    """
    step, width = grid_step(law, first), 0
    while True:
        allowed = tol - width * step
        found = (
            _continuous_width(allowed, perturbation, delta, blocks, law, first, reach)
            if allowed > 0 or tol == 0
            else None
        )
        if found is None or found <= width or tol == 0:
            return None if found is None else max(found, width)
        width = found


def grid_step(law: Law, first: Law) -> float:
    """How far a candidate of the source may be from one of the continuous law that it stands for."""
    coarse = isinstance(first, Uniform)
    _, exponent = weight_grid(law, WordStream(0).words(0, 0, 0, 1), coarse=coarse)
    step = math.ldexp(1.0, -exponent)
    return 2 * step if coarse or not isinstance(first, BalancedSigns) else step


def _continuous_width(
    tol: float, perturbation: float, delta: float, blocks: int, law: Law, first: Law, reach: float
) -> int | None:
    window = Window(-reach, reach)
    found = bounds.sharpest(
        tol=tol, perturbation=perturbation, delta=delta, law=candidate_law(law, first), targets=window, blocks=blocks
    )
    if isinstance(found, Verdict):
        return None
    bound, width = found
    if isinstance(first, BalancedSigns):
        return width

    def failure(count: int) -> float:
        value = bound.failure(count, tol, perturbation, law=candidate_law(law, first), targets=window)
        return 1.0 if isinstance(value, Verdict) else value

    return _least(lambda n: blocks * _over_signs(failure, n) <= delta, width)


def predicted_width(
    scaled: Network, halves: Sequence[Ints], weight_tol: Sequence[float], perturbation: float, *, law: Law, first: Law
) -> int:
    """Least n (one for all layers) with an expected number of failed subset sums of at most ln 2, by the each-target law."""
    targets = [layer_targets(dense, half) for dense, half in zip(scaled.dense, halves, strict=True)]
    candidates = candidate_law(law, first)

    def expected(count: int) -> float:
        return sum(
            float(bounds.each_target_failures(count, tol, perturbation, candidates, z).sum())
            for z, tol in zip(targets, weight_tol, strict=True)
        )

    if isinstance(first, BalancedSigns):
        return _least(lambda n: expected(n) <= math.log(2), 1)
    return _least(lambda n: _over_signs(expected, n) <= math.log(2), 1)


def needed_widths(
    scaled: Network,
    halves: Sequence[Ints],
    weight_tol: Sequence[float],
    perturbation: float,
    *,
    domain: Domain,
    law: Law,
    first: Law,
    seed: int,
    memory: int,
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[int]:
    """Hitting time of every layer: the least width at which the source of this seed serves all its weights.

    The source of width n is contained in that of width n + 1, so one wide source answers for every n; it is widened until all are served.
    Raises BudgetError when that would exceed ``memory``.
    """
    guess = predicted_width(scaled, halves, weight_tol, perturbation, law=law, first=first) + 4
    result = [0] * len(scaled.dense)
    open_layers = list(range(len(scaled.dense)))
    while open_layers:
        source = random_source(
            scaled, domain=domain, width=[guess if i in open_layers else 1 for i in range(len(result))],
            law=law, first=first, seed=seed, memory=memory,
        )  # fmt: skip
        for index in list(open_layers):
            report = None if progress is None else stage(progress, f"width of layer {index + 1}")
            width = _layer_need(
                source.layers[index],
                scaled.dense[index],
                halves[index],
                weight_tol[index],
                perturbation,
                workers,
                report,
            )
            if width is not None:
                result[index] = width
                open_layers.remove(index)
        guess += 6
        if guess > WIDEST:
            raise InputError(
                "tol", weight_tol, f"some weight is not served by {WIDEST} candidates; raise tol or use a wider law"
            )
    return result


def layer_targets(dense: Dense, halves: Ints) -> Floats:
    """All subset-sum targets of a layer, flat: w for every weight and bias, and -w where there is a second half."""
    columns = dense.weight if dense.bias is None else np.column_stack([dense.weight, dense.bias])
    return np.concatenate([columns.reshape(-1), -columns[:, halves == 2].reshape(-1)])


def _layer_need(
    part: SourceLayer,
    dense: Dense,
    halves: Ints,
    tol: float,
    perturbation: float,
    workers: int | None,
    progress: Callable[[int, int], None] | None,
) -> int | None:
    need = done = 0
    total = halves_of(part, halves).inputs.size * part.outputs
    for block, counts in layer_needs(part, dense, halves, tol, perturbation, workers):
        if np.any(counts < 0):
            return None
        rows = np.flatnonzero(counts > 0)
        ranks = part.unit_rank[block.units[rows, counts[rows] - 1]] + 1
        if ranks.size:
            need = max(need, int(ranks.max()))
        done += block.targets.size
        if progress is not None:
            progress(done, total)
    drawn_per_width = int(part.unit_rank.max() + 1) // part.width
    return max(1, -(-need // drawn_per_width))


def layer_needs(
    part: SourceLayer, dense: Dense, halves: Ints, tol: float, perturbation: float, workers: int | None
) -> Iterator[tuple[Problems, Ints]]:
    """Candidates needed by every subset sum of a layer, in chunks."""
    for block in problems(part, dense, halves_of(part, halves)):
        allowed, moves = block.allowances(tol, perturbation)
        try:
            counts = needed_candidates(
                block.candidates, block.targets, tol=allowed, perturbation=moves, workers=workers
            )
        except BudgetError:
            raise InputError(
                "tol", f"a tolerance of {tol:.1e} per weight in layer {part.index}", "raise it or the perturbation, or give a width: "
                "the least sufficient width could not be found within the memory of the solver",
            ) from None  # fmt: skip
        yield block, counts


def _over_signs(failure: Callable[[int], float], width: int) -> float:
    """Expected failure when the number of units with the right sign is Binomial(2 width, 1/2)."""
    from scipy.stats import binom

    weights = binom.pmf(np.arange(2 * width + 1), 2 * width, 0.5)
    return float(sum(w * failure(count) for count, w in enumerate(weights) if w > 1e-18)) + 1e-17


def _least(good: Callable[[int], bool], start: int) -> int:
    """Least n >= start with good(n), for a condition that stays true: doubling, then bisection."""
    if good(start):
        return start
    step = 1
    while not good(start + step):
        step *= 2
        if start + step > WIDEST:
            raise InputError("tol", "a tolerance", f"more than {WIDEST} candidates would be needed; raise tol or delta")
    low, high = start + step // 2, start + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if good(middle) else (middle, high)
    return high


def stage(progress: Progress, name: str) -> Callable[[int, int], None]:
    """Progress of one named stage, as the solvers report it."""
    return lambda done, total: progress(name, done, total)
