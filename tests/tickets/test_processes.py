"""Two processes that train one network, started by torchrun as a user would start them."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import strong_lth.tickets as T
from strong_lth.tickets import processes
from strong_lth.tickets.engine import train
from strong_lth.tickets.hooks import Phase
from strong_lth.tickets.task import build, prepared

ROOT = Path(__file__).parents[2]
SCRIPT = '''
import json, sys
import torch
from torch import nn
import strong_lth.tickets as T
from strong_lth.tickets import processes

class Double(nn.Module):
    """float64 and no normalisation: the order of additions is all that several processes change."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10)).double()

    def forward(self, x):
        return self.body(x.double())

torch.set_num_threads(1)
with processes.joined():
    recipe = T.Recipe(epochs=2, batch=64)
    plain = T.Task(model=Double, name="double", recipe=recipe)
    store = T.FolderStore(sys.argv[1])
    (row,) = T.compare([T.IMP()], plain, [0.3], [0], store=store)
    mask = T.find(T.IMP(), plain, 0.3, store=store).mask
    (normalised,) = T.compare([T.AWS(recipe=recipe)], T.Task(recipe=recipe), [0.8], [0])
    try:
        T.find(T.IMP(), T.Task(recipe=T.Recipe(epochs=1, batch=63)), 0.5)
        refused = ""
    except ValueError as error:
        refused = str(error)
    found = {
        "mask": [part.reshape(-1).nonzero()[0].tolist() for part in mask.tensors.values()],
        "accuracy": row["accuracy"],
        "steps": row["find_steps"],
        "statistics": [row["statistics"], normalised["statistics"]],
        "processes": row["processes"],
        "normalised": normalised["accuracy"],
        "refused": refused,
    }
    with open(f"{sys.argv[2]}.{processes.rank()}", "w") as file:
        json.dump(found, file)
'''


@pytest.mark.slow
def test_two_processes_find_the_mask_of_one(tmp_path, monkeypatch):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    found = {}
    for count in (1, 2):
        store = tmp_path / f"store{count}"
        store.mkdir()
        start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(count)]
        words = [str(script), str(store), str(tmp_path / f"found{count}")]
        if count == 1:
            monkeypatch.setattr(sys, "argv", words)
            runpy.run_path(words[0])
        else:
            subprocess.run([*start, "--standalone", *words], check=True, timeout=120, capture_output=True, cwd=ROOT)
        found[count] = [json.loads(Path(f"{words[-1]}.{rank}").read_text()) for rank in range(count)]
    (one,), (first, second) = found[1], found[2]
    assert first == second
    assert first["mask"] == one["mask"]
    assert (first["accuracy"], first["steps"]) == (one["accuracy"], one["steps"])
    assert (one["processes"], first["processes"]) == (1, 2)
    assert one["statistics"] == ["none", "whole batch"]
    assert first["statistics"] == ["none", "per process"]
    assert abs(first["normalised"] - one["normalised"]) < 0.1
    assert one["refused"] == ""
    assert "give a multiple of 2" in first["refused"]


def test_a_process_alone_is_left_alone():
    with processes.joined() as rank:
        assert (rank, processes.count(), processes.all_true(False)) == (0, 1, False)
    like = T.view(T.Task()).like
    state, mask = processes.of_first(like, None)
    assert (state, mask) == (like, None)


def test_a_captured_step_in_several_processes_is_refused_by_name(monkeypatch):
    parts = prepared(T.Task())
    module = build(T.Task(), 0)
    like = T.view(T.Task()).like
    monkeypatch.setattr(processes, "count", lambda: 2)
    with pytest.raises(ValueError, match=r"backend\.graph: got True in 2 processes; capture steps in one process"):
        train(
            module,
            parts.training,
            parts.validation,
            like,
            None,
            (Phase(T.Recipe(epochs=1)),),
            order=0,
            backend=T.Backend(graph=True),
        )
