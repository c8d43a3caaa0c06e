"""Random sources moved by training, then pruned: what is trained is the source itself, every move is verified, and the arms differ only in who moves."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
import torch

import strong_lth as lth
import strong_lth.tickets as T
from strong_lth import cli, datasets
from strong_lth.core import InputError
from strong_lth.tickets import bridge

DOMAIN, SEED, SIZE = lth.Box(0, 1), 3, 1e-2
QUICK = dataclasses.replace(bridge.RECIPE, epochs=1, batch=256)
MOVERS = ("psgd", "distil", "random")


@pytest.fixture(scope="module")
def target():
    rng = np.random.default_rng(0)
    return lth.Network.from_arrays(
        [rng.uniform(-0.3, 0.3, (3, 64)), rng.uniform(-0.3, 0.3, (10, 3))], [rng.uniform(-0.1, 0.1, 3), None]
    )


@pytest.fixture(scope="module")
def source(target):
    return lth.random_source(target, domain=DOMAIN, width=6, seed=SEED)


@pytest.fixture(scope="module")
def moved(target, source):
    return {kind: move(source, target, kind) for kind in (*MOVERS, "none", "best")}


def move(source, target, kind, **settings):
    settings = {"perturbation": SIZE, "recipe": QUICK} | settings
    return bridge.move_source(source, target, domain=DOMAIN, tol=0.5, perturb=kind, **settings)


@pytest.mark.parametrize("kind", MOVERS)
def test_a_moved_source_stays_in_its_box_exactly_and_repeats(kind, moved, source, target):
    assert moved["none"] is source is moved["best"]
    again = move(source, target, kind)
    for part, repeated, drawn in zip(moved[kind].layers, again.layers, source.layers, strict=True):
        assert np.array_equal(part.even_weights, repeated.even_weights)
        moves = np.abs(part.even_weights - drawn.even_weights)
        row, column = np.unravel_index(moves.argmax(), moves.shape)
        exact = Fraction(part.even_weights[row, column]) - Fraction(drawn.even_weights[row, column])
        assert 0 < abs(exact) <= Fraction(SIZE)
        assert np.array_equal(part.odd, drawn.odd)
    assert moved[kind].perturbation_used == SIZE


@pytest.mark.parametrize("trained", ["pruned", "whole"])
@pytest.mark.parametrize("first", [lth.BalancedSigns(), lth.RandomSigns(), lth.Uniform(-1, 1)])
def test_the_module_that_is_trained_is_the_source(trained, first, target):
    source = lth.random_source(target, domain=DOMAIN, width=3, first=first, seed=SEED)
    x = np.random.default_rng(1).uniform(0, 1, (5, 64))
    even = [torch.from_numpy(np.array(part.even_weights)) for part in source.layers]
    found = bridge.outputs(even, bridge.wiring(source, trained), torch.from_numpy(x), 1).numpy()
    hidden = x
    for index, part in enumerate(source.layers):
        weight, bias = source.odd_matrix(index)
        if trained == "pruned":
            keep = np.arange(part.inputs + 1)[None, :] == part.unit_input[:, None]
            weight, bias = weight * keep[:, :-1], None if bias is None else bias * keep[:, -1]
        inside = np.maximum(hidden, 0) if index else hidden
        units = np.maximum(inside @ weight.T + (0 if bias is None else bias), 0)
        hidden = units @ part.even_weights.T
    assert np.allclose(found, 2 * hidden, rtol=1e-12)
    task = bridge.source_task(source, 1, "digits", QUICK, trained)
    pixels = datasets.inputs(datasets.load("digits"), "test")[:4]
    images = T.task.scoring_images(task)
    module = T.task.build(task, 0)
    outputs = bridge.outputs(even, bridge.wiring(source, trained), torch.from_numpy(pixels), 1)
    assert torch.allclose(module(images.inputs(images.pixels[:4])), outputs, rtol=1e-5)


def test_distillation_in_a_wide_box_approaches_the_outputs_of_the_target(source, target):
    x = datasets.inputs(datasets.load("digits"), "train")[::5]

    def distance(some):
        even = [torch.from_numpy(np.array(part.even_weights)) for part in some.layers]
        gain = lth.networks.plan(target, DOMAIN, 0.5, some.law).scaling.gain
        found = bridge.outputs(even, bridge.wiring(some, "pruned"), torch.from_numpy(x), gain).numpy()
        return np.square(found - target(x)).sum(axis=1).mean()

    recipe = dataclasses.replace(bridge.RECIPE, epochs=5, lr=1e-3, optimizer="adam")
    assert distance(move(source, target, "distil", perturbation=0.2, recipe=recipe)) < 0.5 * distance(source)


def test_candidates_of_one_weight_get_one_gradient_when_each_unit_reads_one_input(source, target):
    end = move(source, target, "psgd", recipe=dataclasses.replace(QUICK, lr=1e-12))
    part, drawn = end.layers[0], source.layers[0]
    steps = part.even_weights - drawn.even_weights
    for place in (5, 20, 36):
        units = drawn.serving(place, 1)
        assert units.size == 6
        assert np.allclose(steps[:, units], steps[:, units[:1]], atol=1e-15)


@pytest.mark.parametrize("kind", ["none", "best", *MOVERS])
def test_every_arm_is_pruned_certified_and_checked(kind, moved, target):
    free = SIZE if kind == "best" else 0.0
    strong = bridge.approximate_perturbed(
        target, perturb=kind, perturbation=SIZE, width=6, domain=DOMAIN, tol=0.5, seed=SEED, recipe=QUICK
    )
    expected = lth.approximate(target, domain=DOMAIN, tol=0.5, source=moved[kind], perturbation=free, seed=SEED)
    assert all(np.array_equal(a.keep, b.keep) for a, b in zip(strong.layers, expected.layers, strict=True))
    assert lth.certify(target, strong, domain=DOMAIN).certificate.ok
    needed = np.concatenate(lth.candidates_needed(target, moved[kind], domain=DOMAIN, tol=0.5, perturbation=free))
    assert int((needed < 0).sum()) == len(strong.unserved)


def test_candidates_needed_agree_with_pruning_at_every_width(target):
    source = lth.random_source(target, domain=DOMAIN, width=8, seed=SEED)
    needed = lth.candidates_needed(target, source, domain=DOMAIN, tol=0.5)
    for width in (2, 5, 8):
        strong = lth.approximate(target, domain=DOMAIN, tol=0.5, width=width, seed=SEED)
        missed = [sum(item.layer == layer for item in strong.unserved) for layer in (1, 2)]
        assert missed == [int(((part < 0) | (part > width)).sum()) for part in needed]


def test_bad_input_is_refused_by_name(source, target):
    for settings, name in (
        ({"kind": "better"}, "perturb"),
        ({"kind": "psgd", "trained": "half"}, "trained"),
        ({"kind": "psgd", "perturbation": -1.0}, "perturbation"),
        ({"kind": "random", "perturbation": float("nan")}, "perturbation"),
        ({"kind": "psgd", "perturbation": 1e-300}, "holds one point"),
        ({"kind": "psgd", "data": "mnits"}, "mnits"),
    ):
        with pytest.raises(InputError, match=name):
            move(source, target, **settings)
    narrow = lth.Network.from_arrays([[[0.3, -0.2]]])
    with pytest.raises(InputError, match="64 pixels"):
        move(lth.random_source(narrow, domain=DOMAIN, width=2, seed=0), narrow, "psgd")


def test_the_command_composes_it(target, tmp_path, capsys):
    target.save(tmp_path / "target.npz")
    words = ["approximate", str(tmp_path / "target.npz"), "--tol", "0.5", "--perturbation", "0.01", "--json"]
    assert cli.main([*words, "--perturb", "random", "--width", "6", "--out", str(tmp_path / "t.safetensors")]) == 1
    assert '"source_moved_by": 0.01' in capsys.readouterr().out
    assert lth.Subnetwork.load(tmp_path / "t.safetensors").source.perturbation_used == 0.01
    assert cli.main([*words, "--perturb", "best", "--width", "14"]) == 0
    assert cli.main([*words, "--perturb", "psgd"]) == 2
    assert "--width: got smallest" in capsys.readouterr().err
    assert cli.main([*words, "--perturb", "psgd", "--width", "6", "--certificate", str(tmp_path / "c.json")]) == 2
    assert "weights that a seed derives" in capsys.readouterr().err
