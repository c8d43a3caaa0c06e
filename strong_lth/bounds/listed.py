"""The listed bounds and predictions, one line each; a file of this folder that is not listed here fails a test."""

from __future__ import annotations

import difflib
from typing import Any

from strong_lth.bounds import (
    all_targets_covering,
    becchetti2022,
    burkholz2022,
    counting,
    counting_layer,
    dacunha2022,
    dacunha2022_cnn,
    each_target_local_law,
    fixed_size,
    kumar2025,
    lueker1998,
    malach2020,
    natale2024,
    necessary_sizes,
    number_partitioning,
    orseau2020,
    otsuka2025,
    pensia2020,
    quantised_hits,
    range_lower,
    rss_contraction,
    rss_contraction_checked,
    rss_density,
    rss_drift,
    rss_hooks,
    rss_levels,
    rss_martingale_kl,
    rss_recursion,
    rss_restarts,
    rss_scaled,
    rss_second_moment,
    rss_survival,
    rss_wide,
    rss_window,
    saddlepoint,
    smallest_error,
    volume,
    xiong2023,
    xiong2023_network,
)
from strong_lth.bounds.estimate import Estimate
from strong_lth.bounds.network_bound import NetworkBound
from strong_lth.bounds.types import Bound, Prediction
from strong_lth.core import InputError

BOUNDS: tuple[Bound, ...] = (
    volume.BOUND,
    counting.BOUND,
    range_lower.BOUND,
    necessary_sizes.BOUND,
    rss_survival.BOUND,
    rss_hooks.BOUND,
    rss_contraction.BOUND,
    rss_recursion.BOUND,
    rss_contraction_checked.BOUND,
    rss_density.BOUND,
    rss_wide.BOUND,
    rss_scaled.BOUND,
    rss_martingale_kl.BOUND,
    rss_levels.BOUND,
    fixed_size.BOUND,
    rss_window.BOUND,
    rss_second_moment.BOUND,
    rss_restarts.BOUND,
    rss_drift.BOUND,
    rss_second_moment.ONE_TARGET,
    rss_second_moment.ALL_TARGETS,
    xiong2023.PRINTED,
    xiong2023.PROVED,
    lueker1998.BOUND,
    dacunha2022.BOUND,
    natale2024.EACH,
    natale2024.ALL,
    becchetti2022.BOUND,
    kumar2025.BOUND,
)

NETWORK_BOUNDS: tuple[NetworkBound, ...] = (
    counting_layer.BOUND,
    xiong2023_network.PRINTED,
    xiong2023_network.PROVED,
    pensia2020.LAYER,
    pensia2020.NETWORK,
    pensia2020.COUNTING,
    malach2020.BOUND,
    orseau2020.BOUND,
    dacunha2022_cnn.BOUND,
    burkholz2022.BOUND,
    otsuka2025.BOUND,
)

PREDICTIONS: tuple[Prediction, ...] = (
    each_target_local_law.PREDICTION,
    all_targets_covering.PREDICTION,
    quantised_hits.PREDICTION,
)

ESTIMATES: tuple[Estimate, ...] = (
    smallest_error.ESTIMATE,
    saddlepoint.ESTIMATE,
    number_partitioning.ESTIMATE,
)


def get(id: str) -> Any:
    """The entry of that id: a ``Bound``, ``Prediction``, ``NetworkBound`` or ``Estimate``.

    Raises InputError for an unknown id and names those that are near.

    >>> get("volume").direction.value
    'necessary'
    """
    listed: tuple[Any, ...] = (*BOUNDS, *PREDICTIONS, *NETWORK_BOUNDS, *ESTIMATES)
    entries = {entry.id: entry for entry in listed}
    if id in entries:
        return entries[id]
    near = difflib.get_close_matches(str(id), entries, n=3, cutoff=0.4) or list(entries)
    raise InputError("id", repr(id), f"did you mean {' or '.join(near)}?")
