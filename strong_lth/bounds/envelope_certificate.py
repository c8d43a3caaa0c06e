"""Certificates of Theorems D, 1 and W: all that an independent program needs to re-prove a number in exact arithmetic.

``proofs/check_bound_certificate.py`` checks them with the standard library alone. It rebuilds every value function from the slopes of the lines, and the gap from phi.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from strong_lth.bounds import rss_drift, rss_restarts, rss_window, spectral
from strong_lth.bounds.envelope import EXACT
from strong_lth.bounds.envelope_tables import Chain, Stage
from strong_lth.bounds.types import UNIFORM, Question
from strong_lth.bounds.unimodal import shape_of
from strong_lth.core import Floats, InputError, Verdict
from strong_lth.distributions import Law

_CHECKED_CELLS = 60  # of Theorem W: the checker eliminates in whole numbers


def certificate(id: str, n: int, *, tol: float, perturbation: float = 0.0, law: Law = UNIFORM) -> dict[str, Any]:
    """A certificate of P(some z in [-1/2, 1/2] is missed) <= failure with n candidates U[-1, 1]; for "rss-window" of a law of ``shape_of`` with unit 1.

    ``id`` is "rss-drift", "rss-restarts" (at most one level is certified) or "rss-window" (60 cells, without perturbation). Raises InputError for other ids
    or laws, or if n candidates prove nothing.
    """
    if id == "rss-window":
        return _window(n, tol, law)
    if id not in ("rss-drift", "rss-restarts"):
        raise InputError("id", repr(id), "use rss-drift, rss-restarts or rss-window")
    if law != UNIFORM:
        raise InputError("law", repr(law), "use Uniform(-1, 1)")
    found = rss_drift.scaled(Question(n, tol, perturbation))
    assert not isinstance(found, Verdict)
    density, *allowances = found
    tables = list((rss_drift if id == "rss-drift" else rss_restarts).splits(density, *allowances))
    tables = [t for t in tables if t[2].get("levels", 0) <= 1]
    table, start, split = min(tables, key=lambda t: t[0].bound(n, t[1]))
    steps = min(range(n + 1), key=lambda k: float(table.worst(k, np.array(start))))
    failure = float(table.worst(steps, np.array(start))) * (1 + 1e-6)
    if failure >= 1:
        raise InputError("n", n, "nothing is proved with so few candidates")
    parts = [table] if isinstance(table, Chain) else [table.below, table]
    return {
        "format": "strong_lth bound certificate",
        "theorem": id,
        "law": "uniform",
        "candidates": n,
        "steps": steps,
        "tol": tol,
        "perturbation": perturbation,
        "failure": failure,
        "e": split["e"],
        "gap": split["gap"],
        "widened": split.get("widened", 0.0),
        "parts": [_part(part, steps) for part in parts if isinstance(part, Chain | Stage)],
    }


def _part(part: Chain | Stage, steps: int) -> dict[str, Any]:
    """Grid and slopes; the slopes of a stage start with those of k = 0, and null marks a restart."""
    slopes = part.slopes[:steps] if isinstance(part, Chain) else part.slopes[: steps + 1]
    return {"grid": [int(v * EXACT) for v in part.grid.y], "slopes": [_numbers(row) for row in slopes]}


def _numbers(row: Floats) -> list[float | None]:
    """Twelve digits: every slope proves something, and the next ones would improve it by less than ``failure`` is raised."""
    return [None if math.isnan(v) else float(f"{v:.12g}") for v in row.tolist()]


def _window(n: int, tol: float, law: Law) -> dict[str, Any]:
    known = shape_of(law)
    if known is None or known[1] != 1 or known[0].name == "tabulated":
        raise InputError("law", repr(law), "use Uniform(-1, 1), Normal(), ProductUniform() or Triangular()")
    shape = known[0]
    weight, gap = spectral.certified(shape, 0.5, cells=_CHECKED_CELLS)
    failure = rss_window.closed_form(weight, gap, n, 2, tol) * (1 + 1e-8)
    if failure >= 1:
        raise InputError("n", n, "nothing is proved with so few candidates")
    return {
        "format": "strong_lth bound certificate",
        "theorem": "rss-window",
        "law": shape.name,
        "candidates": n,
        "tol": tol,
        "failure": failure,
        "half": weight.half,
        "phi": weight.phi.tolist(),
        "gap": gap,
    }
