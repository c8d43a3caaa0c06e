"""Bounds and predictions on random subset sum: how many random candidates serve a target, or every target of a window.

``BOUNDS`` are theorems, ``PREDICTIONS`` asymptotically exact laws; ``get`` finds either by id. One file per source. The solvers of
``strong_lth.subsetsum`` are never used here, so that agreement between the two is evidence.
"""

from __future__ import annotations

from strong_lth.bounds.each_target_local_law import each_target_failures, predicted_candidates
from strong_lth.bounds.listed import BOUNDS, PREDICTIONS, get
from strong_lth.bounds.planning import required_candidates, sharpest
from strong_lth.bounds.types import Bound, Constants, Direction, Prediction, Question, Scope

__all__ = [
    "BOUNDS",
    "PREDICTIONS",
    "Bound",
    "Constants",
    "Direction",
    "Prediction",
    "Question",
    "Scope",
    "each_target_failures",
    "get",
    "predicted_candidates",
    "required_candidates",
    "sharpest",
]
