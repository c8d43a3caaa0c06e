"""Tables 1 to 3 of Xiong et al. 2023 at the published size: 60,000 images, 500 hidden units, 100 epochs of projected SGD, 50 of edge-popup, ten perturbations and nine sparsities.

Trials, rule, table and figure are those of ``xiong2023_tables.py``; only the setting differs. One network of one data set is one shard, so a run on one data-centre GPU goes on with ``--resume`` where it stopped:

    strong-lth simulate xiong2023-tables-gpu --resume --record

No record is committed: no such card was at hand when this was written, and none of the numbers of this setting is known to us. ``code`` puts the digest of the shared trial into the cells, so that rows of two versions never mix.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from strong_lth.experiment.describe import code_digest, load_module

TABLES = load_module(Path(__file__).with_name("xiong2023_tables.py"))


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """One initial network, as in ``xiong2023_tables.py``."""
    found: dict[str, Any] = TABLES.trial(cell, rng)
    return found


_CELL = {
    "images": 60_000,
    "hidden": 500,
    "sgd_epochs": 100,
    "popup_epochs": 50,
    "perturbations": "0.001 0.005 0.01 0.02 0.03 0.04 0.05 0.1 0.2 0.3",
    "sparsities": "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8",
    "on": "cuda",
    "code": code_digest(TABLES.trial)[:12],
}

EXPERIMENT = replace(
    TABLES.EXPERIMENT,
    id="xiong2023-tables-gpu",
    grid=[_CELL | {"data": "mnist"}, _CELL | {"data": "fashion-mnist"}],
    trial=trial,
    cost="hours on one GPU; no record",
)
