"""A Winning Sign: the interpolated normalisation, and what a transfer takes over."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import strong_lth.tickets as T
from strong_lth.tickets.hooks import Hooks, Phase
from strong_lth.tickets.methods.aws import InterpolatedNormalisation

RECIPE = T.Recipe(epochs=2, batch=128, schedule="constant")
MODELS = ["mlp-bn", "conv-bn-tiny", "resnet-tiny"]


def task(model="mlp-bn"):
    return T.Task(model=model, recipe=RECIPE)


@pytest.mark.parametrize("model", MODELS)
def test_without_alpha_it_is_learning_rate_rewinding_bit_for_bit(model):
    pairs = [
        list(T.levels(method, task(model), (0.7,)))
        for method in (T.LRR(recipe=RECIPE), T.AWS(recipe=RECIPE, dense_recipe=RECIPE, largest_alpha=0.0))
    ]
    for (a, _), (b, _) in zip(*pairs, strict=True):
        assert all(torch.equal(a.end[name], b.end[name]) for name in a.end)
        assert all(np.array_equal(a.mask.tensors[name], b.mask.tensors[name]) for name in a.mask.tensors)


@pytest.mark.parametrize("model", MODELS)
def test_with_alpha_one_the_normalisation_feels_no_loss(model):
    view = T.view(task(model))
    names = (*view.layout.scales, *view.layout.offsets)
    assert len(names) >= 4
    hook = InterpolatedNormalisation(view.layout.scales, view.layout.offsets)
    still = replace(RECIPE, weight_decay=0.0)
    start = view.fresh(0)
    for alpha, moves in ((1.0, False), (0.5, True)):
        hooks = Hooks(effective=hook, scalars={"alpha": np.full(2 * view.steps(RECIPE), alpha)})
        end = view.train(start, None, Phase(still, hooks), order=0).state
        assert any(not torch.equal(end[name], start[name]) for name in names) is moves


def test_the_interpolation_is_the_formula():
    hook = InterpolatedNormalisation(("g",), ("b",))
    params = {"g": torch.tensor([3.0]), "b": torch.tensor([2.0]), "w": torch.tensor([5.0])}
    used = hook(params, {"alpha": torch.tensor(0.25)})
    assert float(used["g"]) == 0.25 + 0.75 * 3
    assert float(used["b"]) == 0.75 * 2
    assert used["w"] is params["w"]


def test_a_model_without_normalisation_is_refused():
    with pytest.raises(ValueError, match="AWS needs one with BatchNorm"):
        T.find(T.AWS(), T.Task(model="lenet-300-100"), 0.5)


@pytest.fixture(scope="module")
def source():
    """The last level of AWS, as a transfer sees it, with the fresh network of the transfer."""
    method, seeds = T.AWS(recipe=RECIPE), T.Seeds.of(3)
    view = T.view(task("conv-bn-tiny"))
    return view, list(method.track(view, (0.5,), seeds.source()))[-1], seeds


def test_signs_are_the_learned_ones_and_magnitudes_the_initial_ones(source):
    view, level, seeds = source
    ticket = T.SignTransfer(T.AWS(recipe=RECIPE)).ticket(level, view, seeds)
    fresh = view.fresh(seeds.init)
    for name, keep in level.mask.tensors.items():
        kept = torch.from_numpy(keep)
        assert torch.equal(torch.sign(ticket.state[name][kept]), torch.sign(level.end[name][kept]))
        assert torch.equal(ticket.state[name].abs(), fresh[name].abs())
    for name in view.layout.classifier:
        assert torch.equal(ticket.state[name].abs(), fresh[name].abs())
    weight = view.layout.classifier[0]
    assert torch.equal(torch.sign(ticket.state[weight]), torch.sign(level.end[weight]))
    assert all(torch.equal(ticket.state[name], fresh[name]) for name in view.layout.normalisation)


def test_the_init_of_a_transfer_is_not_that_of_its_source(source):
    view, _, seeds = source
    lender = view.fresh(seeds.source().init)
    assert all(not torch.equal(lender[name].abs(), view.fresh(seeds.init)[name].abs()) for name in view.layout.shapes)


@pytest.mark.parametrize("kind", [T.SignTransfer, T.MaskTransfer])
def test_trained_normalisation_travels_with_its_statistics(source, kind):
    view, level, seeds = source
    ticket = kind(T.AWS(recipe=RECIPE), normalisation="trained").ticket(level, view, seeds)
    assert any("running_mean" in name for name in view.layout.normalisation)
    assert all(torch.equal(ticket.state[name], level.end[name]) for name in view.layout.normalisation)


def test_a_mask_transfer_takes_the_mask_only(source):
    view, level, seeds = source
    ticket, fresh = T.MaskTransfer(T.AWS(recipe=RECIPE)).ticket(level, view, seeds), view.fresh(seeds.init)
    assert all(torch.equal(ticket.state[name], fresh[name]) for name in fresh)
    assert ticket.mask is level.mask


def test_random_signs_keep_the_ratio_of_each_layer_and_constants_have_one_size(source):
    view, level, seeds = source
    ticket = T.SignTransfer(T.AWS(recipe=RECIPE), signs="random", magnitudes="constant").ticket(level, view, seeds)
    for name, keep in level.mask.tensors.items():
        kept = torch.from_numpy(keep)
        ours, learned = ticket.state[name][kept], level.end[name][kept]
        assert int((ours > 0).sum()) == int((learned > 0).sum())
        assert not torch.equal(torch.sign(ours), torch.sign(learned))
        assert len(torch.unique(ours.abs())) == 1


def test_a_kept_weight_that_ended_at_zero_keeps_its_initial_sign(source):
    view, level, seeds = source
    name = next(iter(level.mask.tensors))
    end = {**level.end, name: torch.zeros_like(level.end[name])}
    ticket = T.SignTransfer(T.AWS(recipe=RECIPE)).ticket(replace(level, end=end), view, seeds)
    assert torch.equal(ticket.state[name], view.fresh(seeds.init)[name])


@pytest.mark.parametrize("lender", [T.Dense(), T.OneShotMagnitude()])
def test_a_transfer_needs_a_track(lender):
    with pytest.raises(ValueError, match="track passes through all densities"):
        T.SignTransfer(lender)
