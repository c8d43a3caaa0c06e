"""Rates of the subset-sum engines per CPU-second and core, beside what was asked of them, the processor's limit, and other people's tools.

Usage: python benchmarks/subset_sum.py [--record] [--quick] [--device cuda]

What the processor allows is measured in the same run (``subset_sum_limits.py``): list steps, vector sums, bit tests, bytes copied. Rows without such a count
have no limit. Rates are the best of three runs; other load on the machine lowers rates and limits alike, so the ratios are what to compare.

``--device cuda`` runs batches and hitting times on a GPU, against the CPU in the same run, and refuses where there is none. No record of it is committed.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from subset_sum_limits import Limits, cpu, union_lengths
from subset_sum_rivals import by_knapsack, by_milp, one_problem

from strong_lth.core import InputError, run_record
from strong_lth.distributions import Uniform
from strong_lth.subsetsum import (
    SubsetSumProblem,
    covering_radius,
    covers,
    hitting_times,
    needed_candidates,
    solve,
    solve_batch,
    solve_vectors,
)
from strong_lth.subsetsum.solve import solve_by_numpy

GRID = 2.0**-40
RECORDS = Path(__file__).parent / "records"

# Problems per CPU-second and core that the project asks for; for single problems, 1 / seconds.
FLOORS = {
    "nearest, n = 12": 1.0e6,
    "nearest, n = 16": 260e3,
    "nearest, n = 20": 65e3,
    "nearest, n = 24": 16e3,
    "any within 0.001, n = 24": 0.85e6,
    "one problem, n = 40": 1 / 17e-3,
    "one problem, n = 50": 1 / 0.4,
    "one problem, n = 60": 1 / 12.0,
    "one problem, n = 40, perturbation 1e-4": 1 / 0.25e-3,
    "covering radius, n = 24": 1 / 30e-3,
    "covering radius, n = 26": 1 / 80e-3,
    "hitting times, tol 0.01": 287e3,
    "hitting times, tol 0.001": 24e3,
    "hitting times, tol 0.0001": 2.1e3,
}


class Table:
    """Rows as they are measured: printed at once, kept for the record."""

    def __init__(self) -> None:
        self.rates: dict[str, float] = {}
        self.limits: dict[str, float] = {}

    def row(self, name: str, count: int, task: Callable[[], Any], limit: float = 0.0, repeats: int = 3) -> float:
        """Measure ``count`` problems; ``limit`` in seconds per problem. Returns CPU seconds per problem."""
        task()  # compile
        return self.note(name, cpu(task, repeats) / count, limit)

    def note(self, name: str, seconds: float, limit: float = 0.0) -> float:
        """Print and keep what was measured: CPU seconds per problem."""
        self.rates[name] = float(f"{1 / seconds:.4g}")
        text = f"{name:46s} {1 / seconds:12,.4g} /s"
        if name in FLOORS:
            text += f"   {1 / seconds / FLOORS[name]:6.2f} x asked"
        if limit:
            self.limits[name] = round(limit / seconds, 3)
            text += f"   {limit / seconds:4.0%} of the limit"
        print(text, flush=True)
        return seconds


def draw(rng: np.random.Generator, count: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Candidates on a grid of 2^-40 and targets of the same grid."""
    return rng.integers(-(2**40), 2**40, (count, n)) * GRID, rng.integers(-(2**39), 2**39, count) * GRID


