"""Other people's tools on the same problems: CPU seconds per problem."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

KNAPSACK = """
import json, sys, time
from ortools.algorithms.python import knapsack_solver as ks
def most(items, capacity):
    if capacity < 0: return 0
    solver = ks.KnapsackSolver(ks.SolverType.KNAPSACK_64ITEMS_SOLVER, "x")
    solver.init(items, [items], [capacity])
    return solver.solve()
problems = json.load(sys.stdin)
start = time.process_time()
for x, z in problems:
    z -= sum(v for v in x if v < 0)
    items = [abs(v) for v in x]
    most(items, z), most(items, sum(items) - z)
print(time.process_time() - start)
"""


def by_knapsack(x: np.ndarray, z: np.ndarray, grid: float) -> float:
    """OR-Tools' 64-item knapsack, per problem, in a process of its own (it and cvxpy's HiGHS cannot share one)."""
    problems = [[row.tolist(), int(t)] for row, t in zip((x / grid).astype(int), z / grid, strict=True)]
    done = subprocess.run([sys.executable, "-c", KNAPSACK], input=json.dumps(problems), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout) / len(problems)


def by_milp(x: np.ndarray, z: float) -> float:
    """Least error by mixed-integer programming: minimise t with |x.keep - z| <= t; infinite where the solver fails."""
    n = len(x)
    rows = np.array([[*x, -1.0], [*-x, -1.0]])
    found = milp(
        np.append(np.zeros(n), 1.0),
        constraints=LinearConstraint(rows, -np.inf, [z, -z]),
        integrality=np.append(np.ones(n), 0),
        bounds=Bounds(0, np.append(np.ones(n), np.inf)),
    )
    return np.inf if found.x is None else abs(float(x @ np.rint(found.x[:n])) - z)


MEMORY = """
import json, resource, sys, time
import numpy as np
from strong_lth.subsetsum import SubsetSumProblem, solve
n, repeats = int(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(n)
# multiples of 3 units and a target that is none: no error is 0, so every sum has to be ruled out
x = 3 * rng.integers(-(2**46), 2**46, n) * 2.0**-48
z = (3 * int(rng.integers(0, 2**45)) + 1) * 2.0**-48
def peak():
    status = open("/proc/self/status").read()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
solve(SubsetSumProblem(x[:14], 0.1)), solve(SubsetSumProblem(x[:47], z))
open("/proc/self/clear_refs", "w").write("5")  # the peak begins anew
before, wall, cpu = peak(), [], []
for _ in range(repeats):
    begun, used = time.perf_counter(), time.process_time()
    solution = solve(SubsetSumProblem(x, z))
    wall.append(time.perf_counter() - begun)
    cpu.append(time.process_time() - used)
print(json.dumps({
    "status": solution.status.name, "engine": solution.stats["engine"], "error": solution.error,
    "wall_s": round(min(wall), 4), "cpu_s": round(min(cpu), 4),
    "peak_mib": round(peak() - before, 1), "process_mib": round(peak(), 1),
}))
"""


def one_problem(n: int, repeats: int) -> dict[str, object]:
    """Least seconds, and peak memory above what the process held before, of one problem whose every sum has to be ruled out; in a process of its own (Linux)."""
    done = subprocess.run([sys.executable, "-c", MEMORY, str(n), str(repeats)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer
