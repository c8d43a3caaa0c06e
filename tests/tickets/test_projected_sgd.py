"""Projected SGD inside the one training loop: the box holds at every step in exact arithmetic, whatever the types, momentum and weight decay."""

import dataclasses
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import strong_lth as lth
import strong_lth.tickets as T
from strong_lth.core import InputError
from strong_lth.tickets import boxes, models
from strong_lth.tickets.backend import Backend
from strong_lth.tickets.hooks import Hooks, Phase
from strong_lth.tickets.methods.projected_sgd import weights_of
from strong_lth.tickets.states import masked

RECIPE = T.Recipe(epochs=2, batch=256, lr=0.1, momentum=0.9, weight_decay=5e-3)


class Typed(nn.Module):
    """A small network with ``double`` weights, or float32 ones."""

    def __init__(self, double):
        super().__init__()
        inner = models.mlp_bn((1, 8, 8), 10, (12,))
        self.inner = inner.double() if double else inner

    def forward(self, x):
        return self.inner(x.to(self.inner[1].weight.dtype))


def task(kind="float32", recipe=RECIPE):
    """``kind``: float32, float64, or bfloat16 autocast over float32 weights."""
    backend = Backend(precision="bfloat16" if kind == "autocast" else "float32")
    return T.Task(model=partial(Typed, kind == "float64"), name=f"typed-{kind}", recipe=recipe, backend=backend)


@dataclasses.dataclass(frozen=True, eq=False)
class Checked:
    """The hook, followed by an exact check of what it did."""

    hook: object
    start: dict
    size: float
    shape: str
    steps: list

    def __call__(self, params, scalars):
        self.hook(params, scalars)
        found = lth.verify_perturbation(arrays(self.start), arrays(params), self.size, shape=self.shape)
        assert found.ok, found.failures
        self.steps.append(found.value)


def arrays(state):
    return {name: tensor.detach().numpy() for name, tensor in state.items()}


@pytest.mark.parametrize("size", [0.0, 1e-7, 1e-5, 1e-3, 0.1])
@pytest.mark.parametrize("kind", ["float32", "float64", "autocast"])
def test_the_box_holds_exactly_at_every_step(kind, size):
    view = T.view(task(kind))
    state = view.fresh(3)
    start = weights_of(view, state)
    steps = []
    hook = Checked(boxes.stay(start, size), start, size, "box", steps)
    end = view.train(state, None, Phase(RECIPE, Hooks(after_step=hook)), order=0).state
    assert len(steps) == 2 * view.steps_per_epoch
    assert max(steps) <= size
    assert max(steps) >= 0.9 * size or size == 0.1
    if size == 0:
        assert all(end[name].numpy().tobytes() == tensor.numpy().tobytes() for name, tensor in start.items())


@pytest.mark.parametrize(("shape", "size"), [("relative", 1e-2), ("ball", 0.3)])
def test_other_shapes_hold_exactly_at_every_step(shape, size):
    view = T.view(task())
    state = view.fresh(3)
    start = weights_of(view, state)
    hook = Checked(boxes.stay(start, size, shape), start, size, shape, [])
    view.train(state, None, Phase(RECIPE, Hooks(after_step=hook)), order=0)
    assert len(hook.steps) == 2 * view.steps_per_epoch


def test_a_box_wider_than_all_motion_is_plain_sgd_bit_for_bit():
    ends = []
    for kind in ("float32", "float64", "autocast"):
        view = T.view(task(kind))
        state = view.fresh(1)
        free = view.train(state, None, RECIPE, order=0).state
        ends.append(free["inner.1.weight"].double())
        for method in (T.ProjectedSGD(1e3), T.ProjectedSGD(1e6, shape="ball")):
            held = method.move(view, state, T.Seeds(init=1, order=2, track=0))
            assert all(held[name].numpy().tobytes() == free[name].numpy().tobytes() for name in free)
        narrow = T.ProjectedSGD(1e-3).move(view, state, T.Seeds(init=1, order=2, track=0))
        assert not torch.equal(narrow["inner.1.weight"], free["inner.1.weight"])
    assert all(not torch.equal(ends[0], other) for other in ends[1:])  # the types were at work


def test_a_wider_box_lets_the_network_learn_more():
    loss = [
        T.view(task()).validate(T.find(T.ProjectedSGD(size), task(), 1.0, seed=0).state)[0] for size in (0.0, 1e-2, 1.0)
    ]
    assert loss[0] > 1.03 * loss[1] > 1.06 * loss[2]


