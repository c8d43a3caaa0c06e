"""The listed bounds and predictions, one line each; a file of this folder that is not listed here fails a test."""

from __future__ import annotations

import difflib

from strong_lth.bounds import (
    all_targets_covering,
    dacunha2022,
    each_target_local_law,
    lueker1998,
    necessary_sizes,
    pensia2020,
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
    volume,
    xiong2023,
)
from strong_lth.bounds.types import Bound, Prediction
from strong_lth.core import InputError

BOUNDS: tuple[Bound, ...] = (
    volume.BOUND,
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
    rss_window.BOUND,
    rss_second_moment.BOUND,
    rss_restarts.BOUND,
    rss_drift.BOUND,
    rss_second_moment.ONE_TARGET,
    rss_second_moment.ALL_TARGETS,
    xiong2023.PRINTED,
    xiong2023.PROVED,
    pensia2020.LAYER,
    pensia2020.NETWORK,
    lueker1998.BOUND,
    dacunha2022.BOUND,
)

PREDICTIONS: tuple[Prediction, ...] = (
    each_target_local_law.PREDICTION,
    all_targets_covering.PREDICTION,
)


def get(id: str) -> Bound | Prediction:
    """The bound or prediction of that id.

    Raises InputError for an unknown id and names those that are near.

    >>> get("volume").direction.value
    'necessary'
    """
    entries: dict[str, Bound | Prediction] = {bound.id: bound for bound in BOUNDS}
    entries |= {law.id: law for law in PREDICTIONS}
    if id in entries:
        return entries[id]
    near = difflib.get_close_matches(str(id), entries, n=3, cutoff=0.4) or list(entries)
    raise InputError("id", repr(id), f"did you mean {' or '.join(near)}?")
