"""The commands check, simulate and runs, in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from strong_lth import cli

FOLDER = Path(__file__).parents[1] / "simulations"
COIN = '''
"""A coin."""
from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment
from strong_lth.plotting import Curve, curves_figure


def trial(cell, rng):
    return {"heads": int(rng.binomial(cell["throws"], 0.5))}


def expect(rows):
    share = sum(row["heads"] for row in rows) / sum(row["throws"] for row in rows)
    verdict = Verdict.CONSISTENT if 0.3 < share < 0.7 else Verdict.REFUTED
    return [Expectation("the coin is fair", verdict, f"share {share:.3f}", 1e-3)]


def figure(rows, file):
    heads = [row["heads"] for row in rows]
    curves_figure({"coin": [Curve("heads", range(len(heads)), heads)]}, file, title="t", x="throw", y="heads")


EXPERIMENT = Experiment(
    id="a-coin", claim="the coin is fair", source="none", grid=[{"throws": 50}, {"throws": 60}], smoke=[{"throws": 50}],
    trials=4, seed=1, trial=trial, expect=expect, figure=figure, cost="1 s",
)
'''


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "simulations" / "records").mkdir(parents=True)
    (tmp_path / "simulations" / "a_coin.py").write_text(COIN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict]:
    assert cli.main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_check_shows_a_verdict(capsys):
    (row,) = answer(capsys, "check", "rss-contraction", "--tol", "0.1", "--trials", "256")
    assert row["verdict"] == "CONSISTENT"
    assert row["n"] > 20
    assert cli.main(["check", "volume", "--tol", "0.01", "--n", "5", "--trials", "64"]) == 0
    assert "some target of [-0.5, 0.5] is missed" in capsys.readouterr().out


def test_check_fails_for_a_refuted_bound(capsys, monkeypatch):
    import dataclasses

    from strong_lth import bounds

    wrong = dataclasses.replace(bounds.get("rss-contraction"), formula=lambda question: 1e-3)
    monkeypatch.setattr(bounds, "get", lambda id: wrong)
    assert cli.main(["check", "rss-contraction", "--tol", "0.1", "--n", "5"]) == 1
    assert "REFUTED" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["check", "volumee", "--tol", "0.1"], "did you mean volume"),
        (["check", "all-targets-covering", "--tol", "0.1"], "a prediction claims no inequality"),
        (["check", "volume", "--tol", "0"], "tol: got 0"),
        (["check", "volume", "--tol", "0.1", "--window", "1", "0"], "low <= high"),
        (["simulate", "a-cion"], "did you mean a-coin"),
        (["simulate", "a-coin", "--shard", "3"], "give i/N"),
        (["simulate", "a-coin", "--shard", "3/2"], "1 <= i <= N"),
        (["simulate", "a-coin", "--workers", "0"], "workers"),
        (["simulate", "a-coin", "--smoke", "--record"], "record full runs only"),
        (["simulate", "a-coin", "--root", "nowhere"], "holds simulations/"),
        (["runs", "SELEKT"], "sql"),
        (["runs"], "none yet"),
    ],
)
def test_bad_input_is_one_sentence(checkout, capsys, arguments, sentence):
    assert cli.main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert sentence in lines[-1]
    assert lines[-1].startswith("strong-lth: ")


def test_simulate_runs_resumes_and_records(checkout, capsys):
    folder = checkout / "simulations"
    (row,) = answer(capsys, "simulate", "a-coin", "--smoke")
    assert (row["verdict"], row["foreseen"]) == ("CONSISTENT", "CONSISTENT")
    assert (folder / "runs" / "a-coin" / "smoke.png").exists()
    assert cli.main(["simulate", "a_coin.py", "--shard", "2/2"]) == 0
    assert "4 of 8 shards are there" in capsys.readouterr().err
    assert cli.main(["simulate", "a-coin"]) == 2
    assert "this folder has rows" in capsys.readouterr().err
    assert cli.main(["simulate", "a-coin", "--resume", "--record"]) == 0
    assert "8 rows" in capsys.readouterr().out
    assert (folder / "records" / "a-coin.png").exists()
    counts = answer(capsys, "runs", "SELECT mode, count(*) AS k FROM runs GROUP BY 1 ORDER BY 1")
    assert counts == [{"mode": "full", "k": 8}, {"mode": "smoke", "k": 1}]
    assert answer(capsys, "runs", "SELECT count(*) AS k FROM records") == [{"k": 8}]
    assert cli.main(["runs"]) == 0
    assert "a-coin" in capsys.readouterr().out


def test_simulate_fails_if_the_outcome_is_not_the_foreseen_one(checkout, capsys):
    file = checkout / "simulations" / "a_coin.py"
    file.write_text(
        COIN.replace('binomial(cell["throws"], 0.5)', 'binomial(cell["throws"], 0.9)').replace("a-coin", "bent")
    )
    file.rename(file.with_name("bent.py"))
    assert cli.main(["simulate", "bent", "--smoke"]) == 1
    assert "REFUTED" in capsys.readouterr().out


def test_simulate_lists_claims_sources_and_costs(capsys):
    rows = answer(capsys, "simulate", "--list", "--root", str(FOLDER.parent))
    assert len(rows) >= 10
    assert all(row["claim"] and row["source"] and row["cost"] for row in rows)


def test_dask_is_asked_for_where_it_is_missing(checkout, capsys, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    assert cli.main(["simulate", "a-coin", "--dask", "tcp://localhost:1"]) == 2
    assert "pip install 'strong_lth[dask]'" in capsys.readouterr().err


def test_dask_executors_are_used(checkout, capsys, monkeypatch):
    """The address reaches the client, whose executor computes the rows."""
    import sys
    import types
    from concurrent.futures import ThreadPoolExecutor

    asked = []

    class Client:
        def __init__(self, address):
            asked.append(address)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def get_executor(self):
            asked.append("executor")
            return ThreadPoolExecutor(2)

    monkeypatch.setitem(sys.modules, "distributed", types.SimpleNamespace(Client=Client))
    (row,) = answer(capsys, "simulate", "a-coin", "--smoke", "--dask", "tcp://host:1")
    assert row["verdict"] == "CONSISTENT"
    assert asked == ["tcp://host:1", "executor"]
