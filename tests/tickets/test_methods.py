"""What distinguishes each method, as statements about its levels."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

import strong_lth.tickets as T
from strong_lth.tickets.hooks import EpochRow, Hooks, Phase, Signal
from strong_lth.tickets.methods.rst import nested_masks, ramp_values, shortest_ramp
from strong_lth.tickets.methods.stable_rewinding import Repulsion, repulsion
from strong_lth.tickets.methods.unilth import Patience

RECIPE = T.Recipe(epochs=2, batch=128)
TASK = T.Task(recipe=RECIPE)
SEEDS = T.Seeds.of(0)


def track(method, densities=(0.6,), seeds=SEEDS, task=TASK):
    return [level for level, _ in T.levels(method, task, densities, seeds)]


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def on(mask, state, name):
    return state[name][torch.from_numpy(mask.tensors[name])]


# --- magnitude pruning -------------------------------------------------------------------------------------------------------------------


def test_imp_starts_every_level_at_the_initial_weights():
    levels = track(T.IMP())
    assert [level.mask.kept for level in levels] == [8192, 6554, 5243, 4915]
    assert all(same(level.start, T.view(TASK).fresh(SEEDS.init)) for level in levels)


def test_imp_removes_the_smallest_of_the_trained_weights_of_all_layers():
    for above, below in zip(*(lambda x: (x, x[1:]))(track(T.IMP())), strict=False):
        alive = torch.cat([on(above.mask, above.end, name).abs() for name in above.mask.tensors])
        kept = torch.cat([on(below.mask, above.end, name).abs() for name in below.mask.tensors])
        assert torch.equal(kept.sort().values, alive.sort().values[-len(kept) :])


def test_training_a_ticket_of_imp_repeats_the_last_round_bit_for_bit():
    for rewind in (0, 5):
        *_, (level, ticket) = T.levels(T.IMP(rewind=rewind), TASK, (0.6,), SEEDS)
        assert same(T.evaluate(ticket, TASK, seed=SEEDS.track).state, level.end)


def test_imp_rewinds_to_the_weights_of_step_k():
    view = T.view(TASK)
    early = view.train(view.fresh(SEEDS.init), None, RECIPE, order=SEEDS.track, until=5).state
    assert all(same(level.start, early) for level in track(T.IMP(rewind=5)))
    with pytest.raises(ValueError, match="rewind to before the end, step 20"):
        track(T.IMP(rewind=20))


def test_lrr_goes_on_from_where_it_is():
    levels = track(T.LRR())
    assert len(levels) == 4
    for above, below in itertools.pairwise(levels):
        assert same(above.end, below.start)
    assert not same(levels[0].start, levels[1].start)


def test_imp_and_lrr_share_the_dense_level():
    assert same(track(T.IMP())[0].end, track(T.LRR())[0].end)


def test_one_shot_prunes_once_from_the_dense_solution():
    (level,) = track(T.OneShotMagnitude(), (0.1,))
    dense = track(T.IMP())[0]
    assert same(level.end, dense.end)
    alive = torch.cat([dense.end[name].abs().reshape(-1) for name in level.mask.tensors])
    kept = torch.cat([on(level.mask, dense.end, name).abs() for name in level.mask.tensors])
    assert torch.equal(kept.sort().values, alive.sort().values[-819:])
    initial, trained = (T.find(T.OneShotMagnitude(weights), TASK, 0.1) for weights in ("initial", "trained"))
    assert same(initial.state, level.start)
    assert same(trained.state, level.end)


def test_a_random_mask_may_copy_the_layers_of_a_method():
    imp, control = track(T.IMP())[-1], track(T.RandomMask(T.IMP()))[-1]
    for name in imp.mask.tensors:
        assert imp.mask.tensors[name].sum() == control.mask.tensors[name].sum()
        assert not np.array_equal(imp.mask.tensors[name], control.mask.tensors[name])
    assert len({round(float(keep.mean()), 3) for keep in imp.mask.tensors.values()}) > 1


# --- RST ---------------------------------------------------------------------------------------------------------------------------------

PUSH = replace(RECIPE, lr=0.02, schedule="constant")
FAST = T.RST(ramp=200, hold=20, recipe=PUSH)


def test_the_mask_of_rst_is_random_and_independent_of_the_weights():
    one, other_init, other_track = (
        track(FAST, seeds=seeds)[0].mask.tensors for seeds in (SEEDS, replace(SEEDS, init=99), replace(SEEDS, track=99))
    )
    assert all(np.array_equal(one[name], other_init[name]) for name in one)
    assert not any(np.array_equal(one[name], other_track[name]) for name in one)


def test_rst_empties_the_weights_it_removes_and_its_control_does_not():
    (pushed,), (control,) = track(FAST), track(replace(FAST, penalty=False))
    assert all(np.array_equal(pushed.mask.tensors[n], control.mask.tensors[n]) for n in pushed.mask.tensors)
    ratios = {
        level: [row["removed_over_kept"] for row in level.notes["removed_over_kept"]] for level in (pushed, control)
    }
    assert ratios[pushed][-1] < 0.02 < 0.5 < ratios[control][-1]
    assert ratios[pushed][-1] < ratios[pushed][0]
    assert pushed.cost.steps == control.cost.steps == 220


def test_rst_does_not_rewind_and_charges_its_transformation():
    ((level, ticket),) = T.levels(FAST, TASK, (0.6,), SEEDS)
    assert same(ticket.state, level.end)
    assert ticket.cost.steps == 220


@pytest.mark.parametrize("growth", ["linear", "square", "cubic"])
@pytest.mark.parametrize("lr", [0.001, 0.01, 0.1])
def test_the_scaled_ramp_is_the_shortest_that_removes(growth, lr):
    recipe = T.Recipe(lr=lr)
    steps = shortest_ramp(recipe, 1.0, growth)
    force = [lr / 0.1 * ramp_values(n, 0, 1.0, growth).sum() for n in (steps - 1, steps)]
    assert force[0] < 10 <= force[1]


@pytest.mark.parametrize("change", [{"recipe": PUSH}, {"recipe": replace(PUSH, lr=0.2)}, {"ceiling": 0.5}, {}])
def test_the_ramp_left_open_is_the_shortest_for_the_recipe_and_ceiling_in_use(change, monkeypatch):
    """One taken from the task's learning rate would leave the weights where they are at a smaller one."""
    method, honest, seen = T.RST(**change), T.TaskView.train, []

    def train(self, state, mask, phase, **rest):
        seen.append((phase, rest))
        return honest(self, state, mask, phase, **{**rest, "until": 1})

    monkeypatch.setattr(T.TaskView, "train", train)
    list(method.track(T.view(TASK), (0.5,), SEEDS))
    ((phase, rest),) = seen
    lambdas, recipe = phase.hooks.scalars["lambda"][: rest["until"]], phase.recipe
    ramp = int(np.argmax(lambdas >= method.ceiling)) + 1
    force = recipe.lr / (1 - recipe.momentum) * lambdas[:ramp]
    assert lambdas.max() == method.ceiling
    assert 10 <= force.sum() < 10 + 2 * force[-1]
    assert rest["until"] == ramp + int(np.ceil(0.8 * ramp))


