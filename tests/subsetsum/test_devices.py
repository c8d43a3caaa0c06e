"""Torch and Triton give the integers of the compiled kernels; Triton runs in its interpreter, in a process of its own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skips

from strong_lth.core import BudgetError, InputError
from strong_lth.distributions import Normal, Uniform
from strong_lth.subsetsum import hitting_times, solve_batch, verify_batch

ROOT = Path(__file__).parent.parent.parent
needs_triton = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason=skips.NO_TRITON)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 13, 16])
def test_torch_batches_equal_the_compiled_ones(n: int) -> None:
    rng = np.random.default_rng(n)
    x, z = rng.uniform(-1, 1, (300, n)), rng.uniform(-1, 1, 300)
    x[::7] = rng.integers(-2, 3, (43, n)) / 4
    z[:3] = 1e6, -1e300, 0.0
    for objective in ("nearest", "any"):
        for candidates in (x, x[0]):
            ours = solve_batch(candidates, z, tol=0.01, objective=objective)
            torch = solve_batch(candidates, z, tol=0.01, objective=objective, device="torch")
            assert verify_batch(candidates, z, torch, tol=0.01).ok
            assert np.array_equal(torch.statuses, ours.statuses)
            if objective == "nearest":
                assert np.array_equal(torch.errors, ours.errors)


@pytest.mark.parametrize(
    ("law", "tol", "perturbation"),
    [(Uniform(-1, 1), 0.01, 0.0), (Normal(), 0.02, 1e-3), (Uniform(-0.1, 0.1), 0.01, 0.0)],
)
def test_torch_hitting_times_equal_the_compiled_ones(law: object, tol: float, perturbation: float) -> None:
    ours = hitting_times(law, tol, perturbation, trials=300, seed=4)
    assert np.array_equal(hitting_times(law, tol, perturbation, trials=300, seed=4, device="torch"), ours)


def test_a_device_that_is_not_there_and_work_it_does_not_do_are_refused_by_name() -> None:
    x, z = np.ones((2, 3)), np.ones(2)
    for device in ("cuda:7", "tpu"):
        with pytest.raises(InputError, match="this machine has: cpu, torch"):
            solve_batch(x, z, device=device)
        with pytest.raises(InputError, match="this machine has: cpu, torch"):
            hitting_times(Uniform(-1, 1), 0.1, device=device)
    for options in ({"perturbation": 0.1}, {"objective": "fewest"}):
        with pytest.raises(InputError, match="device"):
            solve_batch(x, z, device="torch", **options)
    with pytest.raises(BudgetError):
        hitting_times(Uniform(-1, 1), 1e-4, trials=300, budget=1 << 13, device="torch")


INTERPRET = """
import numpy as np, torch
from strong_lth.subsetsum import kernels_gpu
from strong_lth.subsetsum.kernels_gpu import by_sorting, by_triton, hits_by_sorting, hits_by_triton
from strong_lth.subsetsum.kernels_gpu_triton import hit_rows
rng = np.random.default_rng(0)
for n in (6, 9):
    x = rng.integers(-2**54, 2**54, (3, n)) * 4
    x[::3] = rng.integers(-2, 3, (1, n)) * 4
    z = rng.integers(-2**56, 2**56, 3)
    z[::3] = rng.integers(-20, 20, 1)
    x, z = torch.from_numpy(x), torch.from_numpy(z)
    best, mask = by_triton(x, z)
    kept = (mask[:, None] >> torch.arange(n)) & 1
    assert torch.equal(best, by_sorting(x, z)[0]), n
    assert torch.equal(((kept * x).sum(1) - z).abs(), best), n
kernels_gpu.LISTS = (4, 8)
seen = set()
for reach, r in ((0, 2**36), (2**36, 0), (2**35, 2**36)):
    x = torch.from_numpy(rng.integers(-2**40, 2**40, (5, 8)))
    x[0] = torch.from_numpy(rng.integers(-2, 3, 8)) * 2**36
    truth = hits_by_sorting(x, reach, r, -2**38, 2**38, 1 << 20)
    times = hit_rows(x, reach, r, -2**38, 2**38, 8)
    assert torch.equal(times[times != -2], truth[times != -2]), (times, truth)
    seen |= set(times.tolist())
assert torch.equal(hits_by_triton(x[:3], reach, r, -2**38, 2**38, 1 << 20), truth[:3])
assert seen >= {-2, 4, 5}, seen
print("equal")
"""

COMPILE = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from strong_lth.subsetsum.kernels_gpu_triton import hit_program, nearest_program
for size, warps in ((64, 1), (512, 8)):
    scalars = {"n": "i32", "reach": "i64", "r": "i64", "bottom": "i64", "top": "i64"}
    signature = {"x_ptr": "*i64", "times_ptr": "*i64", **scalars, "size": "constexpr", "log": "constexpr"}
    source = ASTSource(fn=hit_program, signature=signature, constexprs={(7,): size, (8,): size.bit_length() - 1})
    program = triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": warps})
    assert program.metadata.shared < 200_000, size
for n, warps in ((6, 1), (20, 4)):
    names = ["x_ptr", "z_ptr", "best_ptr", "at_ptr"]
    fixed = {"n": n, "h": n // 2, "left_size": 1 << n // 2, "right_size": 1 << (n - n // 2)}
    signature = dict.fromkeys(names, "*i64") | dict.fromkeys(fixed, "constexpr")
    source = ASTSource(fn=nearest_program, signature=signature, constexprs={(4 + k,): v for k, v in enumerate(fixed.values())})
    program = triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": warps})
    assert program.metadata.shared < 200_000, n
print("compiled")
"""


def run(code: str, **environment: str) -> str:
    env = {**os.environ, **environment, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@needs_triton
def test_triton_kernels_equal_torch_in_the_interpreter() -> None:
    assert run(INTERPRET, TRITON_INTERPRET="1") == "equal"


@needs_triton
def test_triton_kernels_compile_for_a_gpu_without_one(tmp_path: Path) -> None:
    assert run(COMPILE, TRITON_CACHE_DIR=str(tmp_path)) == "compiled"
