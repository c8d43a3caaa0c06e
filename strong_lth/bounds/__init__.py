"""Bounds and predictions on random subset sum: how many random candidates serve a target, or every target of a window.

``BOUNDS`` are theorems, ``PREDICTIONS`` asymptotically exact laws of the same events, ``ESTIMATES`` such laws with a question of their own, ``NETWORK_BOUNDS`` theorems on whole
networks; ``get`` finds any by id. ``required_candidates`` and ``required_width`` turn them into numbers. One file per source. The solvers of
``strong_lth.subsetsum`` are never used here, so that agreement between the two is evidence.
"""

from __future__ import annotations

from strong_lth.bounds.allotment import Allotment, allotment, compare_allotments
from strong_lth.bounds.allotment_convex import constrained_allotment
from strong_lth.bounds.each_target_local_law import each_target_failures, predicted_candidates
from strong_lth.bounds.estimate import Estimate
from strong_lth.bounds.listed import BOUNDS, ESTIMATES, NETWORK_BOUNDS, PREDICTIONS, get
from strong_lth.bounds.network_bound import NetworkBound
from strong_lth.bounds.planning import required_candidates, sharpest
from strong_lth.bounds.shapes import AttentionShape, ConvShape, DenseShape
from strong_lth.bounds.types import Bound, Constants, Direction, Prediction, Question, Scope
from strong_lth.bounds.widths import WidthPlan, least_tolerance, required_width

__all__ = [
    "BOUNDS",
    "ESTIMATES",
    "NETWORK_BOUNDS",
    "PREDICTIONS",
    "Allotment",
    "AttentionShape",
    "Bound",
    "Constants",
    "ConvShape",
    "DenseShape",
    "Direction",
    "Estimate",
    "NetworkBound",
    "Prediction",
    "Question",
    "Scope",
    "WidthPlan",
    "allotment",
    "compare_allotments",
    "constrained_allotment",
    "each_target_failures",
    "get",
    "least_tolerance",
    "predicted_candidates",
    "required_candidates",
    "required_width",
    "sharpest",
]