@pytest.mark.parametrize("lr", [0.0, 1e-9])
def test_a_learning_rate_at_which_no_ramp_removes_is_refused(lr):
    for method in (T.RST(), T.UniLTH()):
        with pytest.raises(ValueError, match=r"recipe\.lr: got .*; give a larger one"):
            T.find(method, T.Task(recipe=replace(RECIPE, lr=lr)), 0.5)


def test_a_weight_without_data_gradient_shrinks_as_derived():
    """Authors' one-shot ramp on w' = -lr * (momentum of lambda w): half at iteration 2,610, a tenth at 4,765, a hundredth at 6,738."""
    lambdas = np.repeat(np.arange(1, 1601) * 1e-4, 5)
    w, velocity, sizes = 1.0, 0.0, []
    for value in lambdas:
        velocity = 0.9 * velocity + (value + 5e-4) * w  # with the authors' weight decay
        w -= 1e-3 * velocity
        sizes.append(w)
    first = [next(i + 1 for i, size in enumerate(sizes) if size <= level) for level in (0.5, 0.1, 0.01)]
    assert np.allclose(first, [2610, 4765, 6738], atol=3)
    ours = ramp_values(50_000, 0, 1.0, "linear")[: len(lambdas)]
    assert np.abs(ours - lambdas).max() <= 1e-4


