"""Is it the perturbation, or the longer training? Claim A of ``xiong2023_tables.py`` at equal epochs.

There (and in Xiong et al. 2023) the arm "projected SGD, then edge-popup" spends the epochs of the projected SGD on top of those of the search that it is compared with. Here edge-popup alone gets as many epochs as both together:
``moved`` is 8 epochs of projected SGD and 3 of edge-popup, ``long`` 11 of edge-popup on the weights as drawn, ``short`` 3. Networks, data, learning rates, sparsities and the choice on the validation split are those of
``xiong2023_tables.py``; the seeds are new, so ``moved`` against ``short`` is also a repetition of claim A.

Rule, written down before the first run; exact one-sided sign-flip tests over 8 paired seeds, per data set. "Equal epochs": at some eps, ``moved`` is more accurate than ``long``, at .05 / 2 for the two eps; REFUTED if no eps
passes and the reverse passes at one. "Longer": ``long`` is more accurate than ``short``, at .05. INCONCLUSIVE otherwise.

What came out (committed record; numbers on the page): the reverse. For every seed, on both data sets and at both eps, the same epochs spent on the search itself give a better ticket than those spent on projected SGD, which
adds up to two points where the longer search adds three to six. So claim A of ``xiong2023_tables.py`` is a gain over a shorter training, at this budget; the published one is 100 and 50 epochs.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

import strong_lth.tickets as T
from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment
from strong_lth.experiment.describe import code_digest, load_module
from strong_lth.plotting import Curve, curves_figure
from strong_lth.tickets.summary import mean_interval

TABLES = load_module(Path(__file__).with_name("xiong2023_tables.py"))
SIZES = (0.05, 0.2)
SPARSITIES = (0.2, 0.5, 0.8)
ARMS = {
    "short": "edge-popup alone, {popup} epochs",
    "long": "edge-popup alone, {both} epochs",
    **{f"moved {eps:g}": f"{{sgd}} epochs of projected SGD at eps {eps:g}, then {{popup}}" for eps in SIZES},
}


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """One initial network: test accuracy and sparsity of the best ticket of every arm."""
    torch.set_num_threads(1)
    data = TABLES.part(cell["data"], cell["images"])
    model = functools.partial(TABLES.network, data.train_images.shape[-1], cell["hidden"])
    weights = tuple(name for name, _ in model().named_parameters())
    descent = T.Recipe(
        epochs=cell["sgd_epochs"], lr=0.03, batch=100, momentum=0.0, weight_decay=0.0, schedule="constant"
    )
    task = T.Task(data=data, model=model, name="four-layer", prunable=weights, recipe=descent)
    popup = replace(descent, epochs=cell["popup_epochs"], lr=0.1, momentum=0.9, schedule="cosine")
    short = T.EdgePopup(recipe=popup)
    long = T.EdgePopup(recipe=replace(popup, epochs=cell["popup_epochs"] + cell["sgd_epochs"]))
    arms = {"short": short, "long": long}
    arms |= {f"moved {eps:g}": T.Perturbed(T.ProjectedSGD(eps), short) for eps in SIZES}  # type: ignore[misc]
    seed, store = T.Seeds.of(int(rng.integers(2**40))), T.MemoryStore()
    found: dict[str, Any] = {"data_status": data.status}
    for arm, method in arms.items():
        outcomes = []
        for level, ticket in T.levels(method, task, [1 - sparsity for sparsity in SPARSITIES], seed, store=store):
            outcome = T.evaluate(ticket, task, seed.order)
            outcomes.append((outcome.validation_accuracy, outcome.accuracy, 1 - level.density))
        best = max(outcomes)
        found |= {arm: best[1], f"{arm} sparsity": round(best[2], 4)}
    return found


def _groups(rows: Sequence[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for row in rows:
        groups.setdefault(row["data"], []).append(row)
    return groups


def _column(rows: Sequence[Any], arm: str) -> list[float]:
    return [row[arm] for row in rows]


FORESEEN = dict.fromkeys(("mnist", "fashion-mnist"), Verdict.REFUTED)  # of the recorded rows


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """Both statements on each data set, by the rule of this file."""
    made = []
    for data, mine in _groups(rows).items():
        pairs = {eps: (_column(mine, f"moved {eps:g}"), _column(mine, "long")) for eps in SIZES}
        made.append(
            TABLES.claim(
                f"{data}: projected SGD, then edge-popup, beats edge-popup alone of as many epochs",
                pairs,
                FORESEEN.get(data, Verdict.CONSISTENT),
            )
        )
        verdict, difference, p = TABLES.compared(_column(mine, "long"), _column(mine, "short"), 1)
        made.append(
            Expectation(
                f"{data}: edge-popup alone gains from those epochs",
                verdict,
                f"{difference:+.3f}, p {p:.2g}; {len(mine)} paired seeds",
                TABLES.ALPHA,
            )
        )
    return made


def _label(arm: str, row: Any) -> str:
    sgd, popup = row["sgd_epochs"], row["popup_epochs"]
    return ARMS[arm].format(sgd=sgd, popup=popup, both=sgd + popup)


def table(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Mean accuracy with its 95 % interval and mean sparsity, per arm and data set."""
    lines = []
    for arm in ARMS:
        line: dict[str, Any] = {"arm": _label(arm, rows[0])}
        for data, mine in _groups(rows).items():
            mean, low, high = mean_interval(_column(mine, arm))
            line[data] = f"{mean:.3f}" + ("" if np.isnan(low) else f" ({low:.3f} to {high:.3f})")
            line[f"{data}: sparsity, mean"] = f"{np.mean(_column(mine, f'{arm} sparsity')):.2f}"
        lines.append(line)
    return lines


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """Paired gain over the short search, against the epochs of edge-popup alone and against eps."""
    panels = {}
    for data, mine in _groups(rows).items():
        base = np.array(_column(mine, "short"))
        ends = {arm: mean_interval(list(np.array(_column(mine, arm)) - base)) for arm in ARMS if arm != "short"}
        y = {arm: mean for arm, (mean, _, _) in ends.items()}
        low, high = ({a: y[a] if np.isnan(e[side]) else e[side] for a, e in ends.items()} for side in (1, 2))
        moved = [f"moved {eps:g}" for eps in SIZES]
        left, right = SIZES[0] / 1.3, SIZES[-1] * 1.3
        panels[f"{data}: {_label('short', mine[0])} has {base.mean():.3f}"] = [
            Curve("", [left, right], [0.0, 0.0], style="-", colour=5),
            Curve(
                _label("long", mine[0]),
                [left, right],
                [y["long"]] * 2,
                [low["long"]] * 2,
                [high["long"]] * 2,
                "s--",
                1,
            ),
            Curve(
                "projected SGD in a box, then edge-popup",
                list(SIZES),
                [y[arm] for arm in moved],
                [low[arm] for arm in moved],
                [high[arm] for arm in moved],
                colour=0,
            ),
        ]
    curves_figure(
        panels,
        file,
        title=f"What equal epochs add to the best ticket ({len(mine)} paired seeds, 95 % intervals)",
        x="eps",
        y="gain in test accuracy",
        log="x",
        ticks=SIZES,
    )


_CELL = {
    "images": 10_000,
    "hidden": 64,
    "sgd_epochs": 8,
    "popup_epochs": 3,
    "code": code_digest(TABLES.network)[:8] + code_digest(TABLES.part.__wrapped__)[:8],
}

EXPERIMENT = Experiment(
    id="xiong2023-equal-epochs",
    claim="Projected SGD in a box, then edge-popup, makes better tickets than edge-popup alone that trains as many epochs.",
    source="control of claim A of xiong2023-tables; Xiong, Liao and Kyrillidis, AISTATS 2023 (arXiv 2210.16589), Section 6.2, Table 1",
    grid=[_CELL | {"data": "mnist"}, _CELL | {"data": "fashion-mnist"}],
    smoke=[_CELL | {"data": "digits", "images": 1000, "hidden": 32, "sgd_epochs": 1, "popup_epochs": 1}],
    trials=8,
    seed=1,
    trial=trial,
    expect=expect,
    table=table,
    figure=figure,
    cost="5 min",
)
