"""Trained tickets on the bundled digits: accuracy against density for every method, with cost, signs and barriers.

Question: at equal density, prunable set, final recipe and seeds, what do the ways of finding a ticket buy over a random mask, and at which cost?

    python simulations/tickets_digits.py --record simulations/records/tickets_digits.json [--seeds 8] [--epochs 12] [--store FOLDER]

Model mlp-bn (64-64-64-10, 8,192 prunable weights), 1,299 training images, accuracy on the 355 test images after the last epoch. ``claims`` are paired tests over the seeds (Student's t,
two-sided 95 % interval); fewer than 8 seeds give INCONCLUSIVE. They are 11 comparisons at 3 densities without correction for their number: of 33 true nulls one or two would get a verdict by chance, so a single one near the edge of its
interval is a hint, not a finding. The negative control compares two random masks drawn alike: it must not be CONSISTENT or REFUTED more often than 1 time in 20; three of it are too few to see more than a gross fault.
``mechanism``: at the middle density, how many learned signs differ from the initial ones, how stable a ticket is to the order of the data, whether two networks that received the same signs
at different inits meet without a barrier, and the height of the path from trained to initial normalisation.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

import strong_lth.tickets as T
from strong_lth import plotting
from strong_lth.core import run_record
from strong_lth.networks.files import replacing, write_text
from strong_lth.tickets.diagnostics import paths, weights
from strong_lth.tickets.states import masked
from strong_lth.tickets.summary import better, mean_interval, summarise

DENSITIES = (0.1, 0.02, 0.01)


@dataclass(frozen=True)
class Again:
    """A second random mask for the negative control: the same method at another seed of its track."""

    shift: int = 1000
    reference = False
    together = True
    name = "random (again)"

    def track(self, task: T.TaskView, densities: Sequence[float], seeds: T.Seeds) -> Any:
        """The levels of ``RandomMask`` with another mask."""
        return T.RandomMask().track(task, densities, replace(seeds, track=seeds.track + self.shift))

    def ticket(self, level: T.Level, task: T.TaskView, seeds: T.Seeds) -> T.Ticket:
        """As ``RandomMask``."""
        return T.RandomMask().ticket(level, task, seeds)


def methods(task: T.Task) -> list[Any]:
    """All methods at the proportions of the task, and the controls."""
    view = T.view(task)
    aws, rst = T.AWS.scaled(view), T.RST.scaled(view)
    return [
        T.Dense(),
        T.RandomMask(),
        Again(),
        T.OneShotMagnitude(),
        T.IMP(),
        T.LRR(),
        aws,
        T.SignTransfer(aws),
        T.SignTransfer(aws, signs="random"),
        T.SignTransfer(aws, normalisation="trained"),
        T.MaskTransfer(aws),
        T.SignTransfer(T.LRR()),
        T.MaskTransfer(T.LRR()),
        rst,
        replace(rst, penalty=False),
        T.UniLTH.scaled(view),
        T.UniDLTH.scaled(view),
        T.StableRewinding.scaled(view),
    ]


CLAIMS = (
    ("IMP", "random (uniform)"),
    ("LRR", "IMP"),
    ("signs of AWS", "mask of AWS"),
    ("mask of AWS", "random (uniform)"),
    ("signs of AWS", "signs of AWS (random signs)"),
    ("signs of LRR", "mask of LRR"),
    ("RST", "RST without penalty"),
    ("RST", "random (uniform)"),
    ("UniLTH (our reading)", "one-shot"),
    ("stable rewinding", "IMP"),
    ("random (uniform)", "random (again)"),
)


def claims(rows: list[dict[str, Any]], densities: Sequence[float]) -> list[dict[str, Any]]:
    """Paired verdicts on "first is more accurate than second" at every density."""
    made = []
    for first, second in CLAIMS:
        for density in densities:
            found = better(rows, first, second, density)
            made.append(
                {"first": first, "second": second, "density": density, **asdict(found), "verdict": found.verdict.name}
            )
    return made


def mechanism(task: T.Task, density: float, seed: int, store: Any, points: int) -> dict[str, float]:
    """Signs and barriers at one density."""
    view, seeds, numbers = T.view(task), T.Seeds.of(seed), {"seed": float(seed)}
    aws = T.AWS.scaled(view)
    for method in (T.IMP(), T.LRR(), aws):
        level, ticket = list(T.levels(method, task, (density,), seed, store=store))[-1]
        start = view.fresh(seeds.init)
        numbers[f"signs flipped since init, {method.name}"] = (
            1 - weights.sign_agreement(level.end, start, level.mask)["all"]
        )
        numbers[f"barrier of the normalisation, {method.name}"] = paths.normalisation_path(
            task, level.end, level.mask, points=points, part="train"
        ).barrier
        if method.name == "IMP":
            numbers["instability, IMP"] = paths.instability(
                task, ticket, (10**6 + seed, 10**7 + seed), points=points, part="train"
            ).barrier
    control = T.find(T.RandomMask(), task, density, seed, store=store)
    numbers["instability, random mask"] = paths.instability(
        task, control, (10**6 + seed, 10**7 + seed), points=points, part="train"
    ).barrier
    for kind in (T.SignTransfer, T.MaskTransfer):
        ends = []
        for init in (seeds.init, seeds.init + 10**6):
            ticket = T.find(kind(aws), task, density, replace(seeds, init=init), store=store)
            ends.append(masked(T.evaluate(ticket, task, seeds.order, store=store).state, ticket.mask))
        numbers[f"barrier of two inits, {kind(aws).name}"] = paths.path(
            task, *ends, points=points, part="train"
        ).barrier
    return numbers


def run(seeds: int, epochs: int, densities: Sequence[float], store: Any, points: int = 30) -> dict[str, Any]:
    """Everything that the record holds, except its provenance."""
    task = T.Task(data="digits", model="mlp-bn", recipe=T.Recipe(epochs=epochs))
    rows = T.compare(methods(task), task, densities, range(seeds), store=store)
    middle = sorted(densities)[len(densities) // 2]
    measured = [mechanism(task, middle, seed, store, points) for seed in range(seeds)]
    means = {key: mean_interval([numbers[key] for numbers in measured]) for key in measured[0] if key != "seed"}
    spread = {
        key: {"mean": m, "low": None if low != low else low, "high": None if high != high else high}
        for key, (m, low, high) in means.items()
    }
    return {
        "summary": summarise(rows),
        "claims": claims(rows, densities),
        "mechanism": {"density": middle, "numbers": spread},
        "rows": rows,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run, write the record and its figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--points", type=int, default=11)
    parser.add_argument("--densities", type=float, nargs="+", default=list(DENSITIES))
    parser.add_argument("--store", type=Path)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    if arguments.store is not None:
        arguments.store.mkdir(parents=True, exist_ok=True)
    store = T.MemoryStore() if arguments.store is None else T.FolderStore(arguments.store)
    began = time.perf_counter()
    found = run(arguments.seeds, arguments.epochs, arguments.densities, store, arguments.points)
    command = f"python simulations/tickets_digits.py --seeds {arguments.seeds} --epochs {arguments.epochs}"
    found["record"] = asdict(run_record(command, time.perf_counter() - began, data="the bundled UCI digits", threads=1))
    write_text(arguments.record, json.dumps(found, indent=1) + "\n")
    with replacing(arguments.record.with_suffix(".png")) as handle:
        plotting.tickets_figure(found["summary"], handle)
    return 0


if __name__ == "__main__":
    sys.exit(main())
