"""Drift of plain SGD at the published size: MNIST, 500 hidden units, U[-1/2, 1/2], lr .03, 100 epochs.

Trial, rule, table and figure are those of ``sgd_drift.py``; only the setting differs. One network is one shard, so a run on one data-centre GPU goes on with ``--resume`` where it stopped:

    strong-lth simulate sgd-drift-gpu --resume --record

No record is committed: no such card was at hand when this was written. ``code`` puts the digest of the shared trial into the cells, so that rows of two versions never mix.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from strong_lth.experiment.describe import code_digest, load_module

DRIFT = load_module(Path(__file__).with_name("sgd_drift.py"))


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """One network, as in ``sgd_drift.py``."""
    found: dict[str, Any] = DRIFT.trial(cell, rng)
    return found


_CELL = {
    "data": "mnist",
    "init": "half",
    "lr": 0.03,
    "epochs": 100,
    "every": 500,
    "on": "cuda",
    "code": code_digest(DRIFT.trial)[:12],
}

EXPERIMENT = replace(
    DRIFT.EXPERIMENT,
    id="sgd-drift-gpu",
    grid=[_CELL | {"width": width} for width in (125, 500)],
    trial=trial,
    cost="an hour on one GPU; no record",
)
