"""The projections: the largest box of the format, decided by fractions; the ball; every rule of the real-number theorem that survives rounding."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from strong_lth import projection
from strong_lth.core import InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets import boxes

KINDS = ("bfloat16", "float32", "float64")
SIZES = (0.0, 5e-324, 1e-300, 1e-7, 1e-5, 1e-3, 0.1, 1.0, 3e38)


def numbers(kind, rng, count=200):
    """Weights of a format over many magnitudes, zeros of both signs and powers of two among them."""
    values = rng.normal(size=count) * 10.0 ** rng.integers(-6, 3, count)
    values[:8] = 0.0, -0.0, 1.0, -1.0, 0.5, 2.0**-126, -(2.0**-130), 2.0**100
    return rounded(values, kind)


def rounded(values, kind):
    if kind == "float64":
        return values
    single = torch.from_numpy(values.astype(np.float32))
    return (single.bfloat16().float() if kind == "bfloat16" else single).numpy()


def tensor(values, kind):
    return torch.from_numpy(values.copy()).to(getattr(torch, kind))


def after(values, kind):
    """The next larger number of the format, by torch's own arithmetic."""
    up = torch.nextafter(tensor(values, kind), torch.full(values.shape, float("inf"), dtype=getattr(torch, kind)))
    return boxes._array(up)[0]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_box_holds_exactly_the_numbers_of_the_format_within_reach(kind, size):
    center = numbers(kind, np.random.default_rng(1))
    low, high = projection.box_ends(center, size, kind)
    beyond, below = after(high, kind), -after(-low, kind)
    for c, left, right, out, under in zip(*(map(float, x) for x in (center, low, high, beyond, below)), strict=True):
        assert left <= c <= right
        assert Fraction(right) - Fraction(c) <= Fraction(size) >= Fraction(c) - Fraction(left)
        assert np.isinf(out) or Fraction(out) - Fraction(c) > Fraction(size)
        assert np.isinf(under) or Fraction(c) - Fraction(under) > Fraction(size)


@given(st.floats(-1e30, 1e30), st.floats(0, 1e30), st.floats(-1e30, 1e30))
def test_clipping_is_the_nearest_point_of_the_box(center, size, weight):
    low, high = projection.box_ends(np.array([center]), size)
    point = projection.clip(np.array([weight]), low, high)
    assert projection.clip(point, low, high) == point
    inside = abs(Fraction(weight) - Fraction(center)) <= Fraction(size)
    assert (point[0] == weight) == inside
    assert abs(Fraction(float(point[0])) - Fraction(center)) <= Fraction(size)


def test_size_zero_returns_the_center_bit_for_bit():
    center = np.array([0.0, -0.0, 1.5, -2.5], dtype=np.float32)
    for weights in (center + 1, center - 1, -center, np.zeros_like(center)):
        assert projection.clip(weights, *projection.box_ends(center, 0)).tobytes() == center.tobytes()
        assert projection.clip_to_ball(weights, center, 0.0).tobytes() == center.tobytes()


def test_the_relative_radius_is_a_share_of_every_weight_and_zero_stays():
    center = numbers("float32", np.random.default_rng(2))
    low, high = projection.box_ends(center, projection.relative_radius(center, 0.1))
    for c, left, right in zip(center, low, high, strict=True):
        allowed = Fraction(0.1) * abs(Fraction(float(c)))
        assert max(Fraction(float(right)) - Fraction(float(c)), Fraction(float(c)) - Fraction(float(left))) <= allowed
    assert np.all(low[center == 0] == 0)
    assert np.all(high[center == 0] == 0)
    assert np.all(high[np.abs(center) > 1e-30] > center[np.abs(center) > 1e-30])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_ball_holds_in_exact_arithmetic_and_is_nearly_the_projection(kind, size):
    rng = np.random.default_rng(3)
    center = numbers(kind, rng)
    weights = rounded(center.astype(np.float64) + rng.normal(size=center.size) * 0.1, kind)
    point = projection.clip_to_ball(weights, center, size, kind)
    moved = [Fraction(float(a)) - Fraction(float(b)) for a, b in zip(point, center, strict=True)]
    assert sum(m * m for m in moved) <= Fraction(size) ** 2
    assert np.array_equal(projection.clip_to_ball(point, center, size, kind), point)
    start = [Fraction(float(a)) - Fraction(float(b)) for a, b in zip(weights, center, strict=True)]
    if sum(s * s for s in start) <= Fraction(size * (1 - 1e-13)) ** 2:
        assert np.array_equal(point, weights)
    elif kind == "float64" and size >= 0.1:
        norm = float(sum(s * s for s in start)) ** 0.5
        exact = np.array([float(s) for s in start]) * min(1.0, size / norm)
        assert np.allclose(
            np.array([float(m) for m in moved]), exact, rtol=1e-9, atol=1e-12 + np.spacing(np.abs(center))
        )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_torch_form_agrees_bit_for_bit(kind, size):
    rng = np.random.default_rng(4)
    center = numbers(kind, rng)
    weights = rounded(center.astype(np.float64) + rng.normal(size=center.size) * 0.1, kind)
    low, high = projection.box_ends(center, size, kind)
    ends = boxes.ends(tensor(center, kind), size)
    assert ends[2] == projection.single_points(low, high)
    pairs = [(low, ends[0]), (high, ends[1])]
    pairs.append((projection.clip(weights, low, high), boxes.clip(tensor(weights, kind), *ends[:2])))
    ball = boxes.clip_to_ball(tensor(weights, kind), tensor(center, kind), size)
    pairs.append((projection.clip_to_ball(weights, center, size, kind), ball))
    for mine, theirs in pairs:
        assert mine.tobytes() == boxes._array(theirs)[0].tobytes()


