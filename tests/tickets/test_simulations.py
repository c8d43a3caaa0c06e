"""Simulations run at a small size and say what they claim to say."""

import importlib.util
import json
import sys
from pathlib import Path

from strong_lth.tickets.showcase import showcase
from strong_lth.tickets.summary import summarise

FOLDER = Path(__file__).resolve().parents[2] / "simulations"


def load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_tickets_digits(tmp_path):
    path = tmp_path / "record.json"
    words = ["--record", str(path), "--seeds", "1", "--epochs", "1", "--points", "3", "--densities", "0.5"]
    assert load("tickets_digits").main(words) == 0
    found = json.loads(path.read_text())
    assert len(found["summary"]) == 18
    assert {claim["verdict"] for claim in found["claims"]} == {"INCONCLUSIVE"}  # one seed proves nothing
    assert all(0 <= number["mean"] <= 1 for number in found["mechanism"]["numbers"].values())
    assert path.with_suffix(".png").stat().st_size > 10_000


def test_maene_stability(tmp_path):
    path = tmp_path / "record.json"
    words = ["--record", str(path), "--seeds", "1", "--epochs", "1", "--points", "3", "--batches", "64", "128"]
    assert load("maene_stability").main(words) == 0
    found = json.loads(path.read_text())
    assert [line["batch"] for line in found["summary"]] == [64, 128]
    assert all(line["gain_of_the_init"]["low"] is None for line in found["summary"])
    assert all(0 <= row["ticket_instability"] <= 1 for row in found["rows"])


def test_the_trained_block_of_the_demo():
    rows = showcase((0,), epochs=2)
    assert [row["method"] for row in rows] == ["dense", "random (uniform)", "IMP", "signs of AWS", "RST"]
    assert {row["kept"] for row in rows[1:]} == {164}
    assert summarise(rows)[0]["seeds"] == 1
