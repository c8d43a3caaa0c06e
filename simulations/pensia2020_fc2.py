"""Experiment 1 of Pensia et al. 2020, exactly, and the construction its theorem is about.

Claim (public repository of the authors): a 784-500-10 MNIST network of 397,000 weights is approximated within 0.01 per weight by subsets of 21 random candidates,
keeping 3,725,871 of 8,337,000, in 77,266 s on 36 cores with a commercial mixed-integer solver.

    python simulations/pensia2020_fc2.py TARGET.npz [--data-dir DIR] [--record FILE] [--only published|construction]

*Published setting*: one vector of 21 candidates per output row, uniform over the range of the trained weights, no gadget, no network; each weight takes its nearest subset,
or the fewest candidates within 0.01. *Construction*: one random network of depth 4 is pruned so that the logits on all of [0, 1]^784 stay within --tol.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import strong_lth as lth
from strong_lth.core import run_record
from strong_lth.streams import trial_generator

CANDIDATES, WEIGHT_TOL = 21, 0.01
DOMAIN = lth.Box(0, 1)


def published(target: lth.Network, objective: str, seed: int) -> tuple[lth.Network, dict[str, Any]]:
    """The authors' setting: 21 candidates per output row, shared by the weights of the row."""
    started = time.perf_counter()
    low = min(float(layer.weight.min()) for layer in target.dense)
    high = max(float(layer.weight.max()) for layer in target.dense)
    law = lth.Uniform(low, high)
    weights, kept, missed, worst, total = [], 0, 0, 0.0, 0.0
    row = 0
    for layer in target.dense:
        approximation = np.empty_like(layer.weight)
        for index, wanted in enumerate(layer.weight):
            candidates = law.sample(trial_generator(seed, row), CANDIDATES)
            row += 1
            found = lth.solve_batch(candidates, wanted, tol=WEIGHT_TOL, objective=objective)
            approximation[index] = found.keep @ candidates
            kept += int(found.keep.sum())
            missed += int(np.count_nonzero(~found.solved))
            worst = max(worst, float(found.errors.max()))
            total += float(found.errors.sum())
        weights.append(approximation)
    seconds = time.perf_counter() - started
    numbers = {
        "setting": "published: 21 candidates shared per output row",
        "objective": objective,
        "weight_tol": WEIGHT_TOL,
        "initial": target.parameters * CANDIDATES,
        "kept": kept,
        "kept_per_weight": kept / target.parameters,
        "missed": missed,
        "mean_residual": total / target.parameters,
        "largest_residual": worst,
        "seconds": round(seconds, 2),
    }
    return lth.Network.from_arrays(weights), numbers


def construction(target: lth.Network, objective: str, tol: float, seed: int) -> tuple[lth.Subnetwork, dict[str, Any]]:
    """The construction of the theorem: one materialised random network of depth 2L, pruned."""
    started = time.perf_counter()
    strong = lth.approximate(
        target, domain=DOMAIN, tol=tol, width="smallest", objective=objective, seed=seed, progress=_progress
    )
    seconds = time.perf_counter() - started
    numbers = {
        "setting": f"construction: tol {tol:g} on the logits over [0, 1]^784",
        "objective": objective,
        "weight_tol": list(strong.weight_tol),
        "widths": list(strong.source.widths),
        "initial": strong.source.parameters,
        "kept": strong.kept,
        "kept_per_weight": strong.kept_even / target.parameters,
        "missed": len(strong.unserved),
        "a_priori": strong.a_priori,
        "seconds": round(seconds, 2),
    }
    return strong, numbers


def measured(target: lth.Network, ticket: lth.Network | lth.Subnetwork, data: Any) -> dict[str, Any]:
    """Certified and found logit error over [0, 1]^784 and, where MNIST is present, the accuracy of target and ticket."""
    started = time.perf_counter()
    points = None if data is None else data.test_images[:32].reshape(32, -1) / 255.0
    error = lth.certify(target, ticket, domain=DOMAIN, points=points)
    numbers: dict[str, Any] = {
        "certified": error.certified,
        "method": error.method,
        "found": error.found,
        "certify_seconds": round(time.perf_counter() - started, 2),
    }
    if isinstance(ticket, lth.Subnetwork):
        numbers["gadgets_verified"] = error.certificate.ok
    if data is not None:
        images = data.test_images.reshape(len(data.test_images), -1) / 255.0
        numbers["target_accuracy"] = float((target(images).argmax(axis=1) == data.test_labels).mean())
        numbers["ticket_accuracy"] = _ticket_accuracy(ticket, images, data.test_labels)
    return numbers


def _ticket_accuracy(ticket: lth.Network | lth.Subnetwork, images: np.ndarray, labels: np.ndarray) -> float:
    if isinstance(ticket, lth.Network):
        return float((ticket(images).argmax(axis=1) == labels).mean())
    import torch

    module = ticket.to_torch()
    with torch.no_grad():
        guesses = [module(batch).argmax(dim=1).numpy() for batch in torch.from_numpy(images).split(500)]
    return float((np.concatenate(guesses) == labels).mean())


def _progress(stage: str, done: int, total: int) -> None:
    print(f"\r{stage}: {done} of {total}   ", end="" if done < total else "\n", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", type=Path, help="pensia2020_fc2.npz: arrays W1 (500, 784) and W2 (10, 500)")
    parser.add_argument("--data-dir", help="folder with the MNIST files (default: STRONG_LTH_DATA)")
    parser.add_argument("--tol", type=float, default=1.0, help="logit tolerance of the construction")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("published", "construction"))
    parser.add_argument("--record", type=Path, help="write all rows and their provenance as JSON")
    options = parser.parse_args()
    started = time.perf_counter()
    target = lth.Network.load(options.target)
    try:
        data = lth.datasets.load("mnist", data_dir=options.data_dir)
    except (FileNotFoundError, lth.InputError) as problem:
        print(f"accuracies are left out: {problem}", file=sys.stderr)
        data = None
    rows = []
    for objective in ("nearest", "fewest"):
        if options.only != "construction":
            network, numbers = published(target, objective, options.seed)
            rows.append(numbers | measured(target, network, data))
            print(json.dumps(rows[-1], indent=1))
    if options.only != "published":
        strong, numbers = construction(target, "fewest", options.tol, options.seed)
        rows.append(numbers | measured(target, strong, data))
        print(json.dumps(rows[-1], indent=1))
    if options.record is not None:
        status = None if data is None else data.status
        record = run_record(
            "simulations/pensia2020_fc2.py", time.perf_counter() - started, seed=options.seed, mnist=status,
            published={"kept": 3_725_871, "initial": 8_337_000, "seconds": 77_266.02, "cores": 36, "source": "acnagle/optimal-lottery-tickets, README"},
        )  # fmt: skip
        options.record.write_text(json.dumps({"rows": rows, "record": asdict(record)}, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
