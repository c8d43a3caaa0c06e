"""``strong-lth solve`` and ``strong-lth cover``: flags, files, JSON, exit status, and files that are whole or absent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from strong_lth.cli import main
from strong_lth.subsetsum import covered_set, covering_radius, solve_batch


def answer(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> dict[str, object]:
    assert main([str(a) for a in arguments]) == status
    return json.loads(capsys.readouterr().out)


def test_one_problem_from_flags(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--candidates", 0.5, -0.25, 0.125, "--target", 0.35, "--json")
    found = answer(capsys, "solve", *flags)
    assert (found["status"], found["kept"], found["verified"]) == ("OPTIMAL", [0, 1, 2], True)
    assert found["error"] == pytest.approx(0.025)
    assert answer(capsys, "solve", *flags, "--size", 1)["kept"] == [0]
    assert answer(capsys, "solve", *flags, "--signed", "--tol", 0.03)["status"] == "SOLVED"
    signed = answer(capsys, "solve", "--candidates", 0.5, "-1.25e-1", "--target", 0.625, "--signed", "--json")
    assert (signed["kept"], signed["signs"], signed["error"]) == ([0, 1], [1, -1], 0)
    assert answer(capsys, "solve", *flags, "--tol", 1e-3, "--objective", "any", status=1)["status"] == "INFEASIBLE"
    assert main(["solve", *map(str, flags[:-1])]) == 0
    assert "the smallest possible error was found" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".npy", ".csv"])
def test_many_problems_from_files(tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    x, z = rng.integers(-512, 512, (40, 10)) / 512, rng.uniform(-1, 1, 40)
    write = np.save if suffix == ".npy" else (lambda path, array: np.savetxt(path, array, delimiter=",", fmt="%.17g"))
    write(tmp_path / f"x{suffix}", x)
    write(tmp_path / f"z{suffix}", z)
    out = tmp_path / "answer.npz"
    files = (tmp_path / f"x{suffix}", "--targets", tmp_path / f"z{suffix}")
    found = answer(capsys, "solve", *files, "--tol", 1e-2, "--out", out, "--json")
    expected = solve_batch(x, z, tol=1e-2)
    assert found["problems"] == 40
    assert found["SOLVED"] == int(expected.solved.sum())
    with np.load(out, allow_pickle=False) as saved:
        assert np.array_equal(saved["keep"], expected.keep)
        assert np.array_equal(saved["errors"], expected.errors)
        assert set(saved["statuses"]) <= {"SOLVED", "OPTIMAL"}
    found = answer(capsys, "solve", *files, "--size", 3, "--signed", "--out", out, "--json")
    expected = solve_batch(x, z, size=3, signed=True)
    assert found["largest error"] == expected.errors.max()
    with np.load(out, allow_pickle=False) as saved:
        assert np.array_equal(saved["keep"], expected.keep)
    shared = answer(capsys, "solve", "--candidates", *x[0], "--targets", tmp_path / f"z{suffix}", "--json")
    assert shared["largest error"] == solve_batch(x[0], z).errors.max()


def test_cover(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.random.default_rng(1).uniform(-1, 1, 14)
    np.save(tmp_path / "x.npy", x)
    assert answer(capsys, "cover", tmp_path / "x.npy", "--json")["covering radius"] == covering_radius(x, (-0.5, 0.5))
    assert answer(capsys, "cover", tmp_path / "x.npy", "--tol", 0.1, "--json")["covered"] is True
    flags = ("--tol", 1e-4, "--window", -1, 1, "--out", tmp_path / "set.csv", "--json")
    assert answer(capsys, "cover", tmp_path / "x.npy", *flags, status=1)["covered"] is False
    assert np.array_equal(np.loadtxt(tmp_path / "set.csv", delimiter=","), covered_set(x, 1e-4, window=(-1, 1)))


def test_bad_input_is_one_sentence_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "words.csv").write_text("a,b\nc,d\n")
    (tmp_path / "x.txt").write_text("1")
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    np.save(tmp_path / "one.npy", 0.5)
    np.save(tmp_path / "x.npy", np.eye(2))
    with (tmp_path / "archive.npy").open("wb") as handle:
        np.savez(handle, x=np.ones(3))
    for arguments, word in (
        (["solve", "--candidates", "1", "2"], "target"),
        (["solve", "--target", "1"], "candidates"),
        (["solve", str(tmp_path / "words.csv"), "--target", "1"], "words.csv"),
        (["solve", str(tmp_path / "x.txt"), "--target", "1"], ".npy"),
        (["solve", str(tmp_path / "objects.npy"), "--target", "1"], "objects.npy"),
        (["solve", str(tmp_path / "absent.npy"), "--target", "1"], "absent.npy"),
        (["solve", "--candidates", "1", "--target", "1", "--size", "2"], "size"),
        (["solve", "--candidates", "1", "--target", "1", "--out", str(tmp_path / "no" / "x.npz")], "folder"),
        (["cover", "--candidates", "1", "--window", "1", "0"], "window"),
        (["solve", str(tmp_path / "one.npy"), "--target", "1"], "a single number"),
        (["solve", str(tmp_path / "archive.npy"), "--target", "1"], "archive.npy"),
        (["solve", str(tmp_path / "x.npy"), "--target", "1", "--size", "3"], "size"),
        (
            ["solve", str(tmp_path / "x.npy"), "--target", "1", "--signed", "--certificate", str(tmp_path / "c")],
            "--signed",
        ),
        (["cover", "--candidates", "1", "--out", str(tmp_path / "x.npy")], "--tol"),
    ):
        assert main(arguments) == 2
        sentence = capsys.readouterr().err
        assert word in sentence
        assert sentence.count("\n") == 1


def test_an_interruption_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of the answer's bytes."""
    out = tmp_path / "answer.npz"
    out.write_bytes(b"the old answer")
    begun = []

    def half(handle: object, **arrays: object) -> None:
        handle.write(b"half of the new answer")
        begun.append(sorted(path.name for path in tmp_path.iterdir()))
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", half)
    assert main(["solve", "--candidates", "0.5", "--target", "0.5", "--out", str(out)]) == 130
    assert len(begun[0]) == 2  # it was being written, beside the old one
    assert out.read_bytes() == b"the old answer"
    assert [path.name for path in tmp_path.iterdir()] == ["answer.npz"]


def test_an_interruption_leaves_the_old_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    np.save(tmp_path / "x.npy", rng.uniform(-1, 1, (3000, 40)))
    np.save(tmp_path / "z.npy", rng.uniform(-1, 1, 3000))
    out = tmp_path / "answer.npz"
    out.write_bytes(b"the old answer")
    command = [sys.executable, "-m", "strong_lth.cli", "solve", "x.npy", "--targets", "z.npy", "--out", "answer.npz"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in errors or "KeyboardInterrupt" in errors
    assert out.read_bytes() == b"the old answer"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answer.npz", "x.npy", "z.npy"]
