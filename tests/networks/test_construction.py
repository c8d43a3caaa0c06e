"""The construction: every weight served or listed, one meaning of every number."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from network_targets import random_target

import strong_lth as lth
from strong_lth.networks.construction import plan
from strong_lth.networks.layer_ticket import effective_layer
from strong_lth.networks.source import sign_halves

FIRSTS = [lth.BalancedSigns(), lth.RandomSigns(), lth.Uniform(-1, 1)]
DOMAINS = [lth.Box(0, 1), lth.Box(-1, 1), lth.Box((-1, 0, 0.5, -2), (0, 1, 1, 2)), lth.Ball(1.0, 0.1)]


def points(domain: lth.Box | lth.Ball, dim: int, count: int = 200) -> np.ndarray:
    rng = np.random.default_rng(1)
    low, high = domain.ends(dim)
    x = rng.uniform(low, high, (count, dim))
    if isinstance(domain, lth.Ball):
        center = domain.point(dim)
        x = center + (x - center) * np.minimum(1, domain.radius / np.linalg.norm(x - center, axis=1, keepdims=True))
    return x


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
@pytest.mark.parametrize("first", FIRSTS, ids=lambda law: type(law).__name__)
@pytest.mark.parametrize("perturbation", [0.0, 1e-3])
def test_a_ticket_keeps_its_promises(domain: lth.Box | lth.Ball, first: lth.Law, perturbation: float):
    target = random_target(0)
    strong = lth.approximate(
        target, domain=domain, tol=0.2, first=first, perturbation=perturbation, width="smallest", seed=3
    )
    assert strong.unserved == ()
    assert lth.verify_gadgets(target, strong).ok
    error = lth.certify(target, strong, domain=domain)
    assert error.certificate.ok
    assert 0 <= error.found <= error.certified <= error.a_priori <= 0.2
    x = points(domain, 4)
    outputs = strong.to_torch()(torch.from_numpy(x)).numpy()
    seen = np.abs(outputs - target(x)).max()
    assert seen <= error.certified + lth.evaluation_error(target, strong)


@pytest.mark.parametrize(
    "law", [lth.Uniform(-2, 2), lth.Uniform(-0.5, 0.5), lth.Uniform(-0.7, 0.7), lth.Normal(), lth.Normal(0, 2)], ids=str
)
def test_other_laws(law: lth.Law):
    target = random_target(1)
    strong = lth.approximate(target, domain=lth.Box(-1, 1), tol=0.3, law=law, width="smallest", seed=2)
    assert not strong.unserved
    assert lth.certify(target, strong, domain=lth.Box(-1, 1)).certificate.ok


@pytest.mark.parametrize("first", FIRSTS, ids=lambda law: type(law).__name__)
def test_smallest_is_smallest(first: lth.Law):
    target = random_target(2)
    settings = {"domain": lth.Box(-1, 1), "tol": 0.1, "first": first, "perturbation": 1e-4, "seed": 11}
    strong = lth.approximate(target, width="smallest", **settings)
    assert not strong.unserved
    for layer, width in enumerate(strong.source.widths):
        narrower = [w - (layer == index) for index, w in enumerate(strong.source.widths)]
        failed = lth.approximate(target, width=narrower, **settings).unserved
        assert failed
        assert {u.layer for u in failed} == {layer + 1}, (
            f"width {width - 1} of layer {layer + 1} still serves everything"
        )


def test_each_width_serves_what_a_smaller_one_serves():
    target = random_target(4)
    failed = [
        {
            (u.layer, u.output, u.input, u.half)
            for u in lth.approximate(target, domain=lth.Box(-1, 1), tol=0.05, width=w, seed=1).unserved
        }
        for w in (4, 6, 8, 10, 14)
    ]
    assert all(large <= small for small, large in itertools.pairwise(failed))
    assert len(failed[0]) > len(failed[-1])


def test_one_weight_followed_by_hand():
    """Layer 1, output 0, input 2: target weight, units, candidates, subset, residual."""
    target = random_target(0)
    strong = lth.approximate(target, domain=lth.Box(-1, 1), tol=0.3, perturbation=1e-3, width=16, seed=5)
    part, ticket = strong.source.layers[0], strong.layers[0]
    weight = Fraction(strong.rescaled(target).dense[0].weight[0, 2])
    for sign in (1, -1):
        units = part.serving(2, sign)
        assert len(units) == 16
        kept = [u for u in units if ticket.keep[0, u]]
        total = sum((Fraction(part.even_weights[0, u]) + Fraction(ticket.shift[0, u]) for u in kept), Fraction(0))
        assert all(abs(Fraction(ticket.shift[0, u])) <= Fraction(1e-3) for u in kept)
        assert abs(total - sign * weight) <= Fraction(strong.weight_tol[0])
        candidates = part.even_weights[0, units]
        reach = strong.weight_tol[0]
        for size in range(len(kept)):
            sums = np.array([candidates[list(chosen)].sum() for chosen in itertools.combinations(range(16), size)])
            assert np.abs(sums - float(sign * weight)).min() > reach + size * 1e-3 - 1e-12, (
                "fewer weights would have done"
            )


def test_effective_weights_are_the_module():
    """The exact residuals describe the materialised network: both halves, biases, shifts."""
    target = random_target(6)
    strong = lth.approximate(
        target, domain=lth.Box(-1, 1), tol=0.3, first=lth.Uniform(-1, 1), perturbation=1e-2, width=20, seed=8
    )
    scaled = strong.rescaled(target)
    x = points(lth.Box(-1, 1), 4)
    values = x
    for part, dense, ticket, halves in zip(
        strong.source.layers, scaled.dense, strong.layers, sign_halves(target, strong.domain), strict=True
    ):
        effective = effective_layer(part, dense, ticket, halves)
        negative = effective.positive if effective.negative is None else effective.negative
        plus = dense.weight + effective.positive[:, : part.inputs]
        minus = dense.weight + negative[:, : part.inputs]
        values = (
            np.maximum(values, 0) @ plus.T
            - np.maximum(-values, 0) @ minus.T
            + dense.offset
            + effective.positive[:, part.inputs]
        )
        if part.index < len(scaled.dense):
            values = np.maximum(values, 0)
    module = strong.to_torch()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(2.0**strong.scaling.gain * values, module, atol=1e-12)


def test_exact_representation_without_tolerance():
    rng = np.random.default_rng(0)
    grid = [np.rint(rng.uniform(-0.5, 0.5, shape) * 2**30) / 2**30 for shape in ((3, 2), (2, 3))]
    target = lth.Network.from_arrays(grid)
    strong = lth.approximate(target, domain=lth.Box(-1, 1), tol=0.0, perturbation=0.01, width="smallest", seed=1)
    assert not strong.unserved
    error = lth.certify(target, strong, domain=lth.Box(-1, 1))
    assert error.a_priori == 0.0
    assert error.certified <= 1e-12
    certificate = lth.verify_gadgets(target, strong)
    assert certificate.ok
    assert certificate.value == 0.0


@pytest.mark.parametrize(
    "weights",
    [
        [np.full((2, 2), 0.3), np.zeros((1, 2))],
        [np.zeros((2, 2)), np.ones((1, 2))],
        [np.zeros((2, 2)), np.zeros((1, 2))],
        [np.full((1, 2), 1e-310)],
        [np.full((1, 2), 1e200), np.full((3, 1), 1e-200)],
    ],
    ids=["no output", "no input", "nothing", "subnormal", "far apart"],
)
def test_degenerate_targets_are_served(weights: list[np.ndarray]):
    target = lth.Network.from_arrays(weights)
    strong = lth.approximate(target, domain=lth.Box(-1, 1), tol=0.1, width="smallest", seed=0)
    assert not strong.unserved
    assert lth.certify(target, strong, domain=lth.Box(-1, 1)).certified <= 0.1


def test_failures_are_diagnosed():
    target = random_target(0)
    strong = lth.approximate(target, domain=lth.Box(-1, 1), tol=1e-6, width=3, seed=0)
    causes = {item.cause for item in strong.unserved}
    assert causes == {"range", "density"}
    scaled = strong.rescaled(target)
    for item in strong.unserved:
        part, sign = strong.source.layers[item.layer - 1], 1 if item.half == "+" else -1
        dense = scaled.dense[item.layer - 1]
        weight = sign * (
            dense.offset[item.output] if item.input == part.inputs else dense.weight[item.output, item.input]
        )
        candidates = part.even_weights[item.output, part.serving(item.input, sign)]
        outside = weight > candidates[candidates > 0].sum() or weight < candidates[candidates < 0].sum()
        assert (item.cause == "range") == outside
        sums = [candidates[list(c)].sum() for size in range(4) for c in itertools.combinations(range(3), size)]
        assert item.error == pytest.approx(np.abs(np.array(sums) - weight).min(), rel=1e-9)
    assert lth.verify_gadgets(target, strong).ok
    assert lth.certify(target, strong, domain=lth.Box(-1, 1)).a_priori == np.inf


def test_nearest_is_more_accurate_and_keeps_more():
    target = random_target(3)
    settings = {"domain": lth.Box(0, 1), "tol": 0.1, "width": 18, "seed": 4}
    few = lth.approximate(target, objective="fewest", **settings)
    near = lth.approximate(target, objective="nearest", **settings)
    assert near.kept_even > few.kept_even
    assert (
        lth.certify(target, near, domain=lth.Box(0, 1)).certified
        < lth.certify(target, few, domain=lth.Box(0, 1)).certified
    )


def test_the_planned_width_comes_from_the_sharpest_bound():
    target = random_target(0, (2, 2, 1), bias=False)
    strong = lth.approximate(target, domain=lth.Box(0, 1), tol=0.5, delta=0.05, seed=0)
    planned = plan(target, lth.Box(0, 1), 0.5, lth.Uniform(-1, 1))
    for width, tol in zip(strong.source.widths, planned.allotment.weight_tol, strict=True):
        found = lth.bounds.sharpest(
            tol=tol,
            perturbation=0.0,
            delta=0.05,
            law=lth.Uniform(-1, 1),
            targets=lth.Window(-0.5, 0.5),
            blocks=sum(planned.counts),
        )
        assert width == found[1]
    assert not strong.unserved


def test_workers_and_progress_change_nothing():
    target = random_target(5)
    calls: list[tuple[str, int, int]] = []
    settings = {"domain": lth.Box(-1, 1), "tol": 0.1, "width": "smallest", "seed": 9}
    one = lth.approximate(target, workers=1, progress=lambda *call: calls.append(call), **settings)
    two = lth.approximate(target, workers=2, **settings)
    assert one.source.widths == two.source.widths
    assert all(np.array_equal(a.keep, b.keep) for a, b in zip(one.layers, two.layers, strict=True))
    assert calls
    assert all(0 < done <= total for _, done, total in calls)


def test_a_moved_source_is_pruned_as_it_is():
    target = random_target(0)
    source = lth.random_source(target, domain=lth.Box(-1, 1), width=16, seed=2)
    rng = np.random.default_rng(0)
    moved = source.moved([p.even_weights + rng.uniform(-0.01, 0.01, p.even.shape) for p in source.layers], 0.01)
    strong = lth.approximate(target, domain=lth.Box(-1, 1), tol=0.3, source=moved, seed=2)
    assert lth.verify_gadgets(target, strong).ok
    assert strong.source.seed == 2
    with pytest.raises(lth.InputError, match="source"):
        lth.approximate(random_target(0, (4, 6, 3)), domain=lth.Box(-1, 1), tol=0.3, source=moved, seed=2)
    for change, word in (
        ({"domain": lth.Box(0, 1)}, "this domain"),
        ({"seed": 3}, "source"),
        ({"law": lth.Uniform(-2, 2)}, "source"),
        ({"first": lth.RandomSigns()}, "source"),
        ({"width": 17}, "width"),
        ({"width": "smallest"}, "width"),
        ({"perturbation": 1e-3}, "moved already"),
    ):
        with pytest.raises(lth.InputError, match=word):
            lth.approximate(target, **({"domain": lth.Box(-1, 1), "tol": 0.3, "source": moved, "seed": 2} | change))
    forged = replace(source, layers=(replace(source.layers[0], even=source.layers[0].even + 1), source.layers[1]))
    with pytest.raises(lth.InputError, match="other weights in layer 1"):
        lth.approximate(target, domain=lth.Box(-1, 1), tol=0.3, source=forged, seed=2)
    outside = replace(moved, perturbation_used=0.001)
    with pytest.raises(lth.InputError, match="keep every weight within"):
        lth.approximate(target, domain=lth.Box(-1, 1), tol=0.3, source=outside, seed=2)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"tol": -1}, "tol"),
        ({"tol": float("nan")}, "tol"),
        ({"tol": "small"}, "tol"),
        ({"tol": 0.0}, "tol"),
        ({"tol": 0.0, "perturbation": 0.1}, r"multiples of 2\^-40"),
        ({"perturbation": -0.1}, "perturbation"),
        ({"delta": 0}, "delta"),
        ({"delta": 1.5}, "delta"),
        ({"objective": "best"}, "objective"),
        ({"width": "tiny"}, "width"),
        ({"width": 0}, "width"),
        ({"width": None, "law": lth.Uniform(-0.3, 1)}, "no bound covers"),
        ({"target": np.ones((2, 2))}, "target"),
        ({"domain": (0, 1)}, "domain"),
        ({"delta": "often"}, "delta"),
        ({"tol": 1e-300, "width": "smallest"}, "would leave"),
        ({"tol": 1e-30, "width": "smallest"}, "least sufficient width"),
        ({"domain": lth.Box((0, 0), (1, 1))}, "Box.low"),
        ({"seed": -3}, "seed"),
        ({"law": lth.RandomSigns()}, "law"),
    ],
)
def test_bad_input_is_named(change: dict, word: str):
    settings = {"target": random_target(0), "domain": lth.Box(-1, 1), "tol": 0.3, "width": 5, "seed": 0} | change
    with pytest.raises(lth.InputError, match=word):
        lth.approximate(settings.pop("target"), **settings)
    assert lth.approximate(random_target(0), domain=lth.Box(-1, 1), tol=0.3, width=5, seed=0).tol == 0.3


def test_memory_is_refused_with_the_largest_width_that_fits():
    with pytest.raises(lth.BudgetError, match="largest uniform width"):
        lth.approximate(random_target(0), domain=lth.Box(-1, 1), tol=0.3, width=10**8, seed=0)
