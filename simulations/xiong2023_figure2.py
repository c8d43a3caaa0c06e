"""Figure 2 of Xiong et al. 2023: candidates that serve all 397,000 weights of a 784-500-10 network, under both readings of the text.

The paper draws candidates "unique to w"; the public code of Pensia et al., whose network it uses, draws one vector per output row. The published numbers are
compared with both. The weights (pensia2020_fc2.npz, arrays W1 (500, 784) and W2 (10, 500)) lie in the folder STRONG_LTH_DATA.
"""

from __future__ import annotations

import json
import math
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
ALPHA = 0.01
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


def _draws(rows: Sequence[Any], reading: str, tol: float) -> dict[float, list[int]]:
    """ratio -> the needed numbers of all draws, sorted."""
    out: dict[float, list[int]] = {}
    for row in rows:
        if (row["reading"], row["tol"]) == (reading, tol):
            out.setdefault(row["ratio"], []).append(MOST + 1 if row["needed"] is None else row["needed"])
    return {ratio: sorted(out[ratio]) for ratio in sorted(out)}


def _entry(draws: Sequence[int]) -> int:
    """The number with which 8 of 10 draws succeed (of fewer draws in proportion)."""
    return draws[max(0, -(-len(draws) * SUCCEED // 10) - 1)]


def rank_test(draws: Sequence[int], published: int) -> float:
    """Two-sided p-value of "published is the SUCCEED-th smallest of ten more draws from the same law"; exact for ten draws, ties only enlarge it.

    Among twenty exchangeable numbers, j of ours stand before that one with probability C(7 + j, j) C(12 - j, 10 - j) / C(20, 10).
    """
    most = sum(draw <= published for draw in draws)
    least = sum(draw < published for draw in draws)
    chance = [math.comb(7 + j, j) * math.comb(12 - j, 10 - j) / math.comb(20, 10) for j in range(11)]
    return min(1.0, 2 * min(sum(chance[: most + 1]), sum(chance[least:])))


def _published(tol: float) -> dict[float, int]:
    return dict(zip(PUBLISHED["ratios"], PUBLISHED["needed"][f"1e{round(np.log10(tol))}"], strict=True))


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """Each published number against the ten draws of its setting: an exact rank test per entry, Bonferroni over the entries of a reading."""
    out = []
    for reading, foreseen in (("row", Verdict.CONSISTENT), ("weight", Verdict.REFUTED)):
        cells = [
            (draws, _published(tol)[ratio])
            for tol in sorted({row["tol"] for row in rows if row["reading"] == reading})
            for ratio, draws in _draws(rows, reading, tol).items()
        ]
        known = all(row["rows"] is None for row in rows) and all(len(draws) == 10 for draws, _ in cells)
        smallest = min(rank_test(draws, published) for draws, published in cells) if known else 1.0
        gaps = [_entry(draws) - published for draws, published in cells]
        out.append(
            Expectation(
                f"the numbers of Figure 2 come from {READINGS[reading]}",
                Verdict.INCONCLUSIVE
                if not known
                else Verdict.REFUTED
                if smallest < ALPHA / len(cells)
                else Verdict.CONSISTENT,
                f"{len(gaps)} entries: measured - published {min(gaps):+d} to {max(gaps):+d}, mean {np.mean(gaps):+.1f}; "
                f"smallest p-value {smallest:.2g}",
                ALPHA,
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
            found = _draws(rows, reading, tol)
            if found:
                y, low, high = ([pick(draws) for draws in found.values()] for pick in (_entry, min, max))
                curves.append(Curve(READINGS[reading], list(found), y, low, high, colour=colour))
        panels[f"tol = {tol:g}"] = curves
    curves_figure(
        panels,
        file,
        title="Xiong et al. 2023, Figure 2: candidates with which 8 of 10 draws serve every weight (bars: all draws)",
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
