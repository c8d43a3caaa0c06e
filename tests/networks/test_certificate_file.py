"""The certificate: accepted by a program that shares no code with the package, refused after any change."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from network_targets import random_target

import strong_lth as lth
from strong_lth.core import canonical_hash
from strong_lth.networks import write_certificate
from strong_lth.networks.certificate_file import certificate_document

CHECKER = Path(__file__).resolve().parents[2] / "proofs" / "check_certificate.py"

SETTINGS = {
    "plain": {},
    "perturbed": {"perturbation": 1e-3},
    "non-negative inputs": {"domain": lth.Box(0, 1), "perturbation": 1e-4},
    "random signs": {"first": lth.RandomSigns()},
    "random first": {"first": lth.Uniform(-1, 1), "perturbation": 1e-3},
    "wide law": {"law": lth.Uniform(-4, 4)},
    "scaled law": {"law": lth.Scaled(lth.Uniform(-1, 1), 0.5)},
    "unserved": {"tol": 1e-4, "width": 8},
    "ball": {"domain": lth.Ball(0.5, 0.1)},
}


def checked(path: Path) -> tuple[int, dict]:
    done = subprocess.run(
        [sys.executable, "-I", str(CHECKER), str(path), "--json"], capture_output=True, text=True, timeout=120
    )
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def made(tmp_path: Path, **change) -> Path:
    target = random_target(0)
    settings = {"domain": lth.Box(-1, 1), "tol": 0.3, "width": 16, "seed": 5} | change
    strong = lth.approximate(target, **settings)
    error = lth.certify(target, strong, domain=settings["domain"])
    path = tmp_path / "certificate.json"
    write_certificate(target, strong, error, path)
    return path


@pytest.mark.parametrize("name", SETTINGS)
def test_honest_certificates_are_accepted(tmp_path: Path, name: str):
    path = made(tmp_path, **SETTINGS[name])
    status, answer = checked(path)
    assert (status, answer["outcome"]) == (0, "accepted")
    assert any("kept weights drawn again" in line for line in answer["log"])
    assert any("joint-zonotope" in line and "re-proved" in line for line in answer["log"])


def test_weights_of_other_laws_are_taken_from_the_file_and_said_so(tmp_path: Path):
    status, answer = checked(made(tmp_path, law=lth.Normal()))
    assert (status, answer["outcome"]) == (3, "not re-proved")
    assert any("not re-derived" in line for line in answer["log"])


def test_a_certificate_is_for_the_domain_of_its_ticket(tmp_path: Path):
    target = random_target(0)
    strong = lth.approximate(target, domain=lth.Box(-1, 1), tol=0.3, width=16, seed=5)
    error = lth.certify(target, strong, domain=lth.Box(0, 1))
    with pytest.raises(lth.InputError, match="domain of the ticket"):
        certificate_document(target, strong, error)


def test_a_moved_source_has_no_certificate():
    target = random_target(0)
    source = lth.random_source(target, domain=lth.Box(-1, 1), width=16, seed=2)
    moved = source.moved([part.even_weights for part in source.layers], 0.0)
    strong = lth.approximate(target, domain=lth.Box(-1, 1), tol=0.3, source=moved, seed=2)
    with pytest.raises(lth.InputError, match="moved source"):
        certificate_document(target, strong, lth.certify(target, strong, domain=strong.domain))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not json",
        "[]",
        "{}",
        '{"format": "strong_lth certificate", "version": 2}',
        '{"format": "strong_lth certificate", "version": 1, "hash": ""}',
    ],
)
def test_other_files_are_not_certificates(tmp_path: Path, content: str):
    path = tmp_path / "certificate.json"
    path.write_text(content)
    status, answer = checked(path)
    assert (status, answer["outcome"]) in ((2, "not a certificate"), (1, "rejected"))
    assert checked(tmp_path / "absent.json")[0] == 2


def test_removing_any_part_is_noticed(tmp_path: Path):
    """Every field counts: without it the file is rejected or no certificate, also with an honest hash."""
    path = made(tmp_path, perturbation=1e-3)
    document = json.loads(path.read_text())
    for key in document:
        broken = {name: value for name, value in document.items() if name != key}
        if key != "hash":
            broken["hash"] = canonical_hash(broken)
        path.write_text(json.dumps(broken))
        if key == "tol":  # the output tolerance is a wish, not a claim
            continue
        assert checked(path)[0] in (1, 2), key


def test_nothing_in_a_part_goes_unread(tmp_path: Path):
    """A field that the checker does not know could be read by somebody else; and a width of a million must not fill the memory."""
    path = made(tmp_path, perturbation=1e-3, law=lth.Scaled(lth.Uniform(-1, 1), 0.5))
    honest = path.read_text()
    for part in ("target", "layers", "source", "law", "inner law", "claim", "scaling"):
        document = json.loads(honest)
        law = document["source"]["law"]
        places = {"target": document["target"][0], "layers": document["layers"][0], "law": law, "inner law": law["of"]}
        (places.get(part) or document[part])["note"] = "moved at will"
        document["hash"] = canonical_hash({k: v for k, v in document.items() if k != "hash"})
        path.write_text(json.dumps(document))
        assert checked(path)[0] == 2, part
    document = json.loads(honest)
    document["source"]["widths"] = [10**6] * len(document["source"]["widths"])
    document["target"][0]["weight"] = [row * 20 for row in document["target"][0]["weight"]]
    document["domain"] = {"kind": "box", "low": (0.0).hex(), "high": (1.0).hex()}
    document["hash"] = canonical_hash({k: v for k, v in document.items() if k != "hash"})
    path.write_text(json.dumps(document))
    status, answer = checked(path)
    assert status == 2
    assert "more units" in answer["claim"]


def test_the_checker_imports_the_standard_library_alone():
    program = (
        "import runpy, sys; before = set(sys.modules); sys.argv = ['x', 'absent.json']\n"
        f"try: runpy.run_path({str(CHECKER)!r}, run_name='__main__')\nexcept SystemExit: pass\n"
        "import check_bound_certificate, check_recursion, check_sums\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    own = "certificate_reader check_bound_certificate check_recursion check_sums"
    assert done.stdout.strip().splitlines()[-1] == own


def test_philox_of_the_checker_is_the_published_one():
    """Known answer of the Random123 distribution for Philox4x64-10 with all-ones key and counter."""
    spec = importlib.util.spec_from_file_location("checker", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    checker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(checker)
    ones = 2**64 - 1
    assert checker.philox((ones,) * 4, (ones, ones)) == (
        0x87B092C3013FE90B,
        0x438C3C67BE8D0224,
        0x9CC7D7C69CD777B6,
        0xA09CAEBF594F0BA0,
    )
    words = np.random.Philox(
        key=np.array([9, checker.KEY_TAG], dtype=np.uint64), counter=np.array([0, 1, 2, 3], dtype=np.uint64)
    ).random_raw(6)
    assert [checker.word(9, 1, 2, 3, position) for position in range(6)] == words.tolist()
