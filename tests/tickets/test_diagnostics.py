"""Diagnostics: each against a case whose answer is known."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import strong_lth.tickets as T
from strong_lth.networks import Mask
from strong_lth.tickets.diagnostics import flips, functions, paths, verdicts, weights
from strong_lth.tickets.states import load_state, score
from strong_lth.tickets.task import build, prepared

TASK = T.Task(recipe=T.Recipe(epochs=3, batch=128))


@pytest.fixture(scope="module")
def trained():
    """Dense networks: one init in two orders, and another init."""
    view = T.view(TASK)
    return [
        view.train(view.fresh(init), None, TASK.recipe, order=order).state for init, order in ((0, 0), (0, 1), (1, 0))
    ]


def test_the_ends_of_a_path_are_the_networks(trained):
    line = paths.path(TASK, trained[0], trained[2], points=5, statistics="interpolated")
    module = build(TASK, 0)
    for state, at in ((trained[0], 0), (trained[2], -1)):
        load_state(module, state, {})
        loss, accuracy = score(module, prepared(TASK).validation)
        assert line.error[at] == pytest.approx(1 - accuracy)
        assert line.loss[at] == pytest.approx(loss)
    assert line.points.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert (line.statistics, line.part) == ("interpolated", "validation")


def test_two_inits_are_apart_and_two_orders_of_one_are_not(trained):
    near = paths.path(TASK, trained[0], trained[1], points=9)
    far = paths.path(TASK, trained[0], trained[2], points=9)
    assert near.barrier < 0.03 < 0.1 < far.barrier
    assert 0 < near.distance < far.distance
    assert near.loss_barrier < far.loss_barrier


def test_a_network_with_itself_is_refused(trained):
    with pytest.raises(ValueError, match="the same network twice"):
        paths.path(TASK, trained[0], dict(trained[0]))
    with pytest.raises(ValueError, match="two different seeds"):
        paths.instability(TASK, T.find(T.RandomMask(), TASK, 0.5), (1, 1))
    with pytest.raises(ValueError, match="statistics"):
        paths.path(TASK, trained[0], trained[1], statistics="old")


def test_barriers_are_the_formulas():
    line = paths.Path(
        np.array([0, 0.5, 1]), np.array([0.1, 0.6, 0.3]), np.array([1.0, 4.0, 3.0]), 1.0, "re-estimated", "train"
    )
    assert line.barrier == pytest.approx(0.4)
    assert line.midpoint == pytest.approx(0.4)
    assert line.loss_barrier == pytest.approx(2.0)


def test_reestimated_statistics_are_those_of_the_data(trained):
    module = build(TASK, 0)
    load_state(module, trained[0], {})
    images = prepared(TASK).training
    paths.reestimate(module, images, size=10_000)
    first = module[1](module[0](images.inputs(images.pixels)))
    assert torch.allclose(module[2].running_mean, first.mean(dim=0), atol=1e-4)
    assert torch.allclose(module[2].running_var, first.var(dim=0), rtol=1e-3)
    assert module[2].momentum == 0.1
    assert not module.training


def test_instability_trains_two_orders_of_one_ticket():
    ticket = T.find(T.RandomMask(), TASK, 0.5)
    line = paths.instability(TASK, ticket, (5, 6), points=5)
    ends = [T.evaluate(ticket, TASK, seed=order).state for order in (5, 6)]
    assert line.distance == pytest.approx(paths.path(TASK, *ends, points=5).distance)
    assert line.barrier < 0.2


def test_the_path_of_the_normalisation_ends_at_gamma_one_beta_zero(trained):
    view = T.view(TASK)
    line = paths.normalisation_path(TASK, trained[0], view.dense(), points=3)
    names = view.layout.scales, view.layout.offsets
    squares = sum(float((trained[0][n] - 1).square().sum()) for n in names[0])
    squares += sum(float(trained[0][n].square().sum()) for n in names[1])
    assert line.distance == pytest.approx(math.sqrt(squares), rel=1e-4)
    with pytest.raises(ValueError, match="no normalisation"):
        paths.normalisation_path(T.Task(model="lenet-300-100"), {}, view.dense())


def test_successive_levels_get_a_verdict():
    task = replace(TASK, recipe=replace(TASK.recipe, epochs=8))
    levels = [level for level, _ in T.levels(T.LRR(), task, (0.6,))]
    steps = verdicts.successive(task, levels)
    assert [(s.above, s.below) for s in steps] == [(a.density, b.density) for a, b in itertools.pairwise(levels)]
    assert all(step.place is verdicts.place(step.path.barrier, step.angle) for step in steps)
    assert steps[-1].place is verdicts.Place.SAME_BASIN


def test_angles():
    one, two = {"w": torch.tensor([1.0, 0.0, 5.0])}, {"w": torch.tensor([0.0, 2.0, 9.0])}
    mask = Mask({"w": np.array([True, True, False])})
    full = Mask({"w": np.array([True, True, True])})
    assert weights.angular_distance(one, two, mask, full) == pytest.approx(1)
    assert weights.angular_distance(one, one, full, full) == pytest.approx(0, abs=1e-6)
    assert weights.angular_distance(one, {"w": -one["w"]}, full, full) == pytest.approx(2)


def test_signs_of_zeros_are_not_counted():
    a, b = {"w": torch.tensor([1.0, 0.0, -1.0])}, {"w": torch.tensor([1.0, 1.0, 1.0])}
    assert weights.sign_agreement(a, b, Mask({"w": np.array([True, True, True])})) == {"w": 0.5, "all": 0.5}
    assert math.isnan(weights.sign_agreement(a, b, Mask({"w": np.array([False, True, False])}))["all"])


def test_learned_signs_differ_from_initial_ones(trained):
    view = T.view(TASK)
    kept = weights.sign_agreement(trained[0], view.fresh(0), view.dense())
    other = weights.sign_agreement(trained[0], view.fresh(1), view.dense())
    assert set(kept) == {*view.layout.shapes, "all"}
    assert 0.9 < kept["all"] < 1
    assert other["all"] == pytest.approx(0.5, abs=0.03)


def test_overlap_of_random_masks_is_chance():
    masks = [T.find(T.RandomMask(), TASK, 0.3, seed).mask for seed in (0, 1)]
    found = weights.mask_overlap(*masks)
    assert found["shared"] == pytest.approx(found["chance"], abs=0.03)
    assert weights.mask_overlap(masks[0], masks[0])["jaccard"] == 1


def test_top_overlap_of_unrelated_weights_is_the_share(trained):
    names = tuple(T.view(TASK).layout.shapes)
    assert weights.top_overlap(trained[0], trained[2], names, 0.2) == pytest.approx(0.2, abs=0.04)
    assert weights.top_overlap(trained[0], trained[1], names, 0.2) > 0.5


def test_histogram_and_densities():
    mask = T.find(T.RandomMask(), TASK, 0.25).mask
    edges, counts = weights.weight_histogram(T.view(TASK).fresh(0), mask, bins=11)
    assert counts.sum() == mask.kept
    assert edges[0] == -edges[-1]
    assert all(value == pytest.approx(0.25, abs=1e-3) for value in weights.layer_densities(mask).values())


def test_networks_of_one_init_are_nearly_one_function(trained):
    near, far = functions.diversity(TASK, trained[:2]), functions.diversity(TASK, [trained[0], trained[2]])
    assert 0 < near.disagreement <= far.disagreement
    assert near.gain == pytest.approx(near.ensemble - near.accuracy)
    assert abs(near.gain) < 0.05
    with pytest.raises(ValueError, match="at least two"):
        functions.diversity(TASK, trained[:1])


@pytest.mark.parametrize(
    ("change", "prize"),
    [
        ({}, "jackpot"),
        ({"well_trained": 0.95}, "secondary prize"),
        ({"sparsity": 0.5}, "none"),
        ({"small_dense": 0.93}, "none"),
        ({"reinitialized": {0.1: 0.85, 0.01: 0.93}}, "none"),
        ({"dense": {0.1: 0.94}, "well_trained": 0.93}, "none"),
    ],
)
def test_the_criteria_of_ma(change, prize):
    facts = {
        "sparsity": 0.8,
        "ticket": {0.1: 0.93, 0.01: 0.91},
        "reinitialized": {0.1: 0.90},
        "dense": {0.1: 0.932},
        "well_trained": 0.934,
        "small_dense": 0.9,
    }
    assert verdicts.ma_verdict(**{**facts, **change}).prize == prize


# --- sign flips over time ----------------------------------------------------------------------------------------------------------------


def test_flips_are_counted_by_hand():
    """+ - - + for one weight, + 0 + + for one that only touches 0, 0 - - - for one that starts there, and a removed one that does not count."""
    mask = Mask({"w": np.array([True, True, True, False])})
    watch = flips.Watch({"w": torch.tensor([1.0, 1.0, 0.0, 1.0])}, mask, 2, 0, 3)
    for values in ([-1.0, 0.0, -1.0, -1.0], [-2.0, 1.0, -1.0, 1.0], [3.0, 1.0, -1.0, -1.0]):
        watch({"w": torch.tensor(values)}, {})
    found = watch.found()
    assert found.last.tolist() == [3, 0, 0]
    assert found.counts.tolist() == [2, 0, 0]
    assert [row["step"] for row in found.rows] == [2, 3]
    assert [row["flips"] for row in found.rows] == pytest.approx([1 / 3, 1 / 3])
    assert [row["differ"] for row in found.rows] == pytest.approx([1 / 3, 0])
    assert found.ever == pytest.approx(1 / 3)
    assert (found.settled(0.5), found.settled(1)) == (3, 3)


def test_flips_agree_with_the_signs_of_the_ends_and_change_no_bit():
    view, recipe = T.view(TASK), TASK.recipe
    ticket = T.find(T.RandomMask(), TASK, 0.5)
    plain = view.train(ticket.state, ticket.mask, recipe, order=3).state
    ends = []
    for every in (1, 7):
        state, found = flips.sign_flips(view, ticket.state, ticket.mask, recipe, order=3, every=every)
        assert all(torch.equal(state[name], plain[name]) for name in plain)
        assert found.rows[-1]["step"] == recipe.epochs * view.steps(recipe)
        ends.append(found)
    fine, coarse = ends
    agreement = weights.sign_agreement(plain, ticket.state, ticket.mask)["all"]
    assert fine.rows[-1]["differ"] == pytest.approx(1 - agreement, abs=1e-9)
    assert np.array_equal(fine.last, coarse.last)
    assert sum(row["flips"] for row in fine.rows) == pytest.approx(sum(row["flips"] for row in coarse.rows))
    assert sum(row["flips"] for row in fine.rows) == pytest.approx(fine.counts.mean())
    assert 0 < fine.rows[-1]["differ"] <= fine.ever < 1  # an even number of flips leaves the sign as it was
    assert 0 < fine.settled(0.5) <= fine.settled(1.0) <= fine.rows[-1]["step"]


def test_flips_from_a_rewound_step_and_bad_input():
    view, recipe = T.view(TASK), TASK.recipe
    start, steps = view.fresh(0), recipe.epochs * view.steps(recipe)
    _, found = flips.sign_flips(view, start, view.dense(), recipe, order=0, step=steps - 4)
    assert [row["step"] for row in found.rows] == list(range(steps - 3, steps + 1))
    with pytest.raises(ValueError, match="every"):
        flips.sign_flips(view, start, view.dense(), recipe, order=0, every=0)
    with pytest.raises(ValueError, match="share"):
        found.settled(0)
