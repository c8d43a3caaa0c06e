"""``strong-lth approximate`` and ``certify``: files, exit statuses, one-sentence errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from network_targets import random_target

from strong_lth import cli


@pytest.fixture
def target(tmp_path: Path) -> Path:
    random_target(0).save(tmp_path / "target.npz")
    return tmp_path / "target.npz"


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    status = cli.main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_approximate_writes_a_ticket_that_certify_accepts(target: Path, capsys):
    ticket, certificate = target.with_name("t.safetensors"), target.with_name("c.json")
    status, out, _ = run(
        capsys,
        "approximate",
        target,
        "--tol",
        0.1,
        "--perturbation",
        1e-3,
        "--low",
        -1,
        "--out",
        ticket,
        "--certificate",
        certificate,
        "--json",
    )
    assert status == 0
    (numbers,) = json.loads(out)
    assert numbers["unserved"] == 0
    assert numbers["found"] <= numbers["certified"] <= numbers["a_priori"] <= 0.1
    assert json.loads(certificate.read_text())["claim"]["certified"]
    status, out, _ = run(capsys, "certify", target, ticket, "--json")
    assert status == 0
    assert json.loads(out)[0]["certified"] == numbers["certified"]
    status, out, _ = run(capsys, "certify", target, ticket)
    assert "certified" in out


def test_a_ticket_of_another_target_fails(target: Path, capsys):
    ticket, other = target.with_name("t.safetensors"), target.with_name("other.npz")
    run(capsys, "approximate", target, "--tol", 0.1, "--out", ticket)
    random_target(1).save(other)
    status, out, _ = run(capsys, "certify", other, ticket, "--json")
    assert status == 1
    assert any("within its tolerance" in line for line in json.loads(out)[0]["checks_failed"])
    random_target(1, (4, 6, 3)).save(other)
    status, out, err = run(capsys, "certify", other, ticket)
    assert (status, out) == (2, "")
    assert err.startswith("strong-lth: target: ")


def test_unserved_weights_are_status_1(target: Path, capsys):
    status, out, _ = run(capsys, "approximate", target, "--tol", 1e-4, "--width", 5, "--json")
    (numbers,) = json.loads(out)
    assert status == 1
    assert numbers["unserved"] == numbers["unserved_range"] + numbers["unserved_density"] > 0
    assert numbers["a_priori"] is None
    ticket = target.with_name("t.safetensors")
    status, _, err = run(capsys, "approximate", target, "--tol", 1e-4, "--width", 5, "--out", ticket)
    assert status == 1
    assert "not served" in err
    assert "layer 1, output 0" in err
    status, _, err = run(capsys, "certify", target, ticket)
    assert status == 1
    assert "not served" in err


@pytest.mark.parametrize("width", ["proved", "12,14", "smallest"])
def test_widths(target: Path, capsys, width: str):
    status, out, _ = run(capsys, "approximate", target, "--tol", 0.5, "--width", width, "--json")
    assert status in (0, 1)
    (numbers,) = json.loads(out)
    assert len(numbers["widths"]) == 2
    assert numbers["widths"] == ([12, 14] if width == "12,14" else numbers["widths"])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (["--tol", "-1"], "tol: got -1.0"),
        (["--tol", "nan"], "tol: got nan"),
        (["--tol", ".1", "--width", "tiny"], "--width"),
        (["--tol", ".1", "--width", "0"], "width"),
        (["--tol", ".1", "--low", "2"], "Box"),
        (["--tol", ".1", "--delta", "2"], "delta"),
        (["--tol", ".1", "--scale", "0"], "--scale"),
        (["--tol", ".1", "--memory-gib", "nan"], "--memory-gib"),
        (["--tol", ".1", "--memory-gib", "-1"], "--memory-gib"),
        (["--tol", ".1", "--memory-gib", ".1"], "not even width 1"),
        (["--tol", ".1", "--out", "same", "--certificate", "same"], "different files"),
        (["--tol", ".1", "--seed", "-1"], "seed"),
        (["--tol", ".1", "--width", "1000000000"], "largest uniform width"),
        (["--tol", ".1", "--out", "absent/folder/t"], "output file"),
        (["--tol", ".1", "--out", "."], "output file"),
    ],
)
def test_bad_input_is_one_sentence(target: Path, capsys, change: list[str], word: str):
    status, out, err = run(capsys, "approximate", target, *change)
    assert status == 2
    assert out == ""
    lines = [line for line in err.splitlines() if line.startswith("strong-lth: ")]
    assert len(lines) == 1
    assert word in lines[0]


def test_bad_files_are_one_sentence(target: Path, capsys):
    status, _, err = run(capsys, "approximate", target.with_name("absent.npz"), "--tol", 0.1)
    assert status == 2
    assert "absent.npz" in err
    target.with_name("bad.npz").write_bytes(b"not an archive")
    status, _, err = run(capsys, "approximate", target.with_name("bad.npz"), "--tol", 0.1)
    assert status == 2
    assert "bad.npz" in err
    status, _, err = run(capsys, "certify", target, target)
    assert status == 2
    assert "damaged ticket" in err


def test_an_existing_ticket_survives_a_failed_run(target: Path, capsys, monkeypatch):
    ticket = target.with_name("t.safetensors")
    run(capsys, "approximate", target, "--tol", 0.1, "--out", ticket)
    good = ticket.read_bytes()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    status, _, err = run(capsys, "approximate", target, "--tol", 0.2, "--out", ticket)
    assert status == 130
    assert "interrupted" in err
    assert ticket.read_bytes() == good
    assert sorted(path.name for path in target.parent.iterdir()) == ["t.safetensors", "target.npz"]


def test_the_whole_network_can_be_a_vector(tmp_path: Path, capsys):
    np.savez(tmp_path / "one.npz", W1=np.array([[0.25]]))
    status, out, _ = run(capsys, "approximate", tmp_path / "one.npz", "--tol", 1e-3, "--json")
    assert status == 0
    assert json.loads(out)[0]["certified"] <= 1e-3
