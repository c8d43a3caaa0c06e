"""Rates of the subset-sum engines: problems per CPU-second, against scipy's MILP and pure numpy, and against the processor.

Usage: python benchmarks/subset_sum.py [--record] [--quick]

The limit: an n-candidate problem takes 6 2^(n/2) list steps (build two lists, walk them once). A step is load, compare, advance; its
latency is measured here on data in the first-level cache, and four independent chains of steps keep the core busy.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from strong_lth.core import run_record
from strong_lth.subsetsum import SubsetSumProblem, needed_candidates, solve_batch
from strong_lth.subsetsum.jit import kernel
from strong_lth.subsetsum.solve import solve_by_numpy

GRID = 2.0**-40


@kernel
def chain(table: Any, steps: int) -> int:
    """Follow a chain of dependent load, compare, advance steps."""
    i = 0
    for _ in range(steps):
        i = table[i] + (table[i] < 0)
    return i


def cpu(task: Callable[[], Any], repeats: int = 3) -> float:
    """Least CPU seconds of a few runs."""
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        task()
        best = min(best, time.process_time() - start)
    return float(best)


def by_milp(x: np.ndarray, z: float) -> float:
    """Least error by mixed-integer programming: minimise t with |x.keep - z| <= t."""
    n = len(x)
    rows = np.array([[*x, -1.0], [*-x, -1.0]])
    found = milp(
        np.append(np.zeros(n), 1.0),
        constraints=LinearConstraint(rows, -np.inf, [z, -z]),
        integrality=np.append(np.ones(n), 0),
        bounds=Bounds(0, np.append(np.ones(n), np.inf)),
    )
    return abs(float(x @ np.rint(found.x[:n])) - z)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="write benchmarks/records/subset_sum.json")
    parser.add_argument("--quick", action="store_true", help="a tenth of the problems")
    options = parser.parse_args()
    started = time.perf_counter()
    scale = 10 if options.quick else 1
    rng = np.random.default_rng(1)

    def draw(count: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        count = max(20, count // scale)
        return rng.integers(-(2**40), 2**40, (count, n)) * GRID, rng.uniform(-0.5, 0.5, count)

    table = np.roll(np.arange(1024), -1)
    chain(table, 10)
    step = cpu(lambda: chain(table, 10**7)) / 10**7
    print(f"one dependent list step: {step * 1e9:.2f} ns")
    rates: dict[str, float] = {}

    def report(name: str, count: int, task: Callable[[], Any], n: int = 0) -> float:
        seconds = cpu(task) / count
        rates[name] = round(1 / seconds, 1)
        limit = f"  {6 * 2 ** (n / 2) * step / 4 / seconds:5.0%} of the limit" if n else ""
        print(f"{name:46s} {1 / seconds:12,.0f} /s{limit}")
        return seconds

    draws = {
        n: draw(count, n) for n, count in ((12, 40_000), (16, 20_000), (20, 8_000), (24, 2_000), (30, 200), (40, 4))
    }
    for objective in ("nearest", "any", "fewest"):
        solve_batch(*draws[12], tol=1e-9, objective=objective)  # compile
    for n, (x, z) in draws.items():
        report(f"nearest, n = {n}", len(z), lambda x=x, z=z: solve_batch(x, z, workers=1), n)
    for perturbation in (0.0, 1e-3):
        for tol in (1e-2, 1e-4, 1e-6):
            x, z = draw(10_000 if tol > 1e-5 else 2_000, 40)
            moved = f", perturbation {perturbation:g}" if perturbation else ""
            report(
                f"needed candidates, tol {tol:g}{moved}",
                len(z),
                lambda x=x, z=z, tol=tol, e=perturbation: needed_candidates(x, z, tol=tol, perturbation=e, workers=1),
            )
    for n, tol in ((21, 1e-2), (21, 1e-4), (30, 1e-4), (30, 1e-6), (90, 1e-3), (90, 1e-5)):
        x, z = draw(10_000 if tol > 1e-5 else 500, n)
        report(
            f"fewest, n = {n}, tol {tol:g}",
            len(z),
            lambda x=x, z=z, tol=tol: solve_batch(x, z, tol=tol, objective="fewest", workers=1),
        )
    for objective in ("nearest", "fewest"):
        x, z = rng.integers(-(2**40), 2**40, 21) * GRID, rng.uniform(-0.5, 0.5, 784)
        report(
            f"{objective}, 21 candidates shared by 784 targets",
            784,
            lambda x=x, z=z, o=objective: solve_batch(x, z, tol=1e-2, objective=o, workers=1),
        )

    x, z = draws[16]
    ours = 1 / rates["nearest, n = 16"]
    few = 5 if options.quick else 20
    numpy_s = report(
        "numpy lists, n = 16",
        few,
        lambda: [solve_by_numpy(SubsetSumProblem(x[k], z[k]), "nearest") for k in range(few)],
    )
    milp_s = report("scipy milp, n = 16", few // 5, lambda: [by_milp(x[k], z[k]) for k in range(few // 5)])
    ratios = {"numpy": round(numpy_s / ours, 1), "scipy milp": round(milp_s / ours, 1)}
    print(
        f"at n = 16: {ratios['numpy']:,.0f} times the numpy engine, {ratios['scipy milp']:,.0f} times scipy milp (HiGHS)"
    )

    if options.record:
        folder = Path(__file__).parent / "records"
        folder.mkdir(exist_ok=True)
        record = run_record(
            "python benchmarks/subset_sum.py --record",
            time.perf_counter() - started,
            problems_per_cpu_second=rates,
            ratios_at_16=ratios,
            step_ns=round(step * 1e9, 3),
        )
        (folder / "subset_sum.json").write_text(record.to_json() + "\n")


if __name__ == "__main__":
    main()