def test_a_box_below_the_spacing_holds_one_point_and_training_in_it_is_refused():
    center = np.array([1.0, 1.0, 0.0], dtype=np.float32)
    assert projection.single_points(*projection.box_ends(center, 1e-8)) == 2
    assert projection.single_points(*projection.box_ends(center, 1e-7)) == 0
    with pytest.raises(InputError, match="holds one point"):
        boxes.stay({"a": torch.from_numpy(center)}, 1e-8)
    hook = boxes.stay({"a": torch.from_numpy(center)}, 0.0)
    moved = {"a": torch.tensor([2.0, 0.0, -1.0])}
    hook(moved, {})
    assert torch.equal(moved["a"], torch.from_numpy(center))


@pytest.mark.parametrize("size", [-1e-9, float("nan"), float("inf"), "0.1", True])
def test_bad_sizes_are_refused_by_name(size):
    for call in (
        lambda: projection.box_ends(np.ones(2), size),
        lambda: projection.clip_to_ball(np.ones(2), np.ones(2), size),
        lambda: projection.relative_radius(np.ones(2), size),
        lambda: boxes.stay({"a": torch.ones(2)}, size),
    ):
        with pytest.raises(InputError, match="perturbation"):
            call()


def test_other_bad_input_is_refused_by_name():
    with pytest.raises(InputError, match="center"):
        projection.box_ends(np.array([1, 2]), 0.1)
    with pytest.raises(InputError, match="finite"):
        projection.box_ends(np.array([np.nan]), 0.1)
    with pytest.raises(InputError, match="bfloat16"):
        projection.box_ends(np.array([1.0001], dtype=np.float32), 0.1, "bfloat16")
    with pytest.raises(InputError, match="shape"):
        boxes.stay({"a": torch.ones(2)}, 0.1, "disc")
    with pytest.raises(InputError, match="a tensor b"):
        boxes.stay({"a": torch.ones(2)}, {"b": 0.1})
    with pytest.raises(InputError, match="one radius"):
        boxes.stay({"a": torch.ones(2)}, {"a": 0.1}, "ball")
    with pytest.raises(InputError, match="float16"):
        boxes.stay({"a": torch.ones(2, dtype=torch.float16)}, 0.1)


def test_each_tensor_may_have_a_size_of_its_own_and_the_others_are_free():
    center = {"a": torch.zeros(3), "b": torch.zeros(3), "c": torch.zeros(3)}
    moved = {name: torch.full((3,), 5.0) for name in center}
    boxes.stay(center, {"a": 0.5, "b": 2.0})(moved, {})
    assert [float(moved[name][0]) for name in center] == [0.5, 2.0, 5.0]


@pytest.mark.parametrize("shape", ["box", "relative", "ball"])
def test_random_points_lie_inside_and_fill_the_set(shape):
    center = {"a": torch.from_numpy(numbers("float32", np.random.default_rng(5))[8:])}
    drawn = boxes.random_point(center, 0.25, shape, np.random.default_rng(6))
    again = {"a": drawn["a"].clone()}
    boxes.stay(center, 0.25, shape)(again, {})
    assert torch.equal(again["a"], drawn["a"])
    step = (drawn["a"].double() - center["a"].double()).abs()
    reach = 0.25 * center["a"].double().abs() if shape == "relative" else 0.25
    assert float(step.square().sum().sqrt() if shape == "ball" else (step / reach).max()) > 0.2


def test_zero_weights_do_not_make_a_relative_box_too_small():
    """Half of the weights are 0 and cannot move in a relative box; the others can."""
    center = {"a": torch.tensor([0.0, 0.0, 0.0, 1.0])}
    moved = {"a": torch.tensor([1.0, 1.0, 1.0, 3.0])}
    boxes.stay(center, 0.5, "relative")(moved, {})
    assert moved["a"].tolist() == [0.0, 0.0, 0.0, pytest.approx(1.5, rel=1e-6)]


@pytest.mark.parametrize("shape", ["box", "relative", "ball"])
def test_a_radius_below_every_spacing_is_refused_in_every_shape(shape):
    with pytest.raises(InputError, match="holds one point"):
        boxes.stay({"a": torch.ones(3), "b": torch.zeros(5)}, 1e-9, shape)


def test_removed_weights_take_no_part_of_a_random_point_of_the_ball():
    center = {"a": torch.zeros(1000, dtype=torch.float64)}
    keep = np.arange(1000) < 3
    mask = Mask({"a": keep})
    moves = [boxes.random_point(center, 1.0, "ball", np.random.default_rng(seed), mask)["a"] for seed in range(200)]
    assert all(not bool(move[3:].any()) for move in moves)
    share = np.mean(
        [float(move.norm()) ** 3 < 0.5 for move in moves]
    )  # uniform in three dimensions: half of the volume
    assert 0.35 < share < 0.65


def test_a_step_beyond_all_doubles_ends_at_the_center():
    weights, center = np.array([1e308, 1.0]), np.array([-1e308, 0.0])
    assert projection.clip_to_ball(weights, center, 1.0).tolist() == center.tolist()
    assert boxes.clip_to_ball(torch.from_numpy(weights), torch.from_numpy(center), 1.0).tolist() == center.tolist()
