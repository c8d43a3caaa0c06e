"""The main job: train a small classifier on real digits, prune random networks into it, certify the result.

``run`` makes one row per (tol, perturbation): the width that the target needs, the predicted and the proved one, the pruned network with its exact gadget proofs,
its certificate, and the test accuracy of target and ticket; beside them a strong ticket found by score search; then, as a block of their own, trained tickets of another network at one density. ``write`` puts table, figures, ticket and certificate into a folder.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from strong_lth import datasets
from strong_lth.core import Box, Floats, InputError, run_record
from strong_lth.distributions import BalancedSigns, Uniform
from strong_lth.networks import ErrorBound, Network, Subnetwork, approximate, certify, write_certificate
from strong_lth.networks.construction import Plan, plan
from strong_lth.networks.files import replacing, write_text
from strong_lth.networks.widths import needed_widths, predicted_width, proved_width
from strong_lth.streams import check_seed
from strong_lth.tickets.showcase import searched, showcase
from strong_lth.tickets.summary import summarise

DOMAIN = Box(0, 1)
LAW, FIRST = Uniform(-1, 1), BalancedSigns()
TOLS = (1.0, 0.1, 0.01)
PERTURBATIONS = (0.0, 1e-4, 1e-2)
CURVE = (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
DELTA = 0.01
SOURCES = 5
MEMORY = 2 * 2**30

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Candidates:
    """Candidates per weight and sign half at one (tol, perturbation): needed (median and range over seeds), predicted, proved."""

    tol: float
    perturbation: float
    needed: int
    needed_low: int
    needed_high: int
    predicted: int
    proved: int


@dataclass(frozen=True)
class Row:
    """One line of the table. Errors are sup over [0, 1]^64 of the largest logit error; accuracies on the test images."""

    candidates: Candidates
    width: int
    source_parameters: int
    kept: int
    density: float
    unserved: int
    a_priori: float
    certified: float
    found: float
    method: str
    verified: bool
    target_accuracy: float
    ticket_accuracy: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Result:
    """All rows, the curve of the first figure, the strictest ticket (smallest tol and perturbation) with its certificate, strong tickets found by search, and trained tickets."""

    target: Network
    rows: tuple[Row, ...]
    curve: tuple[Candidates, ...]
    strictest: Subnetwork
    strictest_error: ErrorBound
    searched: tuple[dict[str, Any], ...]
    trained: tuple[dict[str, Any], ...]
    seconds: float


def train(images: Floats, labels: np.ndarray, *, hidden: int = 32, epochs: int = 120, seed: int = 0) -> nn.Sequential:
    """A ReLU classifier d-hidden-10 trained by Adam with a cosine schedule, batch 128, weight decay 1e-3, in double precision; seconds on one core."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(images.shape[1], hidden), nn.ReLU(), nn.Linear(hidden, 10)).double()
    x, y = torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for batch in torch.randperm(len(x), generator=generator).split(128):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
        schedule.step()
    return model


def accuracy(module: nn.Module, images: Floats, labels: np.ndarray) -> float:
    """Fraction of images whose largest output is the label."""
    with torch.no_grad():
        return float((module(torch.from_numpy(images)).argmax(dim=1).numpy() == labels).mean())


def run(*, seed: int = 0, sources: int = SOURCES, progress: Progress | None = None) -> Result:
    """Do everything except writing files. ``seed``: of the training and of the pruned source, the first of ``sources`` compared ones."""
    check_seed(seed)
    started = time.perf_counter()
    seeds = range(seed, seed + sources)
    tell = progress or (lambda *_: None)
    data = datasets.load("digits")
    images, labels = datasets.inputs(data, "test"), data.test_labels
    tell("training the target", 0, 1)
    module = train(datasets.inputs(data, "train"), data.train_labels, seed=seed)
    target, target_accuracy = Network.from_torch(module), accuracy(module, images, labels)
    tell("training the target", 1, 1)
    settings = [(tol, perturbation) for tol in TOLS for perturbation in PERTURBATIONS]
    rows: list[Row] = []
    best: tuple[Subnetwork, ErrorBound] | None = None
    for done, (tol, perturbation) in enumerate(settings):
        tell("pruning random networks", done, len(settings))
        row, strong, error = _row(target, module, images, labels, tol, perturbation, seeds, target_accuracy)
        rows.append(row)
        if (tol, perturbation) == (min(TOLS), min(PERTURBATIONS)):
            best = (strong, error)
    tell("pruning random networks", len(settings), len(settings))
    curve = []
    for done, perturbation in enumerate(CURVE):
        tell("candidates against perturbation", done, len(CURVE))
        curve.append(candidates(target, TOLS[-1], perturbation, seeds))
    tell("candidates against perturbation", len(CURVE), len(CURVE))
    tell("score search", 0, 1)
    found = tuple(searched())
    tell("score search", 1, 1)
    tell("trained tickets", 0, 1)
    trained = tuple(showcase())
    tell("trained tickets", 1, 1)
    assert best is not None
    return Result(target, tuple(rows), tuple(curve), *best, found, trained, time.perf_counter() - started)


