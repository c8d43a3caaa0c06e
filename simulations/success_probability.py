"""The whole curve of P(every target is served) at finite n, with a band that holds it everywhere.

One sample serves every target of [-1/2, 1/2]; the predicted curve is the expected number of gaps of a Boolean model, with no fitted constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

import numpy as np

import strong_lth as lth
from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment
from strong_lth.plotting import Curve, curves_figure
from strong_lth.stats import binomial_p_value, dkw_band
from strong_lth.validate import window_missed

WINDOW, MOST, ALPHA = lth.Window(-0.5, 0.5), 30, 1e-3
LAWS = {"U[-1, 1]": lth.Uniform(-1, 1), "N(0, 1)": lth.Normal()}
LEAST, SLACK = (
    10,
    0.25,
)  # the prediction is tested from this n on, up to this relative error of the failure probability,
LOW, HIGH = 0.005, 0.3  # where it predicts a failure probability between these


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """How many of a block of samples serve the window with their first n candidates, for every n."""
    served = np.zeros(MOST + 1, dtype=int)
    for _ in range(cell["samples"]):
        candidates = LAWS[cell["law"]].sample(rng, MOST)
        n = 1
        while n <= MOST and window_missed(candidates[:n], cell["tol"], cell["perturbation"], WINDOW):
            n += 1
        served[n:] += 1
    return {f"served_{n}": int(served[n]) for n in range(1, MOST + 1)}


def _curves(rows: Sequence[Any]) -> dict[tuple[str, float, float], tuple[np.ndarray, int]]:
    """(law, tol, perturbation) -> shares served at n = 1 .. MOST, and the number of samples."""
    out = {}
    for key in sorted({(row["law"], row["tol"], row["perturbation"]) for row in rows}):
        some = [row for row in rows if (row["law"], row["tol"], row["perturbation"]) == key]
        total = sum(row["samples"] for row in some)
        out[key] = np.array([sum(row[f"served_{n}"] for row in some) for n in range(1, MOST + 1)]) / total, total
    return out


def _predicted(key: tuple[str, float, float]) -> np.ndarray:
    law, tol, perturbation = key
    prediction = lth.bounds.get("all-targets-covering")
    return 1 - np.array([prediction.failure(n, tol, perturbation, law=LAWS[law]) for n in range(1, MOST + 1)])


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """Failures against the predicted probability times 1 -+ SLACK (exact tests), and the n of a given failure probability."""
    tests, near, worst = [], [], 0.0
    for key, (share, total) in _curves(rows).items():
        failing = 1 - _predicted(key)
        for n in range(LEAST, MOST + 1):
            p = failing[n - 1]
            if LOW <= p <= HIGH:
                count = round(total * (1 - share[n - 1]))
                tests.append(binomial_p_value(count, total, min(1.0, p * (1 + SLACK))))
                tests.append(binomial_p_value(count, total, p * (1 - SLACK), alternative="less"))
                worst = max(worst, abs(count / total / p - 1))
        missed = [round(total * (1 - served)) for served in share]
        for delta in (0.1, 0.01):
            n = int((failing > delta).sum()) + 1  # predicted; the truth lies from n - 1 to n + 1
            near.append(binomial_p_value(missed[n], total, delta))
            near.append(binomial_p_value(missed[n - 3], total, delta, alternative="less"))
    return [
        Expectation(
            f"failure probabilities from {LOW} to {HIGH} are predicted within {SLACK:.0%} for n >= {LEAST}",
            Verdict.REFUTED if min(tests) < ALPHA / len(tests) else Verdict.CONSISTENT,
            f"farthest ratio 1 +- {worst:.2f} (with sampling noise); smallest of {len(tests)} p-values {min(tests):.2g}",
            ALPHA,
        ),
        Expectation(
            "the candidates needed at failure 0.1 and 0.01 are predicted within one",
            Verdict.REFUTED if min(near) < ALPHA / len(near) else Verdict.CONSISTENT,
            f"smallest of {len(near)} p-values {min(near):.2g}",
            ALPHA,
        ),
    ]


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """Measured curves with their bands, and the predicted ones."""
    panels: dict[str, list[Curve]] = {}
    settings = sorted({key[1:] for key in _curves(rows)})
    for key, (share, total) in _curves(rows).items():
        law, tol, perturbation = key
        colour = settings.index((tol, perturbation))
        shown = [n for n in range(1, MOST + 1) if 4 <= n <= 24]
        band = dkw_band(total, alpha=ALPHA)
        y = share[3:24]
        label = f"tol {tol:g}, perturbation {perturbation:g}"
        panels.setdefault(law, []).extend(
            [
                Curve(label, shown, list(y), list(np.maximum(y - band, 0)), list(np.minimum(y + band, 1)), "o", colour),
                Curve("" if colour else "predicted", shown, list(_predicted(key)[3:24]), style="-", colour=colour),
            ]
        )
    curves_figure(
        panels, file, title="P(every target of [-1/2, 1/2] is served), with 99.9 % bands", x="candidates n", y="probability"
    )  # fmt: skip


def _cells(settings: Sequence[tuple[float, float]], samples: int) -> list[dict[str, Any]]:
    return [{"law": law, "tol": t, "perturbation": p, "samples": samples} for law in LAWS for t, p in settings]


EXPERIMENT = Experiment(
    id="success-probability",
    claim="P(every target is served) at finite n follows the covering law 1 - E exp(-expected gaps), with no fitted constant.",
    source="strong_lth, prediction all-targets-covering",
    grid=_cells(((0.02, 0.0), (0.01, 0.01), (0.001, 0.0)), 250),
    smoke=_cells(((0.02, 0.0),), 100),
    trials=16,
    seed=1,
    trial=trial,
    expect=expect,
    figure=figure,
    shard_trials=4,
    cost="40 s",
)
