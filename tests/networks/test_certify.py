"""``certify``: what the certified number means, and what it refuses to cover."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from network_targets import random_target

import strong_lth as lth


@pytest.mark.parametrize("chunk", range(10))
def test_found_never_exceeds_certified_on_500_tickets(chunk: int):
    """Random widths, depths, biases, domains, first sublayers, perturbations, also widths that leave weights unserved."""
    for seed in range(50 * chunk, 50 * chunk + 50):
        rng = np.random.default_rng(seed)
        widths = tuple(int(w) for w in rng.integers(1, 5, rng.integers(2, 5)))
        target = random_target(seed, widths, bias=bool(seed % 2), size=0.6)
        domain = [lth.Box(0, 1), lth.Box(-1, 1), lth.Ball(0.8, -0.1)][seed % 3]
        strong = lth.approximate(
            target,
            domain=domain,
            tol=0.5,
            first=[lth.BalancedSigns(), lth.RandomSigns(), lth.Uniform(-1, 1)][seed % 7 % 3],
            width=int(rng.integers(3, 12)),
            perturbation=[0, 1e-3][seed % 2],
            seed=seed,
        )
        error = lth.certify(target, strong, domain=domain)
        assert error.certificate.ok
        assert 0 <= error.found <= error.certified
        assert error.certified == min(error.bounds.values()) == error.bounds[error.method]


def test_another_domain_needs_its_own_halves():
    """A ticket for inputs >= 0 is worthless below 0, and certify says so."""
    target = random_target(0, bias=False)
    strong = lth.approximate(target, domain=lth.Box(0, 1), tol=0.1, width="smallest", seed=1)
    inside = lth.certify(target, strong, domain=lth.Box(0.2, 0.5))
    assert inside.certified <= inside.a_priori <= 0.1
    outside = lth.certify(target, strong, domain=lth.Box(-1, 1))
    x = np.random.default_rng(0).uniform(-1, 1, (500, 4))
    seen = np.abs(strong.to_torch()(torch.from_numpy(x)).numpy() - target(x)).max()
    assert outside.a_priori == np.inf
    assert 0.1 < seen <= outside.certified


def test_two_networks_can_be_compared():
    target, other = random_target(0), random_target(1)
    error = lth.certify(target, other, domain=lth.Box(-1, 1))
    x = np.random.default_rng(0).uniform(-1, 1, (2000, 4))
    assert np.abs(target(x) - other(x)).max() <= error.certified
    assert error.found <= error.certified
    same = lth.certify(target, target, domain=lth.Box(-1, 1))
    assert same.found == 0.0
    assert same.certified <= 1e-300
    with pytest.raises(lth.InputError, match="widths"):
        lth.certify(target, random_target(0, (4, 6, 3)), domain=lth.Box(-1, 1))


def test_given_points_are_used_and_checked():
    target, other = random_target(0), random_target(1)
    error = lth.certify(target, other, domain=lth.Box(-1, 1), points=np.ones((1, 4)))
    assert error.found >= np.abs(target(np.ones(4)) - other(np.ones(4))).max() * (1 - 1e-9)
    with pytest.raises(lth.InputError, match="points"):
        lth.certify(target, other, domain=lth.Box(-1, 1), points=np.ones((1, 3)))


@pytest.mark.parametrize("first", [lth.BalancedSigns(), lth.Uniform(-1, 1)], ids=lambda law: type(law).__name__)
def test_evaluation_error_covers_both_precisions(first: lth.Law):
    target = random_target(0, (4, 8, 8, 3))
    strong = lth.approximate(target, domain=lth.Box(-1, 1), tol=0.3, first=first, width=14, perturbation=1e-3, seed=1)
    double, single = lth.evaluation_error(target, strong), lth.evaluation_error(target, strong, dtype="float32")
    assert 0 < double < 1e-9 < single < 1
    x = np.random.default_rng(0).uniform(-1, 1, (500, 4)).astype(np.float32)
    exact = strong.to_torch()(torch.from_numpy(x.astype(np.float64))).numpy()
    rounded = strong.to_torch().float()(torch.from_numpy(x)).numpy()
    assert np.abs(rounded - exact).max() <= single
    with pytest.raises(lth.InputError, match="dtype"):
        lth.evaluation_error(target, strong, dtype="float16")


def test_to_torch_is_frozen_and_counts_what_is_kept():
    target = random_target(0)
    strong = lth.approximate(target, domain=lth.Box(-1, 1), tol=0.3, width=12, seed=1)
    module = strong.to_torch()
    assert list(module.parameters()) == []
    assert all(tensor.dtype in (torch.float64, torch.bool) for tensor in module.state_dict().values())
    mask = strong.mask()
    state = module.state_dict()
    kept = sum(int(state[name].sum()) for name in state if name.endswith("mask"))
    assert kept == mask.kept == strong.kept
    assert mask.density == pytest.approx(strong.density)
    for name, array in mask.tensors.items():
        layer, kind = name.split(".")
        assert np.array_equal(state[f"{layer}.{'mask' if kind == 'weight' else 'bias_mask'}"].numpy(), array)
    assert strong.overparameterization(target) == strong.source.parameters / target.parameters