def measure(table: Table, quick: bool) -> dict[str, Any]:
    """All rows; returns the ratios against other tools, and the step times."""
    rng, few, limits = np.random.default_rng(1), 10 if quick else 1, Limits()
    print(
        f"one list step {limits.step * 1e9:.2f} ns, one sum among all {limits.sum * 1e9:.3f} ns, one bit test {limits.bit * 1e9:.2f} ns"
    )
    seconds = {}
    for n, count in ((10, 80_000), (12, 80_000), (16, 40_000), (20, 8_000), (24, 2_000), (30, 200)):
        x, z = draw(rng, count // few, n)
        seconds[n] = table.row(
            f"nearest, n = {n}", len(z), lambda x=x, z=z: solve_batch(x, z, workers=1), limits.nearest(n)
        )
    x, z = draw(rng, 80_000 // few, 24)
    for tol in (1e-2, 1e-3):
        task = lambda tol=tol: solve_batch(x, z, tol=tol, objective="any", workers=1)  # noqa: E731
        limit = limits.prefixes(np.abs(needed_candidates(x[:2000], z[:2000], tol=tol)))
        table.row(f"any within {tol:g}, n = 24", len(z), task, limit)
    memory = {}
    for n in (40, 50, 60)[: 1 if quick else 3]:
        best = one_problem(n, {40: 20, 50: 3, 60: 1}[n])
        memory[f"n = {n}"] = best
        table.note(f"one problem, n = {n}", best["cpu_s"], limits.nearest(n) if n < 47 else limits.windows(n))
        print(
            f"    {best['peak_mib']} MiB above the {best['process_mib']} MiB of the process, {best['wall_s']} s of wall clock"
        )
    x = rng.uniform(-1, 1, (100, 40))
    problems = [SubsetSumProblem(row, 0.3, perturbation=1e-4) for row in x]
    steps = [
        limits.intervals(union_lengths(part, 0.0, 1e-4, None, 0.0))
        for row, m in zip(
            x[:10], needed_candidates(x[:10], np.full(10, 0.3), tol=1e-15, perturbation=1e-4), strict=True
        )
        for part in (row[:m:2], row[1:m:2])
    ]
    table.row("one problem, n = 40, perturbation 1e-4", 100, lambda: [solve(p) for p in problems], sum(steps) / 10)
    for mode, n, count in (("size", 20, 2000), ("size", 40, 1), ("signed", 12, 4000), ("signed", 20, 40)):
        for perturbation in (0.0, 1e-4):
            x, z = draw(rng, max(1, count // few), n)
            kind = {"size": n // 2} if mode == "size" else {"signed": True}
            options = {**kind, "perturbation": perturbation, "workers": 1}
            table.row(
                f"nearest, {mode if mode == 'signed' else 'n / 2 kept'}, n = {n}"
                + f", perturbation {perturbation:g}" * bool(perturbation),
                len(z),
                lambda o=options, x=x, z=z: solve_batch(x, z, **o),
            )
    x, z = draw(rng, 4000 // few, 20)
    for perturbation in (1e-6, 1e-3):
        options = {"perturbation": perturbation, "workers": 1}
        table.row(f"nearest, n = 20, perturbation {perturbation:g}", len(z), lambda o=options: solve_batch(x, z, **o))
    for perturbation in (0.0, 1e-3):
        for tol in (1e-2, 1e-4):
            x, z = draw(rng, 10_000 // few, 40)
            moved = f", perturbation {perturbation:g}" if perturbation else ""
            options = {"tol": tol, "perturbation": perturbation, "workers": 1}
            table.row(
                f"needed candidates, tol {tol:g}{moved}",
                len(z),
                lambda o=options, x=x, z=z: needed_candidates(x, z, **o),
            )
    for n, tol in ((21, 1e-2), (30, 1e-4), (30, 1e-6), (90, 1e-3)):
        x, z = draw(rng, (10_000 if tol > 1e-5 else 500) // few, n)
        options = {"tol": tol, "objective": "fewest", "workers": 1}
        table.row(f"fewest, n = {n}, tol {tol:g}", len(z), lambda o=options, x=x, z=z: solve_batch(x, z, **o))
    for objective in ("nearest", "fewest"):
        x, z = draw(rng, 784, 21)
        options = {"tol": 1e-2, "objective": objective, "workers": 1}
        table.row(
            f"{objective}, 21 candidates, 784 targets", 784, lambda o=options, x=x, z=z: solve_batch(x[0], z, **o)
        )
    for n in (24, 26):
        draws = rng.uniform(-1, 1, (5, n))
        radius = [covering_radius(x, (-1, 1)) / 2 for x in draws]
        lengths = [
            union_lengths(x[np.argsort(-np.abs(x))], r, 0.0, (-1.0, 1.0), 1.0)
            for x, r in zip(draws[:2], radius[:2], strict=True)
        ]
        limit = sum(limits.intervals(lists) for lists in lengths) / 2
        table.row(f"covering radius, n = {n}", 5, lambda d=draws: [covering_radius(x, (-1, 1)) for x in d], limit)
    draws = rng.uniform(-1, 1, 1000)
    table.row("covers, n = 1000, tol 0.0001", 5, lambda: [covers(draws, 1e-4) for _ in range(5)])
    for tol, trials in ((1e-2, 40_000), (1e-3, 6_000), (1e-4, 600)):
        options = {"window": (-1.0, 1.0), "trials": max(256, trials // few), "workers": 1}
        lists = [union_lengths(x, tol, 0.0, (-1.0, 1.0), 0.0) for x in rng.uniform(-1, 1, (20, 40))]
        table.row(
            f"hitting times, tol {tol:g}",
            options["trials"],
            lambda t=tol, o=options: hitting_times(Uniform(-1, 1), t, **o),
            limits.intervals(chain.from_iterable(lists)) / len(lists),
        )
    for d, n in ((2, 30), (3, 30), (5, 28), (9, 24)):
        x, z = rng.uniform(-1, 1, (n, d)), rng.uniform(-1, 1, d)
        table.row(f"vectors, d = {d}, n = {n}", 1, lambda x=x, z=z: solve_vectors(x, z))

    x, z = draw(rng, 400, 20)
    torch_s = table.row("torch on the CPU, n = 20", 400, lambda: solve_batch(x, z, device="torch"))
    ratios = {"torch on the CPU, n = 20": round(torch_s / seconds[20], 1)}
    if importlib.util.find_spec("ortools") is not None:
        ratios["OR-Tools knapsack64, n = 20"] = round(by_knapsack(x[:60], z[:60], GRID) / seconds[20], 1)
    x, z = draw(rng, 20, 16)
    numpy_s = cpu(lambda: [solve_by_numpy(SubsetSumProblem(*pair), "nearest") for pair in zip(x, z, strict=True)]) / 20
    milp_s = cpu(lambda: [by_milp(*pair) for pair in zip(x[:4], z[:4], strict=True)], 1) / 4
    table.rates |= {"numpy lists, n = 16": round(1 / numpy_s, 1), "scipy milp, n = 16": round(1 / milp_s, 1)}
    ratios |= {
        "numpy lists, n = 16": round(numpy_s / seconds[16], 1),
        "scipy milp, n = 16": round(milp_s / seconds[16], 1),
    }
    for name, ratio in ratios.items():
        print(f"times faster than {name}: {ratio:,.0f}")
    steps = {"list step": limits.step, "sum among all": limits.sum, "bit test": limits.bit}
    return {
        "times_faster_than": ratios,
        "times_faster_than_asked": {"OR-Tools knapsack64, n = 20": 400, "torch on the CPU, n = 20": 8},
        "one_problem": memory,
        "limits_ns": {name: round(value * 1e9, 4) for name, value in steps.items()},
    }


def measure_device(device: str, quick: bool) -> dict[str, Any]:
    """Batches and hitting times on a device, each beside one core of the CPU, with the integers compared."""
    from strong_lth.subsetsum.kernels_gpu import device_name, find_device

    find_device(device)
    rng, few = np.random.default_rng(1), 10 if quick else 1
    rows: dict[str, Any] = {}
    for n, count in ((12, 4_000_000), (16, 1_000_000), (20, 400_000), (24, 60_000)):
        x, z = draw(rng, count // few, n)
        part = max(20, len(z) // 100)
        solve_batch(x[:100], z[:100], device=device)
        start = time.perf_counter()
        found = solve_batch(x, z, device=device)
        wall = time.perf_counter() - start
        core = cpu(lambda x=x, z=z, m=part: solve_batch(x[:m], z[:m], workers=1), 1) / part
        equal = bool(np.array_equal(found.errors[:part], solve_batch(x[:part], z[:part]).errors))
        rows[f"nearest, n = {n}"] = {
            "per_second": round(len(z) / wall),
            "cores": round(len(z) / wall * core, 1),
            "equal": equal,
        }
    for tol, trials in ((1e-2, 65_536), (1e-3, 16_384)):
        start = time.perf_counter()
        times = hitting_times(Uniform(-1, 1), tol, trials=trials // few, device=device)
        wall = time.perf_counter() - start
        equal = bool(np.array_equal(times[:512], hitting_times(Uniform(-1, 1), tol, trials=512)[: len(times)]))
        rows[f"hitting times, tol {tol:g}"] = {"per_second": round(len(times) / wall), "equal": equal}
    for name, row in rows.items():
        print(name, row, flush=True)
    return {"accelerator": device_name(device), "rows": rows}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write a record below benchmarks/records/")
    parser.add_argument("--quick", action="store_true", help="a tenth of the problems, none of the longest")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, or torch (torch operations on the CPU)")
    options = parser.parse_args()
    started = time.perf_counter()
    if options.device == "cpu":
        table = Table()
        extra = measure(table, options.quick)
        extra |= {
            "problems_per_cpu_second": table.rates,
            "of_the_limit": table.limits,
            "asked": {k: round(v, 2) for k, v in FLOORS.items()},
        }
    else:
        try:
            extra = measure_device(options.device, options.quick)
        except InputError as error:
            print(f"benchmarks/subset_sum.py: {error}", file=sys.stderr)
            return 2
    if options.record:
        name = "subset_sum" if options.device == "cpu" else f"subset_sum_{options.device.replace(':', '')}"
        RECORDS.mkdir(exist_ok=True)
        command = f"python benchmarks/subset_sum.py --record --device {options.device}"
        record = run_record(command, time.perf_counter() - started, **extra)
        (RECORDS / f"{name}.json").write_text(record.to_json() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
