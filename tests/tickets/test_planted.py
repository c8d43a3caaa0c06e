"""A planted ticket is recovered, or honestly not."""

import numpy as np
import pytest

import strong_lth.tickets as T
from strong_lth.tickets.planted import planted, recovery

DENSITY = 0.15  # of 1,280 weights; 192 of them look at one of the 6 relevant pixels out of 40


@pytest.fixture(scope="module")
def problems():
    return [planted(seed, recipe=T.Recipe(epochs=4)) for seed in range(2)]


def shares(method, problems):
    return [recovery(p, T.find(method, p.task, DENSITY, seed).mask) for seed, p in enumerate(problems)]


def test_the_planted_pixels_alone_decide(problems):
    data = problems[0].task.data
    assert problems[0].relevant.sum() == 6
    other = np.abs(np.corrcoef(data.train_images[:, 0, 0].T, data.train_labels)[-1, :-1])
    assert other[~problems[0].relevant].max() < 0.12 < other[problems[0].relevant].max()


@pytest.mark.parametrize("method", [T.IMP(), T.LRR(), T.AWS(), T.OneShotMagnitude()], ids=lambda m: m.name)
def test_magnitudes_find_more_than_twice_as_many_as_chance_would(method, problems):
    """Recovered in part only: measured shares lie between 0.35 (IMP) and 0.65 (AWS), where chance gives 0.15 and the truth 1."""
    assert np.mean(shares(method, problems)) > 2 * 6 / 40


@pytest.mark.parametrize("method", [T.RandomMask(), T.UniDLTH(T.UniSettings(ramp=10))], ids=lambda m: m.name)
def test_masks_drawn_beforehand_do_not(method, problems):
    assert np.mean(shares(method, problems)) == pytest.approx(6 / 40, abs=0.05)


def test_a_planted_task_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="multiple of 3"):
        planted(relevant=7)
