"""Certificates of sums, batches, covers and recursions: accepted by a program that shares no code with the package, refused after any change."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audit_modules import PROOFS

import strong_lth as lth
from strong_lth import subsetsum
from strong_lth.bounds import rss_recursion
from strong_lth.cli import main
from strong_lth.core import BudgetError, InputError, canonical_hash

sys.path.insert(0, str(PROOFS))

import check_certificate
from certificate_reader import MALFORMED, NotACertificate, Rejected, read

Document = dict[str, Any]
HALF, SMALL = (0.5).hex(), (2.0**-45).hex()


def made() -> dict[str, Document]:
    """One certificate of each kind, and of each shape of its fields."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 14)
    moved = subsetsum.SubsetSumProblem(x, 0.3, tol=1e-3, perturbation=np.linspace(0, 1e-3, 14))
    signed = subsetsum.SubsetSumProblem(x[:9], 0.3, tol=1e-2, signed=True)
    sized = subsetsum.SubsetSumProblem(x[:9], 0.3, size=4)
    rows, z = rng.uniform(-1, 1, (6, 12)), rng.uniform(-1, 1, 6)
    own = {"tol": np.linspace(0, 1e-2, 6), "perturbation": rng.uniform(0, 1e-3, (6, 12))}
    return {
        "sum": subsetsum.sum_certificate(moved, lth.solve(moved)),
        "signed sum": subsetsum.sum_certificate(signed, lth.solve(signed)),
        "sized sum": subsetsum.sum_certificate(sized, lth.solve(sized)),
        "batch": subsetsum.batch_certificate(rows, z, lth.solve_batch(rows, z, **own), **own),
        "shared batch": subsetsum.batch_certificate(x, z, lth.solve_batch(x, z, tol=1e-3), tol=1e-3),
        "cover": subsetsum.cover_certificate(x, 0.01, 1e-4 * np.arange(14), (-0.5, 0.5)),
        "recursion": rss_recursion.certificate(
            18, tol=0.3, of=rss_recursion.table(3333, 1299, 350, scale=10**9, ratio=(112, 100))
        ),
    }


HONEST = made()


def verdict(document: Document) -> str:
    """accepted, rejected or refused, as the program decides."""
    try:
        check_certificate.check_any(document)
    except Rejected:
        return "rejected"
    except (NotACertificate, RecursionError, *MALFORMED):
        return "refused"
    return "accepted"


def sealed(document: Document) -> Document:
    return {**document, "hash": canonical_hash(document)}


@pytest.mark.parametrize("name", HONEST)
def test_honest_certificates_are_accepted(name: str, tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(HONEST[name]))
    command = [sys.executable, "-I", "-S", str(PROOFS / "check_certificate.py"), str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr, json.loads(done.stdout)["outcome"]) == (0, "", "accepted")


@pytest.mark.parametrize("name", HONEST)
def test_every_field_counts(name: str) -> None:
    """Without a field, with one too many, without the right hash, or with a field of another type: never accepted."""
    document = HONEST[name]
    assert verdict({**document, "hash": "0" * 64}) == "rejected"
    assert verdict(sealed({**document, "note": 1})) == "refused"
    body = {key: value for key, value in document.items() if key != "hash"}
    assert verdict(body) == "refused"
    for key, value in body.items():
        assert verdict(sealed({k: v for k, v in body.items() if k != key})) == "refused", key
        for other in (None, "x", 1.5, not value if isinstance(value, bool) else True, 10**400, {}):
            if (key, other) not in (("size", None), ("signed", True)):  # these claim less, and are true
                assert verdict(sealed({**body, key: other})) != "accepted", (key, other)
        if isinstance(value, list) and value:
            odd = 1 if isinstance(value[-1], bool) else True
            assert verdict(sealed({**body, key: [*value[:-1], odd]})) != "accepted", key
            if key != "counts":  # a table without its last entry is another table, and proves the same
                assert verdict(sealed({**body, key: value[:-1]})) != "accepted", key