def test_iterative_rst_removes_as_the_authors_do():
    published = {0.5: [0.1294, 0.2421, 0.3402, 0.4257, 0.5], 0.9: [0.3690, 0.6019, 0.7488, 0.8415, 0.9]}
    view = T.view(TASK)
    for sparsity, expected in published.items():
        masks = list(nested_masks(view, view.kept(1 - sparsity), 5, SEEDS))
        assert np.allclose([1 - mask.density for mask in masks], expected, atol=2e-4)
        for above, below in itertools.pairwise(masks):
            assert not any(np.any(below.tensors[n] & ~above.tensors[n]) for n in below.tensors)
    assert masks[-1].kept == view.kept(0.1)


def test_iterative_rst_keeps_or_deletes_what_it_removed():
    for delete in (False, True):
        (level,) = track(replace(FAST, cycles=2, delete=delete), (0.3,))
        first = next(iter(nested_masks(T.view(TASK), level.mask.kept, 2, SEEDS)))
        gone = torch.cat([level.end[n][torch.from_numpy(~keep)] for n, keep in first.tensors.items()])
        assert bool(torch.all(gone == 0)) is delete
        assert {row["cycle"] for row in level.notes["removed_over_kept"]} == {0, 1}


# --- UniLTH ------------------------------------------------------------------------------------------------------------------------------


def test_patience_counts_epochs_without_improvement():
    def rows(*losses):
        return tuple(EpochRow(0, i, i, 0.1, 0.0, loss, 0.0) for i, loss in enumerate(losses))

    wait = Patience(2, 0.1)
    assert wait(rows(3, 2, 1)) is Signal.CONTINUE
    assert wait(rows(3, 2, 2.5)) is Signal.CONTINUE
    assert wait(rows(3, 2, 2.5, 1.95)) is Signal.STOP  # better, but by less than min_delta
    assert wait(rows(3, 2, 2.5, 1.8)) is Signal.CONTINUE


def test_unilth_waits_once_or_in_every_cycle():
    for restart, waits in ((False, 1), (True, 2)):
        (level,) = track(T.UniLTH(T.UniSettings(cycles=2, patience=1, ramp=20, recipe=PUSH, restart_patience=restart)))
        assert len(level.notes["stalled_after_epochs"]) == waits
        assert level.notes["sparsity_per_cycle"] == pytest.approx([1 - 0.6**0.5, 0.4], abs=1e-3)
        assert level.notes["rewound_to"] is None
        assert level.cost.steps >= 40 + 10 * waits


def test_unidlth_takes_the_mask_of_its_seed_and_unilth_one_of_magnitudes():
    given = list(nested_masks(T.view(TASK), 4915, 2, SEEDS))[-1]
    settings = {"cycles": 2, "patience": 1, "ramp": 20, "recipe": PUSH}
    (drawn,), (chosen,) = track(T.UniDLTH(T.UniSettings(**settings))), track(T.UniLTH(T.UniSettings(**settings)))
    assert all(np.array_equal(drawn.mask.tensors[n], given.tensors[n]) for n in given.tensors)
    assert any(not np.array_equal(chosen.mask.tensors[n], given.tensors[n]) for n in given.tensors)
    gone = torch.cat([chosen.start[n][torch.from_numpy(~keep)].abs() for n, keep in chosen.mask.tensors.items()])
    kept = torch.cat([on(chosen.mask, chosen.start, n).abs() for n in chosen.mask.tensors])
    assert gone.mean() < kept.mean()


