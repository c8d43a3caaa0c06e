"""The main job, end to end: rows, files, and the independent checker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import strong_lth as lth
from strong_lth import cli, datasets, demo

CHECKER = Path(__file__).resolve().parent.parent / "proofs" / "check_certificate.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    assert cli.main(["demo", "--out", str(out)]) == 0
    return out


def test_rows_agree_with_each_other(folder: Path):
    table = json.loads((folder / "table.json").read_text())
    rows = table["rows"]
    assert [(r["candidates"]["tol"], r["candidates"]["perturbation"]) for r in rows] == [
        (tol, perturbation) for tol in demo.TOLS for perturbation in demo.PERTURBATIONS
    ]
    for row in rows:
        c = row["candidates"]
        assert c["needed_low"] <= c["needed"] <= c["needed_high"] < c["proved"]
        assert abs(c["needed"] - c["predicted"]) <= 4
        assert c["needed_low"] <= row["width"] <= c["needed_high"]
        assert 0 <= row["found"] <= row["certified"] <= row["a_priori"] <= c["tol"]
        assert row["verified"]
        assert row["unserved"] == 0
        assert row["target_accuracy"] > 0.94
        assert abs(row["ticket_accuracy"] - row["target_accuracy"]) <= row["certified"]
    for looser, tighter in zip(rows, rows[3:], strict=False):
        assert looser["candidates"]["needed"] <= tighter["candidates"]["needed"]
    needed = [c["needed"] for c in table["curve"]]
    assert needed == sorted(needed, reverse=True)
    assert table["record"]["versions"]["numpy"] == np.__version__


def test_the_strong_block_shows_a_ticket_found_by_search(folder: Path):
    rows = json.loads((folder / "table.json").read_text())["searched"]
    assert [row["method"] for row in rows] == ["edge-popup (signed-constant)"] * 3
    for row in rows:
        assert row["strong"]
        assert row["use"] == "as-is"
        assert row["kept"] == 2458
        assert row["accuracy"] > 0.9


def test_the_checker_accepts_the_certificate(folder: Path):
    done = subprocess.run(
        [sys.executable, "-I", str(CHECKER), str(folder / "certificate.json")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("accepted: ")


def test_the_ticket_file_is_the_strictest_row(folder: Path):
    rows = json.loads((folder / "table.json").read_text())["rows"]
    target, strong = lth.Network.load(folder / "target.npz"), lth.Subnetwork.load(folder / "ticket.safetensors")
    images = datasets.inputs(datasets.load("digits"), "test")
    error = lth.certify(target, strong, domain=lth.Box(0, 1), points=images[:64])
    strictest = min(rows, key=lambda row: (row["candidates"]["tol"], row["candidates"]["perturbation"]))
    assert (strong.tol, strong.perturbation) == (0.01, 0.0)
    assert error.certified == strictest["certified"]
    assert strong.source.parameters == strictest["source_parameters"]


def test_figures_are_pictures(folder: Path):
    for name in ("candidates.png", "errors.png", "tickets.png"):
        content = (folder / name).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) > 20_000


def test_training_is_reproducible():
    data = datasets.load("digits")
    images = datasets.inputs(data, "train")[:300]
    first, second = (demo.train(images, data.train_labels[:300], epochs=3) for _ in range(2))
    assert all(bool((a == b).all()) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, capsys):
    (tmp_path / "file").write_text("")
    assert cli.main(["demo", "--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.startswith("strong-lth: out: ")
