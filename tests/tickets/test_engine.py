"""The training loop: masks hold after every step, hooks act where they say, a training can be cut and joined."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

import strong_lth.tickets as T
from strong_lth.tickets import images
from strong_lth.tickets.density import random_mask
from strong_lth.tickets.hooks import Hooks, Phase, Signal
from strong_lth.tickets.optimizers import forget, make_optimizer

TASK = T.Task(recipe=T.Recipe(epochs=3, batch=128))


@pytest.fixture
def view():
    return T.view(TASK)


def half(view):
    counts = {name: size // 2 for name, size in view.layout.sizes.items()}
    return random_mask(view.layout.shapes, counts, np.random.default_rng(0))


@dataclass(frozen=True)
class SeesZeros:
    """Raises when a removed weight is not exactly 0 at the end of a step, seen at the start of the next."""

    removed: dict

    def __call__(self, params, gradients, scalars):
        for name, gone in self.removed.items():
            assert torch.all(params[name][gone] == 0)
            assert torch.any(gradients[name][gone] != 0)  # the loop does not mask gradients


@pytest.mark.parametrize("recipe", [T.Recipe(momentum=0.9, nesterov=True), T.Recipe(optimizer="adam", lr=1e-2)])
def test_removed_weights_are_zero_after_every_step(view, recipe):
    mask = half(view)
    removed = {name: torch.from_numpy(~keep) for name, keep in mask.tensors.items()}
    recipe = replace(recipe, epochs=2, batch=128, weight_decay=0.1)
    trained = view.train(view.fresh(0), mask, Phase(recipe, Hooks(before_step=SeesZeros(removed))), order=0)
    assert all(torch.all(trained.state[name][gone] == 0) for name, gone in removed.items())
    assert not any(torch.any(torch.signbit(trained.state[name][gone])) for name, gone in removed.items())


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_the_optimiser_forgets_removed_weights(kind):
    weight = torch.nn.Parameter(torch.ones(4))
    optimizer = make_optimizer(
        None,
        {"w": weight},
        T.Recipe(optimizer=kind, momentum=0.9, weight_decay=0.1),
        torch.tensor(0.1, dtype=torch.float64),
    )
    (weight * torch.arange(1.0, 5.0)).sum().backward()
    optimizer.step()
    with torch.no_grad():
        forget({"w": torch.tensor([1.0, 0.0, 1.0, 0.0])}, {"w": weight}, optimizer)
    memories = [m for m in optimizer.state[weight].values() if isinstance(m, torch.Tensor) and m.shape == weight.shape]
    assert memories
    for memory in [weight.detach(), *memories]:
        assert memory[1] == memory[3] == 0
        assert memory[0] != 0


def test_a_cut_training_joins_bit_for_bit(view):
    recipe = replace(TASK.recipe, momentum=0.0)
    whole = view.train(view.fresh(0), None, recipe, order=3)
    for cut in (1, 10, 17):
        head = view.train(view.fresh(0), None, recipe, order=3, until=cut)
        tail = view.train(head.state, None, recipe, order=3, start=cut)
        assert head.cost.steps == cut
        assert head.cost.steps + tail.cost.steps == whole.cost.steps == 30
        assert all(torch.equal(tail.state[name], whole.state[name]) for name in whole.state)


def test_order_decides_and_nothing_else(view):
    a, b, c = (view.train(view.fresh(0), None, TASK.recipe, order=order).state for order in (1, 1, 2))
    torch.rand(3)
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not all(torch.equal(a[name], c[name]) for name in a)


def test_every_image_is_seen_once_in_an_epoch():
    part = images.make_images(
        np.arange(40, dtype=np.uint8).reshape(40, 1, 1, 1), np.arange(40), np.zeros(1), np.ones(1), "cpu"
    )
    seen = [int(value) for x, _ in images.batches(part, 8, 0, 0, "none") for value in x.reshape(-1)]
    assert sorted(seen) == list(range(40))
    assert all(torch.equal(x.reshape(-1).long(), y) for x, y in images.batches(part, 8, 0, 1, "none"))
    with pytest.raises(ValueError, match="at most 40"):
        next(images.batches(part, 41, 0, 0, "none"))


def test_crop_and_flip_move_pixels_only():
    pixels = torch.randint(1, 255, (64, 2, 6, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    moved = images.crop_flip(pixels, 1)
    assert moved.shape == pixels.shape
    assert moved.dtype == torch.uint8
    assert torch.equal(moved, images.crop_flip(pixels, 1))
    assert not torch.equal(moved, images.crop_flip(pixels, 2))
    padded = torch.nn.functional.pad(pixels, (4,) * 4)
    for index in range(64):
        windows = [padded[index, :, r : r + 6, c : c + 5] for r in range(9) for c in range(9)]
        assert any(torch.equal(moved[index], form) for window in windows for form in (window, window.flip(2)))


@dataclass(frozen=True)
class StopsAfter:
    epochs: int
    signal: Signal

    def __call__(self, rows):
        assert rows[-1].validation_accuracy is not None
        return self.signal if len(rows) == self.epochs else Signal.CONTINUE


def test_on_epoch_ends_a_phase_or_the_training(view):
    def phases(signal):
        return (Phase(TASK.recipe, Hooks(on_epoch=StopsAfter(2, signal))), Phase(TASK.recipe))

    counts = {signal: len(view.train(view.fresh(0), None, phases(signal), order=0).rows) for signal in Signal}
    assert counts == {Signal.CONTINUE: 6, Signal.NEXT_PHASE: 5, Signal.STOP: 2}


def test_scalars_hold_the_value_of_the_step(view):
    seen = []

    def record(params, gradients, scalars):
        seen.append((float(scalars["lr"]), float(scalars["level"])))

    hooks = Hooks(before_step=record, scalars={"level": np.arange(30.0)})
    view.train(view.fresh(0), None, Phase(replace(TASK.recipe, schedule="steps"), hooks), order=0)
    assert [level for _, level in seen] == list(range(30))
    assert seen[0][0] == pytest.approx(0.1)
    assert seen[-1][0] == pytest.approx(0.001)


def test_a_penalty_pulls_and_after_step_has_the_last_word_but_for_the_mask(view):
    name, mask = next(iter(view.layout.shapes)), half(view)

    def shrink(params, scalars):
        return 50 * params[name].square().sum()

    def fill(params, scalars):
        params[name].fill_(0.25)

    plain, pulled, filled = (
        view.train(view.fresh(0), mask, Phase(replace(TASK.recipe, lr=0.005), hooks), order=0).state[name]
        for hooks in (Hooks(), Hooks(penalty=shrink), Hooks(after_step=fill))
    )
    assert pulled.norm() < 0.1 * plain.norm()
    assert torch.equal(filled, 0.25 * torch.from_numpy(mask.tensors[name]))


def test_divergence_names_epoch_and_rate(view):
    with pytest.raises(T.DivergedError, match="epoch 1 of phase 1; lower the learning rate"):
        view.train(view.fresh(0), None, replace(TASK.recipe, lr=1e30), order=0)


def test_a_training_with_a_closure_is_not_stored(view):
    class Full(T.MemoryStore):
        def put(self, key, trained, mask):
            raise AssertionError("stored")

    open_view = T.view(TASK, Full())
    hooks = Hooks(after_step=lambda params, scalars: None)
    assert open_view.train(open_view.fresh(0), None, Phase(TASK.recipe, hooks), order=0).cost.steps == 30
    with pytest.raises(AssertionError, match="stored"):
        open_view.train(open_view.fresh(0), None, TASK.recipe, order=0)


@pytest.mark.parametrize(
    "bad", [{"epochs": 0}, {"batch": 1}, {"lr": -1.0}, {"momentum": 1.0}, {"schedule": "no"}, {"optimizer": "no"}]
)
def test_a_recipe_out_of_range_is_refused(bad):
    with pytest.raises(ValueError, match=f"Recipe.{next(iter(bad))}"):
        T.Recipe(**bad)
