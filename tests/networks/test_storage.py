"""Ticket files: the same ticket back, or a clear refusal."""

from __future__ import annotations

import json

import numpy as np
import pytest
from network_targets import random_target
from safetensors.numpy import load_file, save_file

import strong_lth as lth
from strong_lth.networks.storage import FORMAT, content_digest

SETTINGS = {
    "plain": {},
    "perturbed": {"perturbation": 1e-3},
    "normal": {"law": lth.Normal(), "perturbation": 1e-3},
    "random first": {"first": lth.Uniform(-1, 1), "perturbation": 1e-3},
    "ball": {"domain": lth.Ball(0.5, (0.1, 0.2, 0.3, 0.4))},
    "unserved": {"tol": 1e-5, "width": 8},
}


@pytest.fixture
def file(tmp_path):
    strong = lth.approximate(random_target(0), domain=lth.Box(-1, 1), tol=0.3, perturbation=1e-3, width=16, seed=5)
    strong.save(tmp_path / "ticket.safetensors")
    return tmp_path / "ticket.safetensors"


@pytest.mark.parametrize("name", SETTINGS)
def test_the_same_ticket_comes_back(tmp_path, name: str):
    target = random_target(0)
    settings = {"domain": lth.Box(-1, 1), "tol": 0.3, "width": 16, "seed": 5} | SETTINGS[name]
    strong = lth.approximate(target, **settings)
    strong.save(tmp_path / "t")
    again = lth.Subnetwork.load(tmp_path / "t")
    for mine, theirs in zip(strong.layers, again.layers, strict=True):
        assert np.array_equal(mine.keep, theirs.keep)
        assert mine.undecided == theirs.undecided
        if mine.shift is not None:
            assert np.array_equal(mine.shift[mine.keep], theirs.shift[theirs.keep])
    for field in ("domain", "tol", "weight_tol", "chain", "a_priori", "perturbation", "objective", "unserved"):
        assert getattr(strong, field) == getattr(again, field)
    assert again.source.widths == strong.source.widths
    assert (
        lth.certify(target, again, domain=strong.domain).certified
        == lth.certify(target, strong, domain=strong.domain).certified
    )


def test_a_moved_source_is_kept(tmp_path):
    target = random_target(0)
    source = lth.random_source(target, domain=lth.Box(-1, 1), width=16, seed=2)
    moved = source.moved([part.even_weights * (1 - 1e-3) for part in source.layers], 1e-3)
    strong = lth.approximate(target, domain=lth.Box(-1, 1), tol=0.3, source=moved, seed=2)
    strong.save(tmp_path / "t")
    again = lth.Subnetwork.load(tmp_path / "t")
    assert lth.verify_gadgets(target, again).ok
    assert again.source.perturbation_used == 1e-3


def rewrite(file, change, *, honest_hash: bool = True) -> None:
    """Apply ``change(header, tensors)`` to a ticket file, and hash it again."""
    tensors = load_file(file)
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as opened:
        header = json.loads(opened.metadata()[FORMAT])
    digest = header.pop("sha256")
    change(header, tensors)
    header["sha256"] = content_digest(header, tensors) if honest_hash else digest
    save_file(tensors, file, metadata={FORMAT: json.dumps(header)})


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("version", 2, "format version 2"),
        ("seed", 6, "do not match"),
        ("seed", -1, "seed"),
        ("kept_sha256", "0" * 64, "do not match"),
        ("widths", [16], "width"),
        ("widths", [10**9, 16], "MiB"),
        ("layers", [[5, 4, True]], "damaged"),
        ("law", {"law": "Cauchy"}, "law"),
        ("domain", {"kind": "cube"}, "domain"),
        ("tol", "wide", "damaged"),
        ("tol", "0x1p5000", "damaged"),
        ("tol", "nan", "tol"),
        ("tol", "-0x1p0", "tol"),
        ("rows", [], "scaling"),
        ("rows", [[0, 0]], "scaling"),
        ("gain", 10**6, "scaling"),
        ("weight_tol", ["nan", "nan"], "weight_tol"),
        ("weight_tol", [], "tolerances"),
        ("perturbation", "inf", "perturbation"),
        ("moved_by", "nan", "perturbation_used"),
        ("objective", "magic", "objective"),
        ("unserved", [[99, 0, 0, "+", "density", "0x0p0"]], "unserved"),
        ("unserved", [[1, 0, 999, "+", "density", "0x0p0"]], "unserved"),
        ("unserved", [[2, 0, 0, "-", "density", "0x0p0"]], "unserved"),
        ("unserved", [[1, 0, 0, "+", "density", "0x0p0"]] * 2, "once each"),
        ("weight_tol", None, "damaged"),
    ],
)
def test_changed_headers_are_refused(file, field: str, value: object, word: str):
    rewrite(file, lambda header, _: header.update({field: value}))
    with pytest.raises((lth.FormatError, lth.BudgetError), match=word):
        lth.Subnetwork.load(file)


def test_any_change_is_noticed(file):
    rewrite(file, lambda header, _: header.update(tol=(0.1).hex()), honest_hash=False)
    with pytest.raises(lth.FormatError, match="content does not match its hash"):
        lth.Subnetwork.load(file)


def test_missing_and_misshapen_tensors_are_refused(file):
    good = file.read_bytes()
    for change in (
        lambda _, tensors: tensors.pop("2.mask"),
        lambda _, tensors: tensors.update({"2.mask": tensors["2.mask"][:-1]}),
        lambda _, tensors: tensors.update({"4.shift": tensors["4.shift"][:-1]}),
        lambda _, tensors: tensors.update({"4.shift": np.full_like(tensors["4.shift"], np.nan)}),
        lambda header, _: header.pop("gain"),
    ):
        file.write_bytes(good)
        rewrite(file, change)
        with pytest.raises(lth.FormatError, match=r"ticket\.safetensors"):
            lth.Subnetwork.load(file)


def test_foreign_and_truncated_files_are_refused(file):
    good = file.read_bytes()
    for content in (b"", b"hello", good[: len(good) // 2], good[:20]):
        file.write_bytes(content)
        with pytest.raises(lth.FormatError, match=r"ticket\.safetensors"):
            lth.Subnetwork.load(file)
    save_file({"x": np.ones(2)}, file)
    with pytest.raises(lth.FormatError, match="another kind"):
        lth.Subnetwork.load(file)
    with pytest.raises(FileNotFoundError, match="no such ticket"):
        lth.Subnetwork.load(file.with_name("absent"))


def test_a_failed_save_leaves_the_good_file(file, monkeypatch):
    good = file.read_bytes()
    strong = lth.Subnetwork.load(file)

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        strong.save(file)
    assert file.read_bytes() == good
    assert [path.name for path in file.parent.iterdir()] == [file.name]
