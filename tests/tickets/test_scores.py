"""Score search: what is kept, what is frozen, what each method adds."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import strong_lth.tickets as T
from strong_lth import cli
from strong_lth.stats import binomial_p_value
from strong_lth.tickets import density, scores, untrained
from strong_lth.tickets.backend import Backend
from strong_lth.tickets.methods.edge_popup import EdgePopup
from strong_lth.tickets.methods.gem_miner import Rounded
from strong_lth.tickets.methods.supermask import coins

TASK = T.Task(recipe=T.Recipe(epochs=12))
QUICK = T.Task(recipe=T.Recipe(epochs=2, batch=128))
SEARCHES = (T.EdgePopup, T.Biprop, T.GemMiner, T.Supermask, T.IteRand)


def names(task=QUICK):
    return tuple(T.view(task).layout.shapes)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, -0.0, 2.0]), min_size=1, max_size=12), st.data())
def test_the_largest_scores_are_those_of_a_stable_sort(values, data):
    """The slow form: sort by (score descending, index), take the first."""
    kept = data.draw(st.integers(0, len(values)))
    first = sorted(range(len(values)), key=lambda index: (-values[index], index))[:kept]
    found = scores.largest(torch.tensor(values), kept)
    assert sorted(first) == torch.nonzero(found).reshape(-1).tolist()
    alone = density.keep_largest({"a": torch.tensor(values)}, kept)
    assert np.array_equal(found.numpy(), alone.tensors["a"])


def test_one_selection_over_all_layers_agrees_with_the_ranking_of_the_magnitude_methods():
    parts = {"a": torch.tensor([[3.0, 1.0], [1.0, 1.0]]), "b": torch.tensor([1.0, 2.0, 1.0])}
    for kept in range(8):
        mine = scores.Selection({"": kept})(parts)
        slow = density.keep_largest(parts, kept)
        assert all(np.array_equal(mine[name].numpy(), slow.tensors[name]) for name in parts)


def test_gradients_go_straight_through_to_kept_and_removed_scores():
    """d loss / d s = d loss / d (w m) * w * sign(s), by hand, for a sum of squares of the effective weights."""
    weights = {"a": torch.tensor([[2.0, -3.0, 5.0]]), "bias": torch.tensor([1.0])}
    hook = scores.Popup(weights, ("a",), scores.Selection({"a": 1}))
    params = {
        "a": torch.tensor([[-0.9, 0.1, 0.2]], requires_grad=True),
        "bias": torch.tensor([7.0], requires_grad=True),
    }
    used = hook(params, {})
    assert torch.equal(used["a"], torch.tensor([[2.0, 0.0, 0.0]]))
    assert torch.equal(used["bias"], weights["bias"])
    (used["a"] - torch.tensor([[1.0, 1.0, 1.0]])).square().sum().backward()
    assert torch.equal(params["a"].grad, torch.tensor([[2 * 1.0 * 2 * -1, 2 * -1.0 * -3, 2 * -1.0 * 5]]))
    assert params["bias"].grad is None


@pytest.mark.parametrize("kind", SEARCHES)
def test_density_is_exact_in_every_layer(kind):
    for wanted in (0.31, 0.05):
        ticket = T.find(kind.scaled(T.view(QUICK)), QUICK, wanted)
        kept = density.layer_counts(T.view(QUICK).layout.sizes, T.view(QUICK).kept(wanted))
        assert {name: int(keep.sum()) for name, keep in ticket.mask.tensors.items()} == kept


@pytest.mark.parametrize("kind", [T.EdgePopup, T.GemMiner, T.Supermask])
def test_no_weight_moves_and_the_hash_says_so(kind):
    view, method = T.view(QUICK), kind.scaled(T.view(QUICK))
    (level, ticket), *_ = T.levels(method, QUICK, (0.3,), 4)
    before = view.fresh(T.Seeds.of(4).init, method.init)
    assert untrained.weights_hash(before, view.layout) == untrained.weights_hash(ticket.state, view.layout)
    assert untrained.weights_hash(before, view.layout) != untrained.weights_hash(
        view.fresh(0, method.init), view.layout
    )
    assert all(torch.equal(level.start[name], before[name]) for name in before)
    statistics = view.layout.statistics
    assert any(not torch.equal(ticket.state[name], before[name]) for name in statistics)


def test_an_untrained_network_classifies_digits():
    """Chance is 36 of 355 (the largest class); 8 seeds of edge-popup at density .3 lie between 93 and 99 %, where a random mask on the same weights stays near chance."""
    found = T.compare([T.EdgePopup.scaled(T.view(TASK))], TASK, [0.3], range(8))
    accuracies = [row["accuracy"] for row in found]
    assert 0.93 < min(accuracies) <= max(accuracies) < 0.99
    for row in found:
        assert row["strong"]
        assert row["use"] == "as-is"
        assert row["train_steps"] == 0
        assert row["weights"] == untrained.weights_hash(
            T.view(TASK).fresh(T.Seeds.of(row["seed"]).init, "signed-constant"), T.view(TASK).layout
        )
        assert binomial_p_value(round(355 * row["accuracy"]), 355, 36 / 355) < 1e-100
    control = T.find(T.RandomMask(), TASK, 0.3)
    assert T.evaluate(replace(control, use="as-is"), TASK).accuracy < 0.4


@pytest.mark.parametrize("init", ["uniform", "kaiming", "signed-constant"])
def test_the_laws_of_untrained_weights(init):
    """Against the law itself: values, exact scale, mean and variance within six standard errors; biases 0; redraws are other networks."""
    view = T.view(QUICK)
    state = view.fresh(3, init)
    for name, shape in view.layout.shapes.items():
        values = state[name].double().numpy()
        variance = {"uniform": 1 / 12, "kaiming": 2 / shape[1], "signed-constant": 2 / shape[1]}[init]
        assert abs(values.mean()) < 6 * np.sqrt(variance / values.size)
        if init == "signed-constant":
            assert np.unique(np.abs(values)).tolist() == [float(np.float32(np.sqrt(2 / shape[1])))]
        else:
            assert abs(values.var() / variance - 1) < 6 * np.sqrt(3 / values.size)
        if init == "uniform":
            assert np.abs(values).max() <= 0.5
        assert not torch.equal(state[name], view.fresh(3, init, 1)[name])
        assert not torch.equal(state[name], view.fresh(4, init)[name])
        assert torch.equal(state[name], view.fresh(3, init)[name])
    assert all(not state[name].any() for name in (view.layout.classifier[1], *view.layout.offsets))
    assert all((state[name] == 1).all() for name in view.layout.scales)
    assert not torch.equal(view.fresh(3, "model", 1)[names()[0]], view.fresh(3)[names()[0]])


def test_where_scores_start():
    view = T.view(QUICK)
    weights = view.fresh(0)
    random = scores.first_scores(view, weights, 5, "random")
    assert all(float(score.abs().max()) <= 1 / np.sqrt(score.shape[1]) for score in random.values())
    assert torch.equal(scores.first_scores(view, weights, 5, "magnitude")[names()[0]], weights[names()[0]].abs())
    ticket = T.find(EdgePopup(init="kaiming", scores="magnitude"), QUICK, 0.3)
    assert ticket.source == T.Untrained(0, "kaiming")


def test_one_ranking_for_all_layers_has_other_densities_per_layer():
    task = T.Task(model="conv-bn-tiny", recipe=T.Recipe(epochs=1, batch=256))
    ticket = T.find(T.EdgePopup(scope="global"), task, 0.3)
    shares = [keep.mean() for keep in ticket.mask.tensors.values()]
    assert ticket.mask.kept == 367
    assert shares[0] > 0.5 > 0.3 > shares[1]  # 9 and 72 incoming weights: scores of the first layer start larger


def test_biprop_keeps_signs_and_one_size_per_tensor():
    view = T.view(QUICK)
    ticket = T.find(T.Biprop.scaled(view), QUICK, 0.3)
    drawn = view.fresh(T.Seeds.of(0).init, "kaiming")
    for name, keep in ticket.mask.tensors.items():
        chosen = torch.from_numpy(keep)
        assert torch.equal(ticket.state[name][chosen].sign(), drawn[name][chosen].sign())
        sizes = ticket.state[name][chosen].abs().unique()
        assert sizes.tolist() == pytest.approx([float(drawn[name][chosen].abs().double().mean())], rel=1e-6)


def test_iterand_draws_removed_weights_anew_and_only_those():
    view = T.view(QUICK)
    method = T.IteRand(every=4, probability=0.5, init="uniform")
    (level, ticket), *_ = T.levels(method, QUICK, (0.3,), 0)
    assert level.notes["redraws"] == 4  # 20 steps: redraws before steps 4, 8, 12, 16
    first = view.fresh(0, "uniform")
    changed = [float((ticket.state[name] != first[name]).float().mean()) for name in names()]
    assert all(0.3 < share < 0.99 for share in changed)
    never = T.find(replace(method, probability=0.0), QUICK, 0.3)
    assert all(torch.equal(never.state[name], first[name]) for name in names())
    assert never.cost.steps == ticket.cost.steps == 20


def test_gem_miner_rounds_and_pulls_scores_down():
    weights = {"a": torch.tensor([[2.0, 3.0, 5.0, 7.0]])}
    used = Rounded(weights, ("a",), scores.Selection({"a": 2}))({"a": torch.tensor([[0.6, 0.4, 0.9, 0.7]])}, {})
    assert torch.equal(used["a"], torch.tensor([[0.0, 0.0, 5.0, 7.0]]))
    strong, weak = (
        T.find(replace(T.GemMiner.scaled(T.view(QUICK)), strength=strength), QUICK, 0.6).notes["rounded_down"]
        for strength in (30.0, 0.0)
    )
    assert strong > weak


def test_coins_are_fair_and_fresh():
    like = torch.zeros(20_000)
    a, b = coins(like, torch.tensor(1.0), 7), coins(like, torch.tensor(2.0), 7)
    assert torch.equal(a, coins(like, torch.tensor(1.0), 7))
    for share in (0.1, 0.5, 0.9):
        assert binomial_p_value(int((a < share).sum()), 20_000, share, alternative="two-sided") > 1e-6
    together = int(((a < 0.5) & (b < 0.5)).sum())
    assert binomial_p_value(together, 20_000, 0.25, alternative="two-sided") > 1e-6


def test_a_supermask_says_where_its_probabilities_settled():
    still = T.find(T.Supermask(recipe=T.Recipe(epochs=1, batch=256, lr=0.0)), QUICK, 0.3)
    assert 0.28 < still.notes["expected_density"] < 0.32  # it starts at the requested one
    assert T.find(T.Supermask.scaled(T.view(QUICK)), QUICK, 0.02).notes["expected_density"] > 0.04


def test_a_strong_ticket_survives_a_file(tmp_path):
    ticket = T.find(T.EdgePopup.scaled(T.view(QUICK)), QUICK, 0.3)
    T.save_ticket(ticket, tmp_path / "ticket.safetensors")
    back = T.load_ticket(tmp_path / "ticket.safetensors")
    assert back.source == ticket.source
    assert T.evaluate(back, QUICK).accuracy == T.evaluate(ticket, QUICK).accuracy


def test_a_search_among_moved_weights_begins_with_its_own_law():
    """Edge-popup of signed constants inside a box: every kept weight within eps of +-sqrt(2 / 64), and the box of ``Perturbed`` is around that network."""
    search = T.EdgePopup.scaled(T.view(QUICK))
    method = T.Perturbed(T.ProjectedSGD(1e-3), search)
    ticket = T.find(method, QUICK, 0.3)
    drawn = T.view(QUICK).fresh(T.Seeds.of(0).init, "signed-constant")
    assert ticket.source is None  # its weights moved: no strong ticket of the network as drawn
    for name, keep in ticket.mask.tensors.items():
        step = (ticket.state[name].double() - drawn[name].double()).abs()[torch.from_numpy(keep)]
        assert 0 < float(step.max()) <= 1e-3


@pytest.mark.parametrize("kind", SEARCHES)
def test_searches_of_several_seeds_may_be_stacked(kind):
    """The same tickets up to rounding, from trainings taken together."""
    method = kind.scaled(T.view(QUICK))
    alone = T.compare([method], QUICK, [0.3], [0, 1])
    together = T.compare([method], replace(QUICK, backend=Backend(together=2)), [0.3], [0, 1])
    for one, other in zip(alone, together, strict=True):
        assert one["seed"] == other["seed"]
        assert one["strong"]
        assert other["strong"]
        assert abs(one["accuracy"] - other["accuracy"]) < 0.05


def test_the_command_line_searches_in_a_box_that_is_then_verified(tmp_path, capsys):
    words = ["tickets", "projected-sgd", "--perturbation", "1e-2", "--then", "edge-popup", "--density", "0.3"]
    assert cli.main([*words, "--epochs", "1", "--batch", "256", "--out", str(tmp_path), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["kept"], row["strong"], row["find_epochs"]) == (2458, False, 2)
    files = [str(tmp_path / name) for name in ("before-0.safetensors", "projected-sgd-0.3-0.safetensors")]
    assert cli.main(["verify-perturbation", *files, "--perturbation", "1e-2"]) == 0
    assert cli.main(["verify-perturbation", *files, "--perturbation", "1e-6"]) == 1


def test_the_command_line_finds_a_strong_ticket(tmp_path, capsys):
    words = ["tickets", "edge-popup", "--density", "0.3", "--epochs", "1", "--batch", "256", "--out", str(tmp_path)]
    assert cli.main([*words, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["use"], row["strong"], row["train_steps"]) == ("as-is", True, 0)
    ticket = T.load_ticket(tmp_path / "edge-popup-0.3-0.safetensors")
    assert ticket.source == T.Untrained(0, "signed-constant")
    assert T.evaluate(ticket, T.Task()).accuracy == row["accuracy"]