def test_the_reading_is_named_as_ours():
    assert all("our reading" in kind.authors().name for kind in (T.UniLTH, T.UniDLTH))


# --- stable rewinding --------------------------------------------------------------------------------------------------------------------


def test_stable_rewinding_is_imp_with_another_batch():
    a = track(T.StableRewinding(batch=256))
    b = track(T.IMP(recipe=replace(RECIPE, batch=256)))
    assert all(same(x.end, y.end) for x, y in zip(a, b, strict=True))
    assert a[-1].cost.steps == 4 * 2 * 5


def test_the_scaled_batch_keeps_batch_over_data():
    view = T.view(TASK)
    assert T.StableRewinding.scaled(view).batch == round(1024 / 50_000 * view.training_images)


def test_repulsion_is_the_mean_squared_cosine():
    force = Repulsion(("w",), torch.tensor([[1.0, 0.0], [1.0, 1.0]]), 2.0)
    assert float(force({"w": torch.tensor([3.0, 0.0])}, {})) == pytest.approx(2 * (1 + 0.5) / 2)
    assert float(force({"w": torch.tensor([0.0, 2.0])}, {})) == pytest.approx(2 * (0 + 0.5) / 2)


def test_repulsion_drives_the_optima_apart_and_attraction_together():
    recipe = replace(RECIPE, epochs=20)
    view = T.view(TASK)
    first = view.train(view.fresh(0), None, recipe, order=0).state

    def cosine(strength):
        hooks = Hooks(penalty=repulsion(view, view.dense(), [first], strength)) if strength else Hooks()
        second = view.train(view.fresh(0), None, Phase(recipe, hooks), order=1).state
        a, b = (torch.cat([state[name].reshape(-1) for name in view.layout.shapes]) for state in (first, second))
        return float(torch.nn.functional.cosine_similarity(a, b, dim=0))

    repelled, free, attracted = cosine(20.0), cosine(0.0), cosine(-20.0)
    assert abs(repelled) < 0.1
    assert 0.9 < free < attracted < 1


def test_all_earlier_optima_repel():
    view = T.view(TASK)
    optima = [view.fresh(seed) for seed in range(3)]
    mask = track(T.IMP())[-1].mask
    force = repulsion(view, mask, optima, 1.0)
    assert force.earlier.shape == (3, 8192)
    assert int((force.earlier != 0).any(dim=0).sum()) == mask.kept


def test_lrr_can_rewind_the_normalisation():
    view = T.view(TASK)
    kept, rewound = (
        list(T.LRR(normalisation=mode).track(T.view(TASK), (0.8,), T.Seeds.of(0))) for mode in ("kept", "rewound")
    )
    fresh = view.fresh(T.Seeds.of(0).init)
    for name in view.layout.normalisation:
        assert torch.equal(rewound[-1].start[name], fresh[name])
        assert not torch.equal(kept[-1].start[name], fresh[name])
        assert not torch.equal(rewound[-1].end[name], fresh[name])
    for name in view.layout.shapes:
        assert torch.equal(rewound[-1].start[name], kept[-1].start[name])  # the first round is the same
    with pytest.raises(ValueError, match="which has none"):
        T.find(T.LRR(normalisation="rewound"), T.Task(model="lenet-300-100"), 0.5)
    with pytest.raises(ValueError, match="use kept or rewound"):
        T.LRR(normalisation="lost")


@pytest.mark.parametrize("bad", [{"cycles": 0}, {"patience": 0}])
def test_unilth_without_cycles_or_patience_is_refused(bad):
    with pytest.raises(ValueError, match="cycles, patience"):
        T.UniSettings(**bad)
