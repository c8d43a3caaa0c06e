"""Planted faults around the perturbation: the plain clamp, a weight pushed out by one unit, other initial weights. Each must turn its gate red."""

import numpy as np
import pytest
import torch

import strong_lth as lth
from strong_lth import cli
from strong_lth.core import InputError
from strong_lth.tickets import boxes, weights_file


@pytest.mark.parametrize("size", [1e-5, 1e-3])
def test_the_plain_float32_clamp_leaves_the_box(size):
    rng = np.random.default_rng(0)
    start = rng.normal(size=4000).astype(np.float32)
    weights = start + rng.normal(size=4000).astype(np.float32)
    plain = start + np.clip(weights - start, np.float32(-size), np.float32(size))
    found = lth.verify_perturbation({"a": start}, {"a": plain}, size)
    assert not found.ok
    assert int(found.failures[0].detail.split("; ")[1].split()[0]) > 400
    exact = lth.projection.clip(weights, *lth.projection.box_ends(start, size))
    assert lth.verify_perturbation({"a": start}, {"a": exact}, size).ok


def test_one_unit_beyond_an_end_is_found_and_named():
    start = np.random.default_rng(1).normal(size=(30, 40)).astype(np.float32)
    _, high = lth.projection.box_ends(start, 1e-3)
    assert lth.verify_perturbation({"a": start}, {"a": high}, 1e-3).ok
    high = high.copy()
    high[7, 11] = np.nextafter(high[7, 11], np.float32(np.inf))
    found = lth.verify_perturbation({"a": start}, {"a": high}, 1e-3)
    assert found.failures[0].detail.startswith("a[7, 11] moved by 0.00100")
    assert found.failures[0].detail.endswith("1 of 1200 weights left")


def test_a_point_just_outside_the_ball_is_found():
    start = {"a": np.zeros(2), "b": np.zeros(2)}
    inside = {"a": np.array([3.0, 0.0]), "b": np.array([0.0, 4.0])}
    outside = {**inside, "b": np.array([0.0, np.nextafter(4.0, 5.0)])}
    assert lth.verify_perturbation(start, inside, 5.0, shape="ball").ok
    assert not lth.verify_perturbation(start, outside, 5.0, shape="ball").ok


def test_a_removed_weight_that_came_back_and_a_nan_are_named():
    start = {"a": np.ones((2, 2))}
    mask = lth.Mask({"a": np.array([[True, True], [True, False]])})
    after = np.array([[1.0, 1.0], [1.0, 0.0]])
    assert lth.verify_perturbation(start, {"a": after}, 0.1, mask=mask).ok
    for shape in ("box", "ball"):
        back = lth.verify_perturbation(start, {"a": np.ones((2, 2))}, 0.1, mask=mask, shape=shape)
        assert "a[1, 1]" in back.failures[0].detail
        lost = lth.verify_perturbation(start, {"a": np.array([[1, np.nan], [1, 1]])}, 0.1, shape=shape)
        assert lost.failures[0].detail == "a[0, 1] is nan"


@pytest.fixture
def files(tmp_path):
    """Initial weights with their origin, and the same ones moved by a random perturbation of 1e-2."""
    origin = weights_file.Origin("digits", "mlp-bn", 4)
    start = origin.drawn()
    moved = boxes.random_point(start, 1e-2, "box", np.random.default_rng(0))
    weights_file.save_weights(start, tmp_path / "before.safetensors", origin)
    weights_file.save_weights(moved, tmp_path / "after.safetensors")
    return tmp_path, start, origin


def check(folder, size="1e-2", *more):
    names = [str(folder / "before.safetensors"), str(folder / "after.safetensors")]
    return cli.main(["verify-perturbation", *names, "--perturbation", size, *more])


def test_the_command_proves_names_and_exits(files, capsys):
    folder, _, _ = files
    assert check(folder) == 0
    assert "seed 4 of mlp-bn" in capsys.readouterr().out
    assert check(folder, "9e-3") == 1
    assert "1.weight[" in capsys.readouterr().err
    assert check(folder, "9e-3", "--shape", "relative", "--json") == 1
    assert '"outcome":"failed"' in capsys.readouterr().out
    assert check(folder, "-1") == 2
    assert "perturbation: got -1.0" in capsys.readouterr().err


def test_initial_weights_that_are_not_those_of_their_seed_turn_the_command_red(files, capsys):
    folder, start, origin = files
    changed = {**start, "4.weight": start["4.weight"].clone()}
    changed["4.weight"][3, 3] += 1e-6
    weights_file.save_weights(changed, folder / "before.safetensors", origin)
    assert check(folder, "1") == 1
    assert "those of the stated seed and law: 4.weight differs" in capsys.readouterr().err
    weights_file.save_weights(start, folder / "before.safetensors", weights_file.Origin("digits", "mlp-bn", 5))
    assert check(folder, "1") == 1
    weights_file.save_weights(
        start, folder / "before.safetensors", weights_file.Origin("digits", "mlp-bn", 4, "cauchy")
    )
    assert check(folder, "1") == 2
    assert "law: got 'cauchy'" in capsys.readouterr().err