def candidates(target: Network, tol: float, perturbation: float, seeds: Sequence[int]) -> Candidates:
    """The three numbers of one event: needed by this target, predicted for it, proved for it with probability 1 - DELTA over the source."""
    planned = plan(target, DOMAIN, tol, LAW)
    needed = [max(_needed(planned, perturbation, seed)) for seed in seeds]
    tolerances = planned.allotment.weight_tol
    predicted = predicted_width(planned.scaled, planned.halves, tolerances, perturbation, law=LAW, first=FIRST)
    proved = [
        proved_width(value, perturbation, DELTA, blocks=sum(planned.counts), law=LAW, first=FIRST, reach=0.5)
        for value in tolerances
    ]
    return Candidates(
        tol,
        perturbation,
        int(np.median(needed)),
        min(needed),
        max(needed),
        predicted,
        max(n for n in proved if n is not None),
    )


def _needed(planned: Plan, perturbation: float, seed: int) -> list[int]:
    return needed_widths(
        planned.scaled,
        planned.halves,
        planned.allotment.weight_tol,
        perturbation,
        domain=DOMAIN,
        law=LAW,
        first=FIRST,
        seed=seed,
        memory=MEMORY,
    )


def _row(
    target: Network,
    module: nn.Module,
    images: Floats,
    labels: np.ndarray,
    tol: float,
    perturbation: float,
    seeds: Sequence[int],
    target_accuracy: float,
) -> tuple[Row, Subnetwork, ErrorBound]:
    started = time.perf_counter()
    numbers = candidates(target, tol, perturbation, seeds)
    strong = approximate(
        target,
        domain=DOMAIN,
        tol=tol,
        law=LAW,
        first=FIRST,
        perturbation=perturbation,
        width="smallest",
        seed=seeds[0],
        memory=MEMORY,
    )
    error = certify(target, strong, domain=DOMAIN, points=images[:64])
    row = Row(
        candidates=numbers,
        width=max(strong.source.widths),
        source_parameters=strong.source.parameters,
        kept=strong.kept,
        density=strong.density,
        unserved=len(strong.unserved),
        a_priori=error.a_priori,
        certified=error.certified,
        found=error.found,
        method=error.method,
        verified=error.certificate.ok,
        target_accuracy=target_accuracy,
        ticket_accuracy=accuracy(strong.to_torch(), images, labels),
        seconds=time.perf_counter() - started,
    )
    return row, strong, error


def prepare(out: Path) -> None:
    """Make the output folder before the work starts; InputError if it cannot be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise InputError("out", out, f"name a folder that can be written ({error.strerror})") from None


def write(result: Result, out: Path) -> list[Path]:
    """Write figures, ticket, certificate, target and the table as JSON; returns the paths. Every file is complete or absent."""
    from strong_lth import plotting

    prepare(out)
    paths = [
        out / name
        for name in (
            "candidates.png",
            "errors.png",
            "tickets.png",
            "target.npz",
            "ticket.safetensors",
            "certificate.json",
            "table.json",
        )
    ]
    record = run_record("strong-lth demo", result.seconds, data="the bundled UCI digits")
    table: dict[str, Any] = {
        "rows": [asdict(row) for row in result.rows],
        "curve": [asdict(c) for c in result.curve],
        "searched": list(result.searched),
        "trained": list(result.trained),
        "record": asdict(record),
    }
    note = f"strong-lth demo, commit {record.commit}, {SOURCES} random networks, bundled UCI digits"
    with replacing(paths[0]) as handle:
        plotting.candidates_figure(table["curve"], handle, note=note)
    with replacing(paths[1]) as handle:
        plotting.errors_figure(table["rows"], handle, note=note)
    with replacing(paths[2]) as handle:
        constructed = [row for row in table["rows"] if row["candidates"]["perturbation"] == 0]
        plotting.showcase_figure(constructed, summarise(result.searched), summarise(result.trained), handle, note=note)
    result.target.save(paths[3])
    result.strictest.save(paths[4])
    write_certificate(result.target, result.strictest, result.strictest_error, paths[5])
    write_text(paths[6], json.dumps(table, indent=1, sort_keys=True))
    return paths
