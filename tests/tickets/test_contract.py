"""Every listed method, by the same rules: exact densities, masks inside the prunable set, the same bits for the same seed, costs counted by the harness."""

import ast
import dataclasses
import importlib
from pathlib import Path

import numpy as np
import pytest
import skips
import torch

import strong_lth.tickets as T
from strong_lth import datasets
from strong_lth.core import InputError
from strong_lth.tickets import density, engine
from strong_lth.tickets import methods as folder

DENSITIES = (0.5, 0.3)
TASK = T.Task(recipe=T.Recipe(epochs=2, batch=128))


def scaled(kind, task=TASK):
    """The scaled preset, with ramps cut short: what is tested here does not depend on their length."""
    method = kind.scaled(T.view(task))
    short = {"ramp": 6, "hold": 3}
    if hasattr(method, "settings"):
        return dataclasses.replace(method, settings=dataclasses.replace(method.settings, ramp=6))
    return dataclasses.replace(method, **{name: length for name, length in short.items() if hasattr(method, name)})


def asked(method):
    return (1.0,) if method.reference else DENSITIES


def every(method, task=TASK, seed=0, store=None):
    parts = [asked(method)] if method.together else [(d,) for d in asked(method)]
    return [pair for part in parts for pair in T.levels(method, task, part, seed, store=store)]


@pytest.fixture(scope="module")
def found():
    """Levels and tickets of every method, made once."""
    store = T.MemoryStore()
    return {kind: every(scaled(kind), store=store) for kind in T.METHODS}


def test_every_method_of_the_folder_is_listed():
    defined = set()
    for path in sorted(Path(folder.__file__).parent.glob("*.py")):
        classes = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
        module = importlib.import_module(f"strong_lth.tickets.methods.{path.stem}") if classes else None
        defined |= {getattr(module, node.name) for node in classes if hasattr(getattr(module, node.name), "track")}
    assert defined == set(T.METHODS)
    assert len(T.METHODS) == len(set(T.METHODS)) >= 8


@pytest.mark.parametrize("kind", T.METHODS)
def test_densities_are_exact_and_masks_inside_the_prunable_set(kind, found):
    total = T.view(TASK).layout.prunable
    counts = [level.mask.kept for level, _ in found[kind]]
    assert {density.kept_count(d, total) for d in asked(scaled(kind))} <= set(counts)
    for level, ticket in found[kind]:
        assert level.density == level.mask.kept / total == ticket.density
        assert {name: keep.shape for name, keep in ticket.mask.tensors.items()} == T.view(TASK).layout.shapes


@pytest.mark.parametrize("kind", T.METHODS)
def test_a_track_only_ever_removes(kind, found):
    method = scaled(kind)
    if method.together and not method.reference and kind is not T.RandomMask:
        for (above, _), (below, _) in zip(found[kind], found[kind][1:], strict=False):
            for name, keep in below.mask.tensors.items():
                assert not np.any(keep & ~above.mask.tensors[name])


@pytest.mark.parametrize("kind", T.METHODS)
def test_the_same_seed_gives_the_same_bits_and_another_seed_other_ones(kind, found):
    for (first, a), (second, b) in zip(found[kind], every(scaled(kind)), strict=True):
        assert all(np.array_equal(first.mask.tensors[n], second.mask.tensors[n]) for n in first.mask.tensors)
        for x, y in ((a.state, b.state), (first.start, second.start), (first.end, second.end)):
            assert all(torch.equal(x[name], y[name]) for name in x)
    other = T.find(scaled(kind), TASK, asked(scaled(kind))[0], seed=1)
    same = [ticket for _, ticket in found[kind] if ticket.mask.kept == other.mask.kept][-1]
    assert any(not torch.equal(other.state[name], same.state[name]) for name in T.view(TASK).layout.shapes)


