"""Drift of SGD: what is recorded is what happened, and the smallest box is the one that never acts."""

import math

import pytest
import torch

import strong_lth.tickets as T
from strong_lth.core import InputError
from strong_lth.tickets.boxes import stay
from strong_lth.tickets.diagnostics.drift import drift, smallest_box
from strong_lth.tickets.methods.projected_sgd import weights_of

RECIPE = T.Recipe(epochs=2, batch=256)
TASK = T.Task(recipe=RECIPE)


@pytest.fixture(scope="module")
def plain():
    view = T.view(TASK)
    start = view.fresh(0)
    end, rows = drift(view, start, RECIPE, order=1, perturbations=(1e-3, 1e-2))
    return view, start, end, rows


def test_it_is_plain_training_and_its_last_rows_are_its_end(plain):
    view, start, end, rows = plain
    free = view.train(start, None, RECIPE, order=1).state
    assert all(torch.equal(end[name], free[name]) for name in end)
    last = [row for row in rows if row["step"] == 2 * view.steps_per_epoch]
    assert {row["tensor"] for row in last} == set(weights_of(view, start))
    for row in last:
        moved = (end[row["tensor"]].double() - start[row["tensor"]].double()).abs()
        assert row["largest"] == float(moved.max()) <= row["reached"]
        assert row["leaving 0.01"] == float((moved > 1e-2).double().mean())
        assert row["median"] <= row["p90"] <= row["p99"] <= row["largest"]


def test_plain_sgd_stays_in_the_smallest_box_and_in_no_smaller_one(plain):
    view, start, end, rows = plain
    size = smallest_box(rows)
    held = weights_of(view, start)
    for eps, active in ((size, False), (0.9 * size, True)):
        inside, found = drift(view, start, RECIPE, order=1, hook=stay(held, eps))
        assert any(row["active"] > 0 for row in found) is active
        assert torch.equal(inside["1.weight"], end["1.weight"]) is not active
    assert smallest_box([]) == 0.0


def test_the_first_step_goes_against_the_gradient(plain):
    _, _, _, rows = plain
    assert all(row["cosine"] is None for row in rows if row["step"] == 1)
    view = T.view(TASK)
    slow = T.Recipe(epochs=1, batch=256, lr=1e-3, momentum=0.0, weight_decay=0.0, schedule="constant")
    second = [row for row in drift(view, view.fresh(0), slow, order=1)[1] if row["step"] == 2]
    assert all(-1 <= row["cosine"] <= 1 for row in second)
    assert sum(row["cosine"] for row in second) < 0
    assert all(math.isfinite(row["largest"]) for row in second)


def test_steps_are_recorded_as_asked_and_bad_input_is_refused(plain):
    view, start, _, rows = plain
    steps = 2 * view.steps_per_epoch
    _, sparse = drift(view, start, RECIPE, order=1, every=4)
    assert sorted({row["step"] for row in sparse}) == sorted({*range(1, steps + 1, 4), steps})
    assert smallest_box(sparse) == smallest_box(rows)
    for settings in ({"every": 0}, {"perturbations": (-1.0,)}):
        with pytest.raises(InputError):
            drift(view, start, RECIPE, order=1, **settings)
