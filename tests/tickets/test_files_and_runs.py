"""Files, runs that resume, and statements made from rows."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

import strong_lth.tickets as T
from strong_lth import cli
from strong_lth.core import FormatError, Verdict
from strong_lth.tickets import comparison, summary
from strong_lth.tickets.progress import read_progress

SMALL = T.Comparison(methods=("imp", "aws"), densities=(0.5,), seeds=(0, 1), recipe=T.Recipe(epochs=2, batch=128))


def stripped(rows):
    return [{key: value for key, value in row.items() if not key.endswith("seconds")} for row in rows]


def test_a_ticket_survives_its_file(tmp_path):
    task = T.Task(recipe=SMALL.recipe)
    ticket = T.find(T.RST(ramp=5, hold=2, recipe=SMALL.recipe), task, 0.3)
    T.save_ticket(ticket, tmp_path / "t.safetensors")
    again = T.load_ticket(tmp_path / "t.safetensors")
    assert (again.model, again.use, again.step, again.cost) == (ticket.model, ticket.use, ticket.step, ticket.cost)
    assert all(np.array_equal(again.mask.tensors[n], keep) for n, keep in ticket.mask.tensors.items())
    a, b = (T.evaluate(item, task, 3) for item in (ticket, again))
    assert all(torch.equal(a.state[name], b.state[name]) for name in a.state)
    assert (tmp_path / "t.safetensors").stat().st_size < 0.6 * sum(
        4 * tensor.numel() for tensor in ticket.state.values()
    )


def test_a_damaged_ticket_is_refused(tmp_path):
    ticket = T.find(T.RandomMask(), T.Task(), 0.3)
    good, bad = tmp_path / "good.safetensors", tmp_path / "bad.safetensors"
    T.save_ticket(ticket, good)
    arrays = load_file(good)
    from safetensors import safe_open

    with safe_open(good, "numpy") as file:
        header = file.metadata()
    name = next(key for key in arrays if key.startswith("mask:"))
    flipped = arrays[name].copy()
    flipped[0] ^= 0xFF if bin(int(flipped[0])).count("1") != 4 else 0x80
    for changed in ({**arrays, name: flipped}, {key: value for key, value in arrays.items() if key != name}):
        save_file(changed, bad, metadata=header)
        with pytest.raises(FormatError, match=r"bad\.safetensors"):
            T.load_ticket(bad)
    bad.write_bytes(good.read_bytes()[:500])
    with pytest.raises(FormatError, match="damaged"):
        T.load_ticket(bad)
    save_file(arrays, bad)
    with pytest.raises(FormatError, match="not a file of kind"):
        T.load_ticket(bad)
    with pytest.raises(FileNotFoundError):
        T.load_ticket(tmp_path / "none")


def test_a_run_resumes_to_the_same_rows(tmp_path):
    whole = T.run_comparison(SMALL, tmp_path / "a")
    folder = tmp_path / "b"
    T.run_comparison(SMALL, folder)
    trainings = sorted((folder / "trainings").iterdir())
    assert len(trainings) == len(list((tmp_path / "a" / "trainings").iterdir())) > 8
    for path in trainings[::2]:  # as if killed: some trainings are missing, and no rows were written
        path.unlink()
    (folder / "rows.json").unlink()
    assert stripped(T.run_comparison(SMALL, folder)) == stripped(whole)
    assert stripped(json.loads((folder / "rows.json").read_text())) == stripped(whole)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert {line["method"] for line in lines} == {"IMP (rewind to 1)", "AWS"} | {row["method"] for row in whole}
    record = json.loads((folder / "record.json").read_text())
    assert record["extra"]["environment"] == comparison.environment()


@pytest.mark.slow
def test_a_killed_run_ends_like_an_undisturbed_one(tmp_path):
    settings = ["imp", "--density", "0.1", "--seeds", *"0123", "--epochs", "3", "--out"]
    code = "import sys; from strong_lth import cli; sys.exit(cli.main(sys.argv[1:]))"
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    start = [sys.executable, "-c", code, "compare", *settings]
    process = subprocess.Popen([*start, str(tmp_path / "killed")], stdout=subprocess.DEVNULL, env=environment)
    trainings = tmp_path / "killed" / "trainings"
    while process.poll() is None and (not trainings.exists() or len(list(trainings.glob("*.safetensors"))) < 5):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "rows.json").exists()
    for folder in ("killed", "whole"):
        subprocess.run(
            [*start, str(tmp_path / folder)], check=True, stdout=subprocess.DEVNULL, env=environment, timeout=300
        )
    rows = [stripped(json.loads((tmp_path / folder / "rows.json").read_text())) for folder in ("killed", "whole")]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 4


LONG = """
import sys, torch
import strong_lth.tickets as T
torch.set_num_threads(1)
T.compare([T.Dense()], T.Task(recipe=T.Recipe(epochs=80)), [1.0], [0], store=T.FolderStore(sys.argv[1], seconds=0.0))
"""


@pytest.mark.slow
def test_a_training_killed_in_its_middle_ends_like_an_undisturbed_one(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", LONG, str(tmp_path)])
    limit = time.monotonic() + 120
    while not list(tmp_path.glob("*.progress")) and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (left,) = tmp_path.glob("*.progress")
    done = len(read_progress(left).rows)
    assert 0 < done < 80
    threads, seen = torch.get_num_threads(), []
    torch.set_num_threads(1)
    try:
        ends = []
        for store, report in ((T.FolderStore(tmp_path), seen.append), (None, None)):
            task = T.Task(recipe=T.Recipe(epochs=80))
            ticket = T.find(T.Dense(), task, 1.0, store=store)
            ends.append(T.evaluate(ticket, task, T.Seeds.of(0).order, store=store, report=report))
    finally:
        torch.set_num_threads(threads)
    assert len(seen) == 80 - done  # it went on, and did not begin again
    assert all(torch.equal(ends[0].state[name], ends[1].state[name]) for name in ends[0].state)
    assert not list(tmp_path.glob("*.progress"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"densities": (0.4,)}, "densities was"),
        ({"recipe": T.Recipe(epochs=1)}, "recipe was"),
        ({"methods": ("imp",)}, "methods was"),
    ],
)
def test_another_configuration_does_not_resume(tmp_path, change, complaint):
    small = replace(SMALL, methods=("random-mask",), seeds=(0,))
    T.run_comparison(small, tmp_path)
    with pytest.raises(ValueError, match=complaint):
        T.run_comparison(replace(small, **change), tmp_path)


def test_another_environment_does_not_resume(tmp_path, monkeypatch):
    small = replace(SMALL, methods=("random-mask",), seeds=(0,))
    T.run_comparison(small, tmp_path)
    honest = comparison.environment()
    monkeypatch.setattr(comparison, "environment", lambda: {**honest, "threads": "64"})
    with pytest.raises(ValueError, match=r"threads was '.*' and is '64'"):
        T.run_comparison(small, tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(FormatError, match=r"config\.json"):
        T.run_comparison(small, tmp_path)


@pytest.mark.parametrize("name", T.NAMES)
def test_the_plan_is_what_it_costs(name):
    """Patience ends early, so UniLTH costs at most its plan."""
    chosen = replace(SMALL, methods=(name,), densities=(0.5,), seeds=(0,))
    (plan,) = T.planned(chosen)
    task = comparison.task_of(chosen)
    rows = T.compare(comparison.methods_of(chosen, task), task, chosen.densities, [0])
    if name.startswith("uni"):
        assert rows[-1]["find_epochs"] <= plan["search_epochs"]
    elif name in ("imp", "lrr"):  # the last round of the search is not part of what its ticket cost to find
        assert rows[-1]["find_epochs"] + 2 == pytest.approx(plan["search_epochs"], abs=0.2)
    else:
        assert rows[-1]["find_epochs"] == pytest.approx(plan["search_epochs"], abs=1e-3)
    assert plan["final_epochs"] == sum(row["train_epochs"] > 0 for row in rows) * 2


def test_toml_and_overrides(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('methods = ["imp", "lrr"]\nseeds = [3]\n[recipe]\nepochs = 7\nlr = 0.05\n')
    chosen = T.read_comparison(path, seeds=(4, 5), data=None)
    assert (chosen.methods, chosen.seeds, chosen.recipe) == (("imp", "lrr"), (4, 5), T.Recipe(epochs=7, lr=0.05))
    assert chosen.id != replace(chosen, seeds=(4,)).id
    for text, complaint in (
        ("methods = 3 4", "not a TOML file"),
        ('method = ["imp"]', "unknown key"),
        ("seeds=[1]", "name at least one"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=complaint):
            T.read_comparison(path)
    path.write_text('methods = ["imp"]\n[recipe]\nepoch = 7\n')
    with pytest.raises(ValueError, match=r"recipe\.epoch"):
        T.read_comparison(path)
    with pytest.raises(ValueError, match="methods"):
        T.Comparison(methods=("none-such",))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("seeds = 3", r"seeds: got 3; give a list, like \[0, 1\]"),
        ('seeds = "012"', "seeds: got '012'; give a list"),
        ("seeds = [0.5]", "seeds: .* give a list"),
        ("seeds = []", "seeds: got none; give at least one"),
        ("seeds = [0, 0]", "seeds: .* give each once"),
        ("densities = 0.5", r"densities: got 0.5; give a list, like \[0.5, 0.1\]"),
        ('densities = ["a"]', "densities: .* give a list"),
        ("densities = [0.5, 0.5]", "densities: .* give each once"),
        ('validation = "x"', "validation: got 'x'; give a number"),
        ("model = 3", "model: got 3; give a text"),
        ('preset = "own"', "preset: got 'own'; give 'scaled' or 'authors'"),
        ("recipe = 3", r"recipe: got 3; give a table, \[recipe\]"),
        ('[recipe]\nlr = "x"', r"recipe\.lr: got 'x'; give a number"),
        ("[recipe]\nlr = true", r"recipe\.lr: got True; give a number"),
        ("[recipe]\nmilestones = 0.5", r"recipe\.milestones: got 0.5; give a list"),
        ('[backend]\ngraph = "no"', r"backend\.graph: got 'no'; give true or false"),
    ],
)
def test_a_value_of_another_kind_in_the_file_is_named(text, complaint, tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(f'methods = ["imp"]\n{text}\n')
    with pytest.raises(ValueError, match=complaint):
        T.read_comparison(path)
    path.write_text('methods = ["imp"]\ndensities = [1]\n[recipe]\nlr = 1\nmilestones = [0.5]\n')
    assert T.read_comparison(path).densities == (1,)


def test_a_device_that_is_none_of_ours_is_refused():
    with pytest.raises(ValueError, match="device: got 'tpu'; use cpu or cuda"):
        T.Task(device="tpu")


def test_the_command_line(tmp_path, capsys):
    out = tmp_path / "run"
    words = ["--density", "0.5", "--seeds", "0", "--epochs", "2", "--batch", "128"]
    assert cli.main(["tickets", "random-mask", *words, "--out", str(out), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["kept"] == 4096
    assert T.load_ticket(out / "random-mask-0.5-0.safetensors").mask.kept == 4096
    assert cli.main(["compare", "imp", "dense", *words, "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert [entry["method"] for entry in plan] == ["IMP (rewind to 1)", "dense"]
    assert cli.main(["compare", "random-mask", *words]) == 0
    assert "random (uniform)" in capsys.readouterr().out
    assert cli.main(["compare", *words]) == 2
    assert "methods" in capsys.readouterr().err
    assert cli.main(["tickets", "imp", "--density", "1.5"]) == 2
    assert "density" in capsys.readouterr().err


@pytest.mark.parametrize("extra", [[], ["--together", "2"]])
def test_the_files_are_the_tickets_of_the_rows(extra, tmp_path, capsys):
    """A track to one density alone would be another track: with two densities the files must come from the track through both."""
    words = ["tickets", "imp", "--density", "0.5", "0.3", "--seeds", "0", "1", "--epochs", "2", "--batch", "128"]
    trainings = []
    for _ in range(2):  # the second call finds everything, and writes the same files
        assert cli.main([*words, *extra, "--out", str(tmp_path), "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)
        trainings.append(sorted(path.name for path in (tmp_path / "trainings").iterdir()))
        assert len(rows) == len(list(tmp_path.glob("imp-*.safetensors"))) == 4
        for row in rows:
            density = 0.5 if row["kept"] == 4096 else 0.3
            ticket = T.load_ticket(tmp_path / f"imp-{density:g}-{row['seed']}.safetensors")
            assert (ticket.mask.kept, ticket.cost.epochs) == (row["kept"], pytest.approx(row["find_epochs"]))
            if not extra:
                task = T.Task(recipe=T.Recipe(epochs=2, batch=128))
                assert T.evaluate(ticket, task, T.Seeds.of(row["seed"]).order).loss == row["loss"]
    assert trainings[0] == trainings[1]


def fake(method, accuracies, kept=10):
    return [
        {"method": method, "kept": kept, "density": kept / 100, "prunable": 100, "seed": seed, "accuracy": value}
        | {"find_epochs": 1.0, "train_epochs": 2.0, "find_seconds": 1.0, "train_seconds": 1.0}
        for seed, value in enumerate(accuracies)
    ]


def test_verdicts_need_eight_paired_seeds():
    rng = np.random.default_rng(0)
    base = rng.normal(0.9, 0.05, 8)
    rows = fake("a", base + 0.01 + rng.normal(0, 0.001, 8)) + fake("b", base)
    assert summary.better(rows, "a", "b", 0.1).verdict is Verdict.CONSISTENT
    assert summary.better(rows, "b", "a", 0.1).verdict is Verdict.REFUTED
    assert summary.better([row for row in rows if row["seed"] < 7], "a", "b", 0.1).verdict is Verdict.INCONCLUSIVE
    with pytest.raises(ValueError, match="no seed"):
        summary.better(rows, "a", "c", 0.1)


def test_intervals_cover_and_short_ones_are_absent():
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(1000):
        _, low, high = summary.mean_interval(rng.normal(0, 1, 6))
        inside += low <= 0 <= high
    assert 920 < inside < 978  # Binomial(1000, .95): P(outside) < 1e-4
    assert math.isnan(summary.mean_interval([1.0, 2.0])[1])
    (line,) = summary.summarise(fake("a", [0.5, 0.7]))
    assert (line["low"], line["worst"], line["best"], line["seeds"]) == (None, 0.5, 0.7, 2)


def test_rows_name_the_status_of_their_data():
    rows = T.compare([T.RandomMask()], T.Task(recipe=SMALL.recipe), [0.5], [0])
    assert {row["data_status"] for row in rows} == {"bundled"}