def test_a_tensor_left_out_of_the_first_file_does_not_go_unchecked(files, capsys):
    folder, start, origin = files
    less = {name: tensor for name, tensor in start.items() if name != "4.weight"}
    weights_file.save_weights(less, folder / "before.safetensors", origin)
    assert check(folder) == 2
    assert "a tensor 4.weight that before lacks" in capsys.readouterr().err
    weights_file.save_weights(less, folder / "after.safetensors")
    assert check(folder) == 1
    assert "those of the stated seed and law: 4.weight is missing" in capsys.readouterr().err


def test_weights_of_any_type_are_read_without_rounding(tmp_path):
    for kind in (torch.bfloat16, torch.float32, torch.float64):
        tensor = torch.randn(5, 4, dtype=torch.float64).to(kind)
        weights_file.save_weights({"a": tensor, "steps": torch.tensor(3)}, tmp_path / "w.safetensors")
        read = weights_file.read_weights(tmp_path / "w.safetensors")
        assert set(read.arrays) == {"a"}
        assert np.array_equal(read.arrays["a"].astype(np.float64), tensor.double().numpy())
    (tmp_path / "w.safetensors").write_bytes(b"not a file of weights")
    with pytest.raises(lth.FormatError, match=r"w.safetensors: damaged"):
        weights_file.read_weights(tmp_path / "w.safetensors")
    with pytest.raises(FileNotFoundError, match="no such file"):
        weights_file.read_weights(tmp_path / "other.safetensors")


def test_two_networks_that_do_not_match_are_refused():
    for before, after, name in (
        ({"a": np.ones(2)}, {"b": np.ones(2)}, "no tensor a"),
        ({"a": np.ones(2)}, {"a": np.ones(2), "b": np.ones(2)}, "a tensor b"),
        ({"a": np.ones(2)}, {"a": np.ones(3)}, "shapes"),
        ({"a": np.ones(2, dtype=int)}, {"a": np.ones(2)}, "float"),
        ({"a": np.array([np.inf])}, {"a": np.ones(1)}, "not finite"),
    ):
        with pytest.raises(InputError, match=name):
            lth.verify_perturbation(before, after, 0.1)
    with pytest.raises(InputError, match="one number"):
        lth.verify_perturbation({"a": np.ones(2)}, {"a": np.ones(2)}, {})
    ones = {"a": np.ones(2)}
    for settings, name in (
        ({"mask": lth.Mask({"b": np.ones(2, dtype=bool)})}, "mask: got b"),
        ({"mask": lth.Mask({"a": np.ones(1, dtype=bool)})}, "mask: got a"),  # would spread over both weights
        ({"shape": "disc"}, "shape"),
        ({"perturbation": np.array([0.1])}, "one number"),
        ({"before": {}, "after": {}}, "no float array"),
        ({"before": [1.0]}, "before: got list"),
        ({"before": {"a": np.ones(2, np.longdouble)}}, "64 bits"),
    ):
        with pytest.raises(InputError, match=name):
            lth.verify_perturbation(**{"before": ones, "after": ones, "perturbation": 0.1} | settings)


@pytest.mark.parametrize(
    ("shape", "before", "after", "size", "inside", "words"),
    [
        ("box", 1e308, -1e308, 0.01, False, "moved by more than the largest double, allowed 0.01"),
        ("relative", 1e308, -1e308, 1.5, False, "moved by more than the largest double, allowed 1.5e+308"),
        ("relative", 1e308, -1e308, 3.0, True, "worst a[0]"),
        ("relative", 1e308, 1.0, 1e308, True, "worst a[0], moved by 1e+308"),
        ("ball", 1e308, -1e308, 1.0, False, "distance inf"),
        ("ball", 1e200, 2e200, 1.5e200, True, "distance 1e+200"),
        ("ball", 0.0, 1e-200, 1e-201, False, "distance 1e-200, allowed 1e-201"),
        ("ball", 0.0, 5e-324, 0.0, False, "distance 5e-324"),
        ("box", 0.0, 1e-323, 5e-324, False, "moved by 1e-323, allowed 5e-324"),
    ],
)
def test_the_ends_of_the_doubles_are_decided_and_named(shape, before, after, size, inside, words):
    found = lth.verify_perturbation({"a": np.array([before])}, {"a": np.array([after])}, size, shape=shape)
    assert found.ok is inside
    assert words in found.checks[0].detail


def test_single_numbers_and_numpy_radii_are_taken():
    assert lth.verify_perturbation({"a": np.float64(1)}, {"a": np.float64(1.5)}, np.float32(0.5)).ok
    found = lth.verify_perturbation({"a": np.float64(1)}, {"a": np.float64(1.5)}, 0.4)
    assert found.failures[0].detail == "a moved by 0.5, allowed 0.4; 1 of 1 weights left"