def test_the_ticket_keeps_the_weights_of_its_box_and_says_as_is():
    for move in (T.ProjectedSGD(1e-2), T.RandomPerturbation(1e-2)):
        for order in ("before", "after"):
            method = T.Perturbed(move, T.RandomMask(), order)
            ticket = T.find(method, task(), 0.4, seed=2)
            view = T.view(task())
            start = arrays(weights_of(view, view.fresh(T.Seeds.of(2).init)))
            after = arrays(weights_of(view, ticket.state))
            kept = {n: after[n] * ticket.mask.tensors[n] if n in ticket.mask.tensors else after[n] for n in after}
            assert ticket.use == "as-is"
            found = lth.verify_perturbation(start, kept, 1e-2, mask=ticket.mask)
            assert found.ok
            assert found.value > 0.009
            assert method.name.index(move.name) < method.name.index("random (") or order == "after"


@pytest.mark.parametrize("order", ["before", "after"])
def test_edge_popup_in_a_box_starts_from_the_law_of_the_search(order):
    method = T.Perturbed(T.ProjectedSGD(1e-2), T.EdgePopup(init="uniform"), order)
    ticket = T.find(method, task(), 0.4, seed=1)
    view = T.view(task())
    start = arrays(weights_of(view, view.fresh(T.Seeds.of(1).init, "uniform")))
    found = lth.verify_perturbation(
        start, arrays(weights_of(view, masked(ticket.state, ticket.mask))), 1e-2, mask=ticket.mask
    )
    assert found.ok
    assert 0.009 < found.value <= 1e-2


def test_the_ball_of_the_reverse_order_is_around_the_kept_weights():
    """Removed weights are 0 from the first step on; as part of the distance they would leave the kept ones no room."""
    for move in (T.ProjectedSGD(0.3, shape="ball"), T.RandomPerturbation(0.3, shape="ball")):
        ticket = T.find(T.Perturbed(move, T.RandomMask(), "after"), task(), 0.4, seed=2)
        view = T.view(task())
        start = view.fresh(T.Seeds.of(2).init)
        found = lth.verify_perturbation(
            arrays(weights_of(view, start)),
            arrays(weights_of(view, masked(ticket.state, ticket.mask))),
            0.3,
            shape="ball",
            mask=ticket.mask,
        )
        assert found.ok
        assert found.value > 0.29


def test_what_a_search_in_a_box_costs_includes_the_box():
    moved, drawn, search = T.ProjectedSGD(1e-2), T.RandomPerturbation(1e-2), T.EdgePopup()
    costs = {(1, 1): T.Perturbed(moved, search), (1, 0): T.Perturbed(moved, T.RandomMask()), (0, 1): T.Perturbed(drawn)}
    for (training, searching), method in costs.items():
        found = T.find(method, task(), 0.4).cost
        assert found.epochs == (training + searching) * RECIPE.epochs


def test_a_search_that_moves_weights_is_refused():
    with pytest.raises(InputError, match="leaves the weights alone"):
        T.find(T.Perturbed(search=T.LRR()), task(), 0.4)
    with pytest.raises(InputError, match="order"):
        T.Perturbed(order="during")
    with pytest.raises(InputError, match="density 1"):
        T.find(T.ProjectedSGD(), task(), 0.5)


def test_a_diverging_training_in_a_wide_box_stops_and_names_epoch_and_rate():
    wild = dataclasses.replace(RECIPE, lr=1e30)
    with pytest.raises(T.DivergedError, match=r"recipe.lr: got .*e\+29; the loss was nan in epoch 1 "):
        T.find(T.ProjectedSGD(1e35, recipe=wild), task(), 1.0)


def test_rows_say_how_often_the_projection_acts():
    rows = []
    T.find(T.ProjectedSGD(1e-3), task(), 1.0, report=rows.append)
    wide = []
    T.find(T.ProjectedSGD(1e3), task(), 1.0, report=wide.append)
    assert rows[-1].watched["at_ends"] > 0.3
    assert rows[-1].watched["single_points"] == 0
    assert wide[-1].watched["at_ends"] == 0


def test_random_perturbations_differ_by_seed_and_repeat():
    view = T.view(task())
    state = view.fresh(0)
    first, again, other = (T.RandomPerturbation(0.1).move(view, state, T.Seeds.of(seed)) for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["inner.1.weight"], other["inner.1.weight"])
    assert np.array_equal(first["inner.2.running_mean"], state["inner.2.running_mean"])