def changed(name: str, change: Callable[[Document], object]) -> str:
    document = copy.deepcopy(HONEST[name])
    change(document)
    return verdict(sealed(document))


LIES: dict[str, tuple[str, Callable[[Document], object]]] = {
    "a candidate": ("sum", lambda d: d["candidates"].__setitem__(d["keep"][0], HALF)),
    "the target": ("sum", lambda d: d.update(target=HALF)),
    "a smaller tolerance": ("signed sum", lambda d: d.update(tol=SMALL)),
    "a negative tolerance": ("sum", lambda d: d.update(tol="-" + SMALL)),
    "a smaller perturbation": ("sum", lambda d: d.update(perturbation=[(0.0).hex()] * 14)),
    "a dropped candidate": ("sum", lambda d: [d[k].pop() for k in ("keep", "signs", "shift")]),
    "a candidate twice": ("sum", lambda d: [d[k].append(d[k][-1]) for k in ("keep", "signs", "shift")]),
    "a sign": ("signed sum", lambda d: d["signs"].__setitem__(0, -d["signs"][0])),
    "a sign that is not allowed": ("signed sum", lambda d: d.update(signed=False)),
    "another size": ("sized sum", lambda d: d.update(size=5)),
    "a shift": ("sum", lambda d: d["shift"].__setitem__(-1, HALF)),
    "a smaller error": ("sized sum", lambda d: d.update(error=SMALL)),
    "solved, but it is not": ("sized sum", lambda d: d.update(solved=True)),
    "an infinite error": ("sum", lambda d: d.update(error="inf")),
    "a float that is not as Python writes it": ("sum", lambda d: d.update(tol="0x1.8p-1080")),
    "a row's subset": ("batch", lambda d: d["keep"].__setitem__(0, d["keep"][1])),
    "a row's target": ("batch", lambda d: d["targets"].__setitem__(2, HALF)),
    "a row's tolerance": ("shared batch", lambda d: d["tol"].__setitem__(5, (0.0).hex())),
    "a row's perturbation": ("batch", lambda d: d["perturbation"].__setitem__(3, [(0.0).hex()] * 12)),
    "a row's error": ("batch", lambda d: d["errors"].__setitem__(1, SMALL)),
    "a row that is not solved": ("shared batch", lambda d: d["solved"].__setitem__(0, not d["solved"][0])),
    "shared candidates": ("shared batch", lambda d: d["candidates"][0].reverse()),
    "a wider window": ("cover", lambda d: d.update(window=[(-0.9).hex(), (5.0).hex()])),
    "a window upside down": ("cover", lambda d: d["window"].reverse()),
    "a missing mask": ("cover", lambda d: d["masks"].pop(len(d["masks"]) // 2)),
    "a mask of candidates that are not there": ("cover", lambda d: d["masks"].__setitem__(0, 1 << 20)),
    "a negative mask": ("cover", lambda d: d["masks"].__setitem__(0, -1)),
    "a smaller tolerance of a cover": ("cover", lambda d: d.update(tol=(0.009).hex())),
    "no perturbation of a cover": ("cover", lambda d: d.update(perturbation=[(0.0).hex()] * 14)),
    "fewer candidates": ("recursion", lambda d: d.update(candidates=17)),
    "a smaller failure": ("recursion", lambda d: d.update(failure=d["failure"] - 1)),
    "a larger scale": ("recursion", lambda d: d.update(scale=2 * d["scale"], failure=d["failure"])),
    "a tolerance that the table does not serve": ("recursion", lambda d: d.update(tol=(0.2998).hex())),
    "an even number of parts": ("recursion", lambda d: d.update(parts=3334)),
    "counts that fall": ("recursion", lambda d: d["counts"].reverse()),
    "a negative gap": ("recursion", lambda d: d.update(gap=-1)),
    "a larger start": ("recursion", lambda d: d["counts"].__setitem__(0, 1301)),
    "more steps than are ever made": ("recursion", lambda d: d.update(candidates=10**9)),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_never_accepted(lie: str) -> None:
    name, change = LIES[lie]
    assert changed(name, lambda d: None) == "accepted"
    assert changed(name, change) != "accepted"


ODDITIES = {
    "not a number": '{"format": NaN}',
    "infinity": '{"format": "strong_lth cover certificate", "version": 1, "tol": Infinity}',
    "a field twice": '{"format": "a", "format": "strong_lth cover certificate"}',
    "deep nesting": "[" * 100_000 + "]" * 100_000,
    "deep nesting inside": '{"format": ' + '{"a":' * 50_000 + "1" + "}" * 50_001,
    "a list": "[1]",
    "a number": "7",
    "nothing": "",
    "an integer of many digits": '{"format": ' + "9" * 10_000 + "}",
    "a format that is a list": '{"format": ["strong_lth cover certificate"]}',
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_odd_json_is_refused_without_a_traceback(oddity: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    path.write_text(ODDITIES[oddity])
    with pytest.raises((NotACertificate, *MALFORMED)):
        check_certificate.check_any(read(path))
    for program in ("check_certificate.py", "check_bound_certificate.py"):
        command = [sys.executable, "-I", str(PROOFS / program), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (2, "")
        assert "not a certificate" in done.stdout


def test_a_cover_that_cannot_be_certified_says_why() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, 12)
    with pytest.raises(InputError, match="not served"):
        subsetsum.cover_certificate(x, 1e-4, window=(-0.5, 0.5))
    with pytest.raises(InputError, match="coarser grid"):
        subsetsum.cover_certificate([2.0**-12 / 3, *x], 0.1, window=(-0.5, 0.5))
    with pytest.raises(BudgetError, match="raise tol"):
        subsetsum.cover_certificate(np.full(100, 0.015625), 0.0078125, window=(0.0, 1.5))
    edge = subsetsum.cover_certificate([0.5], 0.25, window=(-0.25, 0.75))
    assert edge["masks"] == [0, 1]
    assert verdict(edge) == "accepted"
    assert verdict(subsetsum.cover_certificate([0.5], 0.25, window=(0.1, 0.1))) == "accepted"


@pytest.mark.parametrize("tol", [0.0, 0.003])
def test_covers_of_random_samples(tol: float) -> None:
    for seed in range(20):
        x = np.random.default_rng(seed).uniform(-1, 1, 18)
        if subsetsum.covers(x, tol, 0.002, (-0.5, 0.5)):
            document = subsetsum.cover_certificate(x, tol, 0.002, (-0.5, 0.5))
            assert verdict(document) == "accepted"
            gapped = {**document, "masks": [m for m in document["masks"] if m != document["masks"][1]]}
            assert verdict(sealed(gapped)) == "rejected"  # the chain is the farthest-reaching one: no mask is spare


def test_the_command_line_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = [str(v) for v in np.random.default_rng(1).uniform(-1, 1, 14)]
    np.save(tmp_path / "z.npy", np.linspace(-0.4, 0.4, 5))
    path = str(tmp_path / "certificate.json")
    one = ["solve", "--candidates", *x, "--target", "0.3", "--tol", "0.01", "--certificate", path]
    many = ["solve", "--candidates", *x, "--targets", str(tmp_path / "z.npy"), "--tol", "0.01", "--certificate", path]
    window = ["cover", "--candidates", *x, "--tol", "0.02", "--certificate", path]
    for command, kind in (
        (one, "subset sum"),
        (many, "batch"),
        (window, "cover"),
        (["bounds", "--certificate", path], "recursion"),
    ):
        assert main(command) == 0
        document = json.loads(Path(path).read_text())
        assert document["format"] == f"strong_lth {kind} certificate"
        assert verdict(document) == "accepted"
    Path(path).unlink()
    assert main(["cover", "--candidates", *x, "--tol", "1e-5", "--certificate", path]) == 1
    assert not Path(path).exists()
    assert main(["cover", "--candidates", *x, "--certificate", path]) == 2
    capsys.readouterr()
