"""``candidates_needed``: the hitting time of every subset sum in one given source, moved or not."""

from __future__ import annotations

import numpy as np

from strong_lth.core import Domain
from strong_lth.networks.construction import plan
from strong_lth.networks.network import Network
from strong_lth.networks.source import Ints, RandomSource
from strong_lth.networks.widths import layer_needs


def candidates_needed(
    target: Network,
    source: RandomSource,
    *,
    domain: Domain,
    tol: float,
    perturbation: float = 0.0,
    workers: int | None = None,
) -> tuple[Ints, ...]:
    """How many of its candidates, by rank, each subset sum of ``target`` needs in this very source (moved or not); per layer, -1 where all of them are not enough.

    ``tol`` is that of ``approximate``, on the outputs; ``perturbation`` is what each candidate may still move. 0: the empty set serves. One entry per weight (or bias) and sign half, in the
    order of ``problems``. Raises InputError when the solver's memory does not suffice.

    >>> import strong_lth as lth
    >>> target = lth.Network.from_arrays([[[0.3, -0.2]]])
    >>> source = lth.random_source(target, domain=lth.Box(0, 1), width=9, seed=0)
    >>> [count.tolist() for count in candidates_needed(target, source, domain=lth.Box(0, 1), tol=0.1)]
    [[7, 7]]
    """
    planned = plan(target, domain, tol, source.law)
    found = []
    for part, dense, halves, weight_tol in zip(
        source.layers, planned.scaled.dense, planned.halves, planned.allotment.weight_tol, strict=True
    ):
        blocks = layer_needs(part, dense, halves, weight_tol, perturbation, workers)
        found.append(np.concatenate([counts for _, counts in blocks]).astype(np.int64))
    return tuple(found)
