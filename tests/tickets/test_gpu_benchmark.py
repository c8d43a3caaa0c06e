"""The GPU benchmark: every stage runs on a CPU at a tiny size, and refuses by name what it cannot do."""

import importlib.util
import json
from pathlib import Path

import pytest
import skips
import torch

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "tickets_gpu.py"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("tickets_gpu", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("stage", ["speed", "dense", "comparison"])
def test_a_stage_runs_small_and_records_nothing(bench, stage, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "RECORDS", tmp_path)
    assert bench.main([stage, "--smoke"]) == 0
    found = json.loads(capsys.readouterr().out)
    if stage == "speed":
        assert [line["model"] for line in found["models"]] == ["resnet18", "resnet20"]
        assert all(line["ratio_to_plain"] > 0 and line["share_of_matrix_rate"] > 0 for line in found["models"])
    elif stage == "dense":
        assert all(line["accuracy"] > 0.1 for line in found["paths"])
    else:
        assert {line["seeds"] for line in found["summary"]} == {2}
        assert len(found["summary"]) == 5
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(torch.cuda.is_available(), reason=skips.HAS_GPU)
def test_a_stage_refuses_by_name_without_a_card(bench, capsys):
    assert bench.main(["dense"]) == 2
    assert "tickets_gpu.py dense: torch sees no CUDA device" in capsys.readouterr().err


def test_multiply_adds_are_those_of_the_layers(bench):
    """ResNet-18 on 32x32 images: 555 million, 6 FLOP each are the 3.33 GFLOP per image of the literature."""
    from strong_lth.tickets.models import MODELS

    count = bench.multiply_adds(MODELS["resnet18"]((3, 32, 32), 100), torch.zeros(1, 3, 32, 32))
    assert 6 * count == pytest.approx(3.33e9, rel=0.01)
