"""Early stopping against the L2 penalty on random quadratics: gradient descent itself, stopped at 1 / (step alpha), against the solved penalised problem.

UniLTH's abstract says that early stopping acts like regularisation. On a quadratic this is exact along one eigenvector, near (with a proved bound, proofs/docs/early-stopping.md) where the penalty dominates the curvature,
and false for all eigenvalues at once: the second half is the negative control.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

import numpy as np

from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment
from strong_lth.plotting import Curve, curves_figure
from strong_lth.tickets.early_stopping import gap_bound

DIMENSION, ROUNDING = 12, 1e-9


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """Distances to the penalised minimum, relative to ||w*||: at 1 / (step alpha) steps, and the least over all steps."""
    alpha, step = 1.0, 1 / cell["steps"]
    top = cell["largest"] * alpha
    values = np.exp(rng.uniform(np.log(top / cell["spread"]), np.log(top), DIMENSION))
    basis = np.linalg.qr(rng.normal(size=(DIMENSION, DIMENSION)))[0]
    hessian, best = (basis * values) @ basis.T, rng.normal(size=DIMENSION)
    penalised = np.linalg.solve(hessian + alpha * np.eye(DIMENSION), hessian @ best)
    w, distances = np.zeros(DIMENSION), []
    for _ in range(20 * cell["steps"]):
        w = w - step * hessian @ (w - best)
        distances.append(float(np.linalg.norm(w - penalised) / np.linalg.norm(best)))
    return {
        "stopped": distances[cell["steps"] - 1],
        "bound": float(gap_bound(values, step, alpha).max()),
        "nearest": min(distances),
    }


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """Both statements are theorems: nothing is random in them but the instances, so alpha is 0."""
    over = max(row["stopped"] - row["bound"] for row in rows)
    apart = [row["nearest"] for row in rows if row["spread"] > 1 and row["largest"] >= 1]
    share = [row["stopped"] / row["bound"] for row in rows]
    return [
        Expectation(
            "stopped at 1 / (step alpha), gradient descent is as near to the penalised minimum as proved",
            Verdict.CONSISTENT if over <= ROUNDING else Verdict.REFUTED,
            f"distance / bound from {min(share):.2f} to {max(share):.2f} over {len(rows)} quadratics",
            0.0,
        ),
        Expectation(
            "where eigenvalues differ and reach alpha, no stopping time gives the penalised minimum",
            Verdict.CONSISTENT if apart and min(apart) > 1e-4 else Verdict.REFUTED,
            f"least relative distance over all steps {min(apart, default=0.0):.4f}",
            0.0,
        ),
    ]


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """Distance and bound against the largest eigenvalue, per spread."""
    panels = {}
    for spread in sorted({row["spread"] for row in rows}):
        places = sorted({row["largest"] for row in rows if row["spread"] == spread})
        curves = []
        for name, label in (("bound", "proved bound"), ("stopped", "at 1 / (step alpha)"), ("nearest", "best step")):
            mean = [
                float(np.mean([row[name] for row in rows if row["spread"] == spread and row["largest"] == place]))
                for place in places
            ]
            curves.append(Curve(label, places, mean))
        panels["all eigenvalues equal" if spread == 1 else f"eigenvalues differ up to {spread}-fold"] = curves
    curves_figure(
        panels,
        file,
        title="Early stopping and the penalty alpha on quadratics",
        x="largest eigenvalue / alpha",
        y="distance / ||w*||",
        log="xy",
    )


def _cells(largest: Sequence[float]) -> list[dict[str, Any]]:
    return [{"largest": top, "spread": spread, "steps": 200} for spread in (1, 100) for top in largest]


EXPERIMENT = Experiment(
    id="early-stopping",
    claim="On a quadratic, stopping at 1 / (step alpha) is the L2 penalty alpha up to a proved distance, and no stopping time is it exactly for two eigenvalues.",
    source="strong_lth, proofs/docs/early-stopping.md; Goodfellow, Bengio and Courville 2016, section 7.8; the statement behind UniLTH's abstract",
    grid=_cells((0.01, 0.1, 1.0, 10.0)),
    smoke=_cells((0.1, 1.0)),
    trials=20,
    seed=1,
    trial=trial,
    expect=expect,
    figure=figure,
    shard_trials=20,
    cost="10 s",
)