@pytest.mark.parametrize("kind", T.METHODS)
def test_a_ticket_trains_and_its_removed_weights_stay_away(kind, found):
    _, ticket = found[kind][-1]
    outcome = T.evaluate(ticket, TASK, seed=5)
    assert (0.1 if ticket.use == "train" else 0) < outcome.accuracy <= 1  # as it is, a strong ticket may be at chance
    assert outcome.kept == ticket.mask.kept
    assert np.isfinite(outcome.loss)
    for name, keep in ticket.mask.tensors.items():
        assert torch.all(outcome.state[name][torch.from_numpy(~keep)] == 0)
        assert torch.any(outcome.state[name][torch.from_numpy(keep)] != 0)
    assert outcome.cost.steps == (0 if ticket.use == "as-is" else 2 * (1297 // 128) - ticket.step)


@pytest.mark.parametrize("kind", T.METHODS)
def test_both_presets_exist_and_are_plain_settings(kind):
    for method in (kind.authors(), kind.scaled(T.view(TASK)), scaled(kind)):
        assert isinstance(method, kind)
        assert dataclasses.is_dataclass(method)
        assert method == dataclasses.replace(method)
        assert method.name
        assert hash(method) is not None


@pytest.mark.parametrize("kind", T.METHODS)
def test_a_stored_search_is_not_run_again_and_costs_what_it_cost(kind, tmp_path, monkeypatch):
    method = scaled(kind)
    store = T.FolderStore(tmp_path)
    first = every(method, store=store)

    def refuse(*args, **kwargs):
        raise AssertionError("a finished training was run again")

    monkeypatch.setattr("strong_lth.tickets.task_view.train", refuse)
    again = every(method, store=T.FolderStore(tmp_path))
    for (_, a), (_, b) in zip(first, again, strict=True):
        assert a.cost == b.cost
        for name in a.state:
            keep = torch.from_numpy(a.mask.tensors[name]) if name in a.mask.tensors else torch.ones(())
            assert torch.equal(a.state[name] * keep, b.state[name] * keep)


def test_compare_makes_flat_rows_with_costs():
    rows = T.compare([T.Dense(), T.IMP(), T.SignTransfer(scaled(T.AWS))], TASK, DENSITIES, [0, 1])
    assert len(rows) == 2 * (1 + 2 + 2)
    assert {row["method"] for row in rows} == {"dense", "IMP", "signs of AWS"}
    for row in rows:
        assert all(isinstance(value, str | int | float) for value in row.values())
        assert row["train_epochs"] == 2
        assert row["train_steps"] == 2 * (1297 // 128)
        assert row["kept"] == round(row["density"] * row["prunable"])
    imp = {round(row["density"], 2): row for row in rows if row["method"] == "IMP" and row["seed"] == 0}
    # dense, .8, .64, .512 come before .5; .4, .32 before .3
    assert imp[0.5]["find_epochs"] == 4 * 2
    assert imp[0.3]["find_epochs"] == 7 * 2
    assert next(row for row in rows if row["method"] == "dense")["find_epochs"] == 0


def test_the_dense_level_is_trained_once_for_imp_and_lrr(monkeypatch):
    trainings = []
    honest = engine.train

    def counted(*args, **kwargs):
        trainings.append(args)
        return honest(*args, **kwargs)

    monkeypatch.setattr("strong_lth.tickets.task_view.train", counted)
    T.compare([T.IMP(), T.LRR()], TASK, [0.8], [0])
    # dense level, IMP at .8, LRR at .8; then a final training each
    assert len(trainings) == 5


def test_one_name_twice_and_empty_lists_are_refused():
    with pytest.raises(ValueError, match="two of one name"):
        T.compare([T.IMP(), T.IMP()], TASK, [0.5], [0])
    with pytest.raises(ValueError, match="empty"):
        T.compare([T.IMP()], TASK, [], [0])


@pytest.mark.parametrize("method", [T.IMP(rewind=1), T.LRR(), T.RST()], ids=lambda m: m.name)
def test_a_batch_larger_than_the_data_is_named_as_such(method):
    with pytest.raises(ValueError, match=r"batch: got 5000; give at most 1299"):
        T.find(method, T.Task(recipe=T.Recipe(epochs=1, batch=5000)), 0.5)


def test_the_same_run_twice_is_no_second_run():
    """Eight copies of one seed would be an interval of width 0 and a verdict."""
    with pytest.raises(ValueError, match=r"seeds: got \[1, 0, 1\]; give each seed once"):
        T.compare([T.RandomMask()], TASK, [0.5], [1, 0, 1])
    with pytest.raises(ValueError, match=r"densities: .* none that keep the same number"):
        T.compare([T.RandomMask()], TASK, [0.5, 0.50001], [0])


def test_scored_gets_exactly_the_tickets_of_the_rows():
    got = []
    rows = T.compare(
        [T.Dense(), T.IMP(), T.OneShotMagnitude()], TASK, [0.5, 0.3], [0, 2], scored=lambda *item: got.append(item)
    )
    assert [(name, seed, ticket.mask.kept) for name, _, seed, ticket in got] == [
        (row["method"], row["seed"], row["kept"]) for row in rows
    ]
    assert [density for name, density, seed, _ in got if seed == 0] == [1.0, 0.5, 0.3, 0.5, 0.3]
    for row, (_, _, seed, ticket) in zip(rows, got, strict=True):
        assert T.evaluate(ticket, TASK, T.Seeds.of(seed).order).loss == row["loss"]


@pytest.mark.parametrize("bad", [0, 1.5, -0.1, float("nan"), 1e-9])
def test_a_density_that_cannot_be_is_refused(bad):
    with pytest.raises(ValueError, match="density"):
        T.find(T.RandomMask(), TASK, bad)


@pytest.mark.parametrize("model", ["conv-bn-tiny", "resnet-tiny"])
@pytest.mark.parametrize("kind", T.METHODS)
def test_every_method_finds_tickets_of_convolutions_and_residual_networks(kind, model):
    task = T.Task(model=model, recipe=T.Recipe(epochs=1, batch=256))
    method = scaled(kind, task)
    ticket = T.find(method, task, 1.0 if method.reference else 0.45)
    assert ticket.mask.kept == density.kept_count(1.0 if method.reference else 0.45, T.view(task).layout.prunable)
    outcome = T.evaluate(ticket, task)
    assert np.isfinite(outcome.loss)
    for name, keep in ticket.mask.tensors.items():
        assert torch.all(outcome.state[name][torch.from_numpy(~keep)] == 0)


def test_workers_change_no_row():
    """Everything but the seconds, which are wall time."""
    methods, seeds = [T.IMP(), T.SignTransfer(scaled(T.AWS))], [3, 1]
    rows = [T.compare(methods, TASK, [0.6], seeds, workers=workers) for workers in (1, 2)]
    plain = [[{k: v for k, v in row.items() if not k.endswith("seconds")} for row in part] for part in rows]
    assert plain[0] == plain[1]
    assert [row["seed"] for row in plain[0]] == [3, 3, 1, 1]


def test_what_other_processes_cannot_have_is_refused():
    own = T.Task(
        model=lambda: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 8), torch.nn.Linear(8, 10)),
        name="mine",
    )
    with pytest.raises(ValueError, match="other processes can import"):
        T.compare([T.IMP()], own, [0.5], [0], workers=2)
    with pytest.raises(ValueError, match="one in memory"):
        T.compare([T.IMP()], TASK, [0.5], [0], workers=2, store=T.MemoryStore())


def test_fashion_mnist_has_the_shape_the_zoo_expects():
    try:
        datasets.load("fashion-mnist")
    except (FileNotFoundError, InputError):
        pytest.skip(skips.NO_FASHION)
    task = T.Task(data="fashion-mnist", model="lenet-300-100", recipe=T.Recipe(epochs=1, lr=0.05, batch=128))
    view = T.view(task)
    assert view.training_images == 54_000
    assert T.evaluate(T.find(T.RandomMask(), task, 0.2), task).accuracy > 0.75
