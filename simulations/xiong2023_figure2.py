"""Figure 2 of Xiong et al. 2023: candidates that serve all 397,000 weights of a 784-500-10 network, under both readings of the text.

The paper draws candidates "unique to w"; the public code of Pensia et al., whose network it uses, draws one vector per output row. The published numbers are
compared with both. The weights (pensia2020_fc2.npz, arrays W1 (500, 784) and W2 (10, 500)) lie in the folder STRONG_LTH_DATA.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment
from strong_lth.plotting import Curve, curves_figure
from strong_lth.subsetsum import needed_candidates

PUBLISHED = json.loads((Path(__file__).parent / "published" / "xiong2023_figure2.json").read_text())
MOST = 44  # candidates drawn; no weight needs them all
BLOCK = 8192
SUCCEED = 8  # of 10 draws, as in the paper
READINGS = {"row": "one vector per output row", "weight": "one vector per weight"}


def _weights(rows: int | None) -> list[np.ndarray]:
    """The output rows of the network; without a file, for the quick setting, rows of Laplace weights of the same scale and range."""
    if rows is not None:
        rng = np.random.default_rng(0)
        return list(np.clip(rng.laplace(0, 0.018, (rows, 784)), -0.46, 0.54))
    path = Path(os.environ.get("STRONG_LTH_DATA", ".")) / "pensia2020_fc2.npz"
    if not path.is_file():
        raise FileNotFoundError(2, "no such file; set STRONG_LTH_DATA to the folder that holds it", str(path))
    with np.load(path, allow_pickle=False) as file:
        return [row.astype(np.float64) for name in ("W1", "W2") for row in file[name]]


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """One draw: the candidates that its worst weight needs."""
    rows = _weights(cell["rows"])
    low, high = min(row.min() for row in rows), max(row.max() for row in rows)
    allowed = {"tol": cell["tol"], "perturbation": cell["ratio"] * cell["tol"], "workers": 1}
    if cell["reading"] == "row":
        needed = [needed_candidates(rng.uniform(low, high, MOST), row, **allowed) for row in rows]
    else:
        weights = np.concatenate(rows)
        parts = np.split(weights, range(BLOCK, weights.size, BLOCK))
        needed = [needed_candidates(rng.uniform(low, high, (part.size, MOST)), part, **allowed) for part in parts]
    served = all(bool((n >= 0).all()) for n in needed)
    return {"needed": max(int(n.max()) for n in needed) if served else None}


def _entries(rows: Sequence[Any], reading: str, tol: float) -> dict[float, int]:
    """ratio -> the SUCCEED-th smallest of the needed numbers (of fewer draws in proportion)."""
    out = {}
    for ratio in sorted({row["ratio"] for row in rows if (row["reading"], row["tol"]) == (reading, tol)}):
        draws = sorted(
            MOST + 1 if row["needed"] is None else row["needed"]
            for row in rows
            if (row["reading"], row["tol"], row["ratio"]) == (reading, tol, ratio)
        )
        out[ratio] = draws[max(0, -(-len(draws) * SUCCEED // 10) - 1)]
    return out


def _published(tol: float) -> dict[float, int]:
    return dict(zip(PUBLISHED["ratios"], PUBLISHED["needed"][f"1e{round(np.log10(tol))}"], strict=True))


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """A reading agrees if every entry lies within 3 of the published one: the spread of one draw is 5 to 9, of the 8th of ten about 2."""
    out = []
    real = all(row["rows"] is None for row in rows)
    for reading, foreseen in (("row", Verdict.CONSISTENT), ("weight", Verdict.REFUTED)):
        gaps = [
            entry - _published(tol)[ratio]
            for tol in sorted({row["tol"] for row in rows if row["reading"] == reading})
            for ratio, entry in _entries(rows, reading, tol).items()
        ]
        verdict = Verdict.CONSISTENT if max(abs(gap) for gap in gaps) <= 3 else Verdict.REFUTED
        out.append(
            Expectation(
                f"Figure 2 is what {READINGS[reading]} gives, within 3 candidates",
                verdict if real else Verdict.INCONCLUSIVE,
                f"{len(gaps)} entries: measured - published from {min(gaps):+d} to {max(gaps):+d}, mean {np.mean(gaps):+.1f}",
                0.01,
                foreseen,
            )
        )
    return out


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """Needed candidates against perturbation / tol, one panel per tol."""
    panels = {}
    for tol in sorted({row["tol"] for row in rows}, reverse=True):
        shown = _published(tol)
        curves = [Curve("published", list(shown), list(shown.values()), style="s--", colour=5)]
        for colour, reading in enumerate(READINGS):
            found = _entries(rows, reading, tol)
            if found:
                curves.append(Curve(READINGS[reading], list(found), list(found.values()), colour=colour))
        panels[f"tol = {tol:g}"] = curves
    curves_figure(
        panels,
        file,
        title="Xiong et al. 2023, Figure 2: candidates with which 8 of 10 draws serve every weight",
        x="perturbation / tol",
        y="candidates",
    )


def _cells(reading: str, tols: Sequence[float], ratios: Sequence[float], rows: int | None) -> list[dict[str, Any]]:
    return [{"reading": reading, "tol": tol, "ratio": ratio, "rows": rows} for tol in tols for ratio in ratios]


EXPERIMENT = Experiment(
    id="xiong2023-figure2",
    claim="n candidates, each set unique to its weight, serve a 784-500-10 network at the numbers of Figure 2.",
    source="Xiong, Liao and Kyrillidis, AISTATS 2023, Figure 2 and Section 6.1",
    grid=_cells("row", (1e-2, 1e-3, 1e-4), (0, 1, 3, 10), None) + _cells("weight", (1e-2, 1e-3), (0, 1, 3, 10), None),
    smoke=_cells("row", (1e-2,), (0, 1), 20) + _cells("weight", (1e-2,), (0, 1), 20),
    trials=10,
    seed=1,
    trial=trial,
    expect=expect,
    figure=figure,
    cost="20 min",
)
