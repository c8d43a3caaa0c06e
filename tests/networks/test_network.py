"""Targets: shapes, files, torch."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
import torch
from network_targets import random_target
from torch import nn

import strong_lth as lth
from strong_lth.networks import Activation, Dense


def test_evaluates_like_torch_and_comes_back_exactly():
    torch.manual_seed(0)
    module = (
        nn.Sequential(
            nn.Flatten(), nn.Linear(6, 4), nn.ReLU(), nn.Sequential(nn.Dropout(), nn.Linear(4, 2, bias=False))
        )
        .double()
        .eval()
    )
    network = lth.Network.from_torch(module)
    x = np.random.default_rng(0).normal(size=(7, 6))
    np.testing.assert_allclose(network(x), module(torch.from_numpy(x)).detach().numpy(), rtol=1e-13)
    assert network.widths == (6, 4, 2)
    assert network.parameters == 6 * 4 + 4 + 8
    assert network.dense[1].bias is None


@pytest.mark.parametrize(
    ("module", "word"),
    [
        (nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)), "Tanh"),
        (nn.Sequential(nn.Conv2d(1, 1, 3)), "Conv2d"),
        (nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1)), "Linear straight after Linear"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU()), "no final Linear layer"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.ReLU(), nn.Linear(2, 1)), "ReLU without a Linear"),
        (nn.Sequential(), "no final Linear layer"),
    ],
)
def test_unsupported_modules_are_named(module: nn.Module, word: str):
    with pytest.raises(lth.InputError, match=word):
        lth.Network.from_torch(module)


def test_modules_that_may_compute_anything_are_refused():
    class Loud(nn.Sequential):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) * 5

    class Bent(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tanh(super().forward(x))

    hooked = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    hooked[0].register_forward_hook(lambda _, __, output: output * 2)
    tied = nn.Sequential(torch.nn.utils.parametrizations.orthogonal(nn.Linear(2, 2)))
    for module, word in (
        (Loud(nn.Linear(2, 1)), "Loud"),
        (nn.Sequential(Bent(2, 1)), "Bent"),
        (hooked, "hooks"),
        (tied, "ParametrizedLinear"),
    ):
        with pytest.raises(lth.InputError, match=word):
            lth.Network.from_torch(module)


@pytest.mark.parametrize("bias", [False, True])
def test_files_give_the_same_network_back(tmp_path, bias: bool):
    network = random_target(3, bias=bias)
    network.save(tmp_path / "net.npz")
    again = lth.Network.load(tmp_path / "net.npz")
    for mine, theirs in zip(network.dense, again.dense, strict=True):
        assert np.array_equal(mine.weight, theirs.weight)
        assert np.array_equal(mine.offset, theirs.offset)
        assert (mine.bias is None) == (theirs.bias is None)
    assert [p.name for p in tmp_path.iterdir()] == ["net.npz"]


def test_foreign_and_damaged_files_are_refused_and_nothing_is_unpickled(tmp_path):
    cases = {
        "missing.npz": {"W2": np.ones((1, 1))},
        "extra.npz": {"W1": np.ones((1, 1)), "scores": np.ones(3)},
        "shapes.npz": {"W1": np.ones((2, 3)), "W2": np.ones((1, 5))},
        "nan.npz": {"W1": np.array([[np.nan]])},
    }
    for name, arrays in cases.items():
        np.savez(tmp_path / name, **arrays)
        with pytest.raises(lth.FormatError, match=name):
            lth.Network.load(tmp_path / name)
    (tmp_path / "text.npz").write_text("not an archive")
    with pytest.raises(lth.FormatError, match=r"text\.npz"):
        lth.Network.load(tmp_path / "text.npz")
    touched = []

    class Trap:
        def __reduce__(self):
            return touched.append, (1,)

    np.savez(tmp_path / "pickle.npz", W1=np.array([Trap()], dtype=object))
    touched.clear()
    with pytest.raises(lth.FormatError, match=r"pickle\.npz"):
        lth.Network.load(tmp_path / "pickle.npz")
    (tmp_path / "raw.npz").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(lth.FormatError, match=r"raw\.npz"):
        lth.Network.load(tmp_path / "raw.npz")
    np.save(tmp_path / "single.npy", np.ones(3))
    with pytest.raises(lth.FormatError, match="single array"):
        lth.Network.load(tmp_path / "single.npy")
    assert touched == []


def test_a_failed_save_leaves_the_good_file(tmp_path, monkeypatch):
    random_target(1).save(tmp_path / "net.npz")
    before = (tmp_path / "net.npz").read_bytes()

    def full_disk(handle: io.IOBase, **_: object) -> None:
        handle.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="No space"):
        random_target(2).save(tmp_path / "net.npz")
    assert (tmp_path / "net.npz").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["net.npz"]


def test_bad_layers_are_named():
    with pytest.raises(lth.InputError, match="alternate"):
        lth.Network((Dense(np.ones((1, 1))), Dense(np.ones((1, 1)))))
    with pytest.raises(lth.InputError, match="start and end"):
        lth.Network((Dense(np.ones((1, 1))), Activation()))
    with pytest.raises(lth.InputError, match="relu"):
        Activation("tanh")
    with pytest.raises(lth.InputError, match="bias"):
        Dense(np.ones((2, 1)), np.ones(3))
    with pytest.raises(lth.InputError, match="dense layer 2"):
        lth.Network.from_arrays([np.ones((2, 3)), np.ones((1, 5))])
    with pytest.raises(lth.InputError, match="finite"):
        Dense(np.array([[np.inf]]))
    with pytest.raises(lth.InputError, match="real numbers"):
        Dense(np.array([[1 + 2j]]))
    with pytest.raises(lth.InputError, match="dense layer 2, weight"):
        lth.Network.from_arrays([np.ones((1, 1)), [[np.nan]]])
    with pytest.raises(lth.InputError, match="last axis of 4"):
        random_target(0)(np.ones(3))


def test_arrays_are_copied_and_frozen():
    weight = np.ones((1, 2))
    network = lth.Network.from_arrays([weight])
    weight[:] = 7
    assert network.dense[0].weight[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        network.dense[0].weight[0, 0] = 3
