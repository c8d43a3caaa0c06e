"""Numbers of candidates that recorded simulations measured, beside those that theorems promise.

The records live in the checkout, ``simulations/records/``, not in the installed package; without a checkout nothing is measured and nothing is said.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from strong_lth.core import Window
from strong_lth.distributions import Uniform
from strong_lth.stats import clopper_pearson

RECORD = "simulations/records/needed-candidates.json"
LAW, TARGETS = Uniform(-1.0, 1.0), Window(-0.5, 0.5)


def measured_rows(tol: float, perturbation: float, delta: float, *, root: Path | None = None) -> list[dict[str, Any]]:
    """The recorded row for U[-1, 1] and all targets of [-1/2, 1/2] at this setting, with the keys of ``report_bounds.bounds_rows``; empty if it was never simulated.

    ``n`` is the least number whose measured failure may be at most delta, or "a to b" where the 95 % intervals leave several. ``failure`` is the
    measured share of samples that miss a target with the first of them. ``root``: the checkout; default: the one this package runs from.
    """
    path = (Path(__file__).resolve().parent.parent if root is None else root) / RECORD
    if not path.is_file():
        return []
    rows = [row for row in json.loads(path.read_text(encoding="utf-8"))["rows"] if _same(row, tol, perturbation)]
    total = sum(row["samples"] for row in rows)
    most = max(
        (int(key.removeprefix("at_most_")) for row in rows for key in row if key.startswith("at_most_")), default=0
    )
    missed = [total - sum(row[f"at_most_{n}"] for row in rows) for n in range(1, most + 1)]
    low = next((n for n, count in enumerate(missed, 1) if clopper_pearson(count, total)[0] <= delta), None)
    high = next((n for n, count in enumerate(missed, 1) if clopper_pearson(count, total)[1] <= delta), None)
    if low is None or high is None:
        return []
    return [
        {
            "id": "needed-candidates",
            "title": "Candidates needed, by simulation",
            "kind": "simulation",
            "quantifier": "all targets",
            "direction": "measured",
            "status": f"measured by exact solves of {total} samples, 95 % interval",
            "source": RECORD,
            "n": low if low == high else f"{low} to {high}",
            "why": "",
            "failure": missed[low - 1] / total,
        }
    ]


def _same(row: dict[str, Any], tol: float, perturbation: float) -> bool:
    return math.isclose(row["tol"], tol) and math.isclose(row["perturbation"], perturbation, abs_tol=1e-15)
