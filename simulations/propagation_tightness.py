"""How sharp the bounds on networks are: the propagation theorem is attained, and the certificates stand close above what a search finds.

Propagation: sup |f^ - f| <= R (prod (a_l + e_l) - prod a_l), a_l = ||W_l||, e_l = ||W^_l - W_l||, inputs of norm at most R. Rank-one layers of constant sign attain it;
random networks stay below. Certificates: certified / found on pruned networks, both about the largest error over a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

import numpy as np

import strong_lth as lth
from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment
from strong_lth.plotting import Curve, curves_figure

ROUNDING = 1e-12


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """Error over bound for an extremal and for a random network of the same shape, and the certificate of a pruned one."""
    depth, width = cell["depth"], cell["width"]
    sizes = [width] * depth + [max(1, width // 2)]
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    gains, shares = rng.uniform(0.5, 2, depth), rng.uniform(0.01, 0.2, depth)
    ones = [np.ones(shape) / np.sqrt(shape[0] * shape[1]) for shape in shapes]
    weights = [a * one for a, one in zip(gains, ones, strict=True)]
    errors = [e * one for e, one in zip(shares, ones, strict=True)]
    x = np.ones(width) / np.sqrt(width)
    extremal = _distance(weights, errors, x) / _bound(weights, errors)
    weights = [rng.normal(size=shape) / np.sqrt(shape[1]) for shape in shapes]
    errors = [rng.uniform(-0.05, 0.05, shape) for shape in shapes]
    points = rng.normal(size=(200, width))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    random = max(_distance(weights, errors, point) for point in points) / _bound(weights, errors)
    target = lth.Network.from_arrays([0.5 * weight for weight in weights])
    domain = lth.Box(0, 1)
    ticket = lth.approximate(target, domain=domain, tol=0.05, width="smallest", seed=int(rng.integers(2**32)))
    error = lth.certify(target, ticket, domain=domain)
    return {
        "extremal": float(extremal),
        "random": float(random),
        "a_priori": error.a_priori,
        "certified": error.certified,
        "found": error.found,
        "method": error.method,
        "sound": error.certificate.ok,
    }


def _distance(weights: Sequence[np.ndarray], errors: Sequence[np.ndarray], x: np.ndarray) -> float:
    """|f^(x) - f(x)| with ReLU between the layers."""
    exact = moved = x
    for index, (weight, error) in enumerate(zip(weights, errors, strict=True)):
        exact, moved = weight @ exact, (weight + error) @ moved
        if index < len(weights) - 1:
            exact, moved = np.maximum(exact, 0), np.maximum(moved, 0)
    return float(np.linalg.norm(moved - exact))


def _bound(weights: Sequence[np.ndarray], errors: Sequence[np.ndarray]) -> float:
    a = np.array([np.linalg.norm(weight, 2) for weight in weights])
    e = np.array([np.linalg.norm(error, 2) for error in errors])
    return float(np.prod(a + e) - np.prod(a))


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """Nothing here is a test of a probability: each statement is about every row."""
    gap = max(abs(row["extremal"] - 1) for row in rows)
    most = max(row["random"] for row in rows)
    ordered = all(row["sound"] and row["found"] <= row["certified"] <= row["a_priori"] for row in rows)
    slack = [row["certified"] / row["found"] for row in rows]
    return [
        Expectation(
            "rank-one layers of constant sign attain the propagation bound",
            Verdict.CONSISTENT if gap <= ROUNDING else Verdict.REFUTED,
            f"|error / bound - 1| at most {gap:.1e} over {len(rows)} networks",
            0.0,
        ),
        Expectation(
            "no random network exceeds it",
            Verdict.CONSISTENT if most <= 1 + ROUNDING else Verdict.REFUTED,
            f"largest error / bound {most:.3f}",
            0.0,
        ),
        Expectation(
            "found <= certified <= a priori for every pruned network",
            Verdict.CONSISTENT if ordered else Verdict.REFUTED,
            f"certified / found from {min(slack):.2f} to {max(slack):.2f}, median {np.median(slack):.2f}",
            0.0,
        ),
    ]


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """Errors in parts of the propagation bound, and certified and a-priori errors in parts of the found one, against the depth."""
    panels: dict[str, list[Curve]] = {
        "propagation bound: error / bound": [],
        "pruned networks, tol 0.05: bound / found": [],
    }
    depths = sorted({row["depth"] for row in rows})
    for panel, name, label in (
        (0, lambda row: row["extremal"], "extremal network"),
        (0, lambda row: row["random"], "random network"),
        (1, lambda row: row["a_priori"] / row["found"], "a priori"),
        (1, lambda row: row["certified"] / row["found"], "certified"),
    ):
        values = [[name(row) for row in rows if row["depth"] == depth] for depth in depths]
        middle = [float(np.median(v)) for v in values]
        list(panels.values())[panel].append(
            Curve(label, depths, middle, [min(v) for v in values], [max(v) for v in values], "o-")
        )
    curves_figure(panels, file, title="Tightness (median and range)", x="depth L", y="ratio", log="y")


def _cells(depths: Sequence[int], widths: Sequence[int]) -> list[dict[str, Any]]:
    return [{"depth": depth, "width": width} for depth in depths for width in widths]


EXPERIMENT = Experiment(
    id="propagation-tightness",
    claim="The propagation bound prod (a + e) - prod a is attained; certificates stand close above the largest error found.",
    source="strong_lth, propagation theorem",
    grid=_cells((1, 2, 3, 4, 5), (6, 12)),
    smoke=_cells((1, 2), (4,)),
    trials=6,
    seed=1,
    trial=trial,
    expect=expect,
    figure=figure,
    shard_trials=3,
    cost="15 s",
)
