"""The command line: help, exit statuses, one-sentence errors, light start, quiet pipes."""

import errno
import json
import os
import signal
import subprocess
import sys
import types

import numpy as np
import pytest

import strong_lth
from strong_lth import cli
from strong_lth.commands import environment
from strong_lth.core import BudgetError, FormatError, InputError

PROGRAM = "import sys; from strong_lth.cli import main; sys.exit(main())"


def strong_lth_process(*arguments, program=PROGRAM, **environment):
    unset = {name: value for name, value in os.environ.items() if name not in cli.THREAD_VARIABLES}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=unset | environment,
    )


def planted(monkeypatch, behaviour):
    """Add a command ``planted`` with the given body."""

    def planted() -> int:
        """A command of this test."""
        return behaviour()

    monkeypatch.setattr(cli, "COMMANDS", (*cli.COMMANDS, planted))


def raising(error):
    def behaviour():
        raise error

    return behaviour


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"strong-lth {strong_lth.__version__}\n"


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert all(command.__name__.replace("_", "-") in text for command in cli.COMMANDS)


@pytest.mark.parametrize("command", [command.__name__.replace("_", "-") for command in cli.COMMANDS])
def test_every_command_has_help(capsys, command):
    with pytest.raises(SystemExit) as caught:
        cli.main([command, "--help"])
    assert caught.value.code == 0
    assert "--" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["no-such-command"], ["data", "--no-such-option"], ["bounds", "--tol", "word"]]
)
def test_a_wrong_command_line_exits_with_2(arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (InputError("tol", -1, "give a number >= 0"), "strong-lth: tol: got -1; give a number >= 0\n"),
        (
            FormatError("ticket.safetensors: damaged;\n make it again"),
            "strong-lth: ticket.safetensors: damaged; make it again\n",
        ),
        (BudgetError("3 GiB needed; use --width 20"), "strong-lth: 3 GiB needed; use --width 20\n"),
        (PermissionError(errno.EACCES, "Permission denied", "out"), "strong-lth: out: permission denied\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "rows.jsonl"),
            "strong-lth: rows.jsonl: no space left on device; free some space and run it again (simulate: with --resume), what was stored is whole\n",
        ),
        (MemoryError(), "strong-lth: MemoryError\n"),
    ],
)
def test_an_expected_error_is_one_sentence_and_status_2(monkeypatch, capsys, error, sentence):
    planted(monkeypatch, raising(error))
    assert cli.main(["planted"]) == 2
    captured = capsys.readouterr()
    assert captured.err == sentence
    assert captured.out == ""


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    planted(monkeypatch, raising(ValueError("a fault")))
    with pytest.raises(ValueError, match="a fault"):
        cli.main(["planted"])


@pytest.mark.parametrize("status", [0, 1])
def test_a_command_decides_its_status(monkeypatch, status):
    planted(monkeypatch, lambda: status)
    assert cli.main(["planted"]) == status


def test_interruption_is_130_without_traceback(monkeypatch, capsys):
    planted(monkeypatch, raising(KeyboardInterrupt()))
    assert cli.main(["planted"]) == 130
    assert capsys.readouterr().err == "strong-lth: interrupted\n"


@pytest.mark.parametrize("arguments", ["['data']", "['data', '--json']"])
def test_a_reader_that_leaves_is_no_error(arguments):
    program = f"import sys; from strong_lth.cli import main; sys.exit(main({arguments}))"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) in (1, 128 + signal.SIGPIPE)
    assert errors == b""


def test_threads_are_set_before_numpy_loads_unless_the_user_set_them():
    program = (
        "import sys, os, strong_lth.cli as cli\n"
        "assert 'numpy' not in sys.modules\n"
        "cli.main(['--version'])\n"
        "print([os.environ[name] for name in cli.THREAD_VARIABLES])"
    )
    result = strong_lth_process(program=program, MKL_NUM_THREADS="3")
    assert result.stdout.splitlines()[1] == "['1', '1', '3', '1', '1', '1']"


def test_help_loads_nothing_heavy():
    program = PROGRAM.replace("sys.exit(main())", "main()")
    program = f"import sys, atexit; atexit.register(lambda: print(*sys.modules)); {program}"
    loaded = strong_lth_process("--help", program=program).stdout.split()
    assert "strong_lth.cli" in loaded
    assert not {"numpy", "torch", "numba", "scipy", "matplotlib"} & set(loaded)


def test_bounds_shows_the_rows_of_the_report(monkeypatch, capsys):
    rows = [{"id": "a-bound", "n": 17}]
    seen = []
    from rich.table import Table

    def bounds_table(rows):
        table = Table("id", "n")
        for row in rows:
            table.add_row(row["id"], str(row["n"]))
        return table

    fake = types.ModuleType("strong_lth.report_bounds")
    fake.bounds_rows = lambda *arguments, **setting: seen.append((*arguments, setting["targets"])) or rows
    fake.bounds_table = bounds_table
    monkeypatch.setitem(sys.modules, "strong_lth.report_bounds", fake)
    monkeypatch.setattr(strong_lth, "report_bounds", fake, raising=False)
    assert cli.main(["bounds", "--tol", "0.1", "--perturbation", "0.01", "--delta", "0.2"]) == 0
    assert "a-bound" in capsys.readouterr().out
    assert cli.main(["bounds", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == rows
    assert cli.main(["bounds", "--target", "0.3", "--json"]) == 0
    capsys.readouterr()
    window = strong_lth.Window(-0.5, 0.5)
    assert seen == [(0.1, 0.01, 0.2, window), (0.01, 0.0, 0.05, window), (0.01, 0.0, 0.05, strong_lth.Point(0.3))]


def test_bounds_shows_one_entry(capsys):
    assert cli.main(["bounds", "rss-contraction", "--tol", "0.1", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["n"], row["page"]) == (29, "proofs/docs/rss-contraction.md")
    assert cli.main(["bounds", "number-partitioning"]) == 0
    assert "n, bits" in capsys.readouterr().out
    assert cli.main(["bounds", "rss-contractoin"]) == 2
    assert "did you mean rss-contraction" in capsys.readouterr().err


def test_bounds_of_a_network(capsys, tmp_path, monkeypatch):
    import numpy as np

    from strong_lth import bounds, report_bounds

    monkeypatch.setattr(report_bounds, "BOUNDS", (bounds.get("rss-contraction"),))
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "target.npz", W1=rng.uniform(-0.9, 0.9, (6, 4)), W2=rng.uniform(-0.9, 0.9, (3, 6)), b1=np.ones(6)
    )
    assert cli.main(["bounds", "--network", str(tmp_path / "target.npz"), "--tol", "0.5", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["weights"] == 6 * 5 + 3 * 7
    assert report["law"] == "uniform, scaled by 2"
    assert [row["rule"] for row in report["allotments"]] == ["pensia2020", "equal", "optimal"]
    assert all(row["error"] <= 0.5 for row in report["allotments"])
    assert cli.main(["bounds", "--shape", "784", "500", "10", "--tol", "0.1", "--constant", "2"]) == 0
    shown = capsys.readouterr().out
    assert "397,000 weights" in shown
    assert "at C = 2" in shown
    for arguments, sentence in [
        (["--network", "x.npz", "--shape", "3", "2"], "not both"),
        (["rss-hooks", "--shape", "3", "2"], "leave it out"),
        (["--shape", "3"], "at least one layer"),
        (["--shape", "3", "2", "--norms", "1", "1"], "norms"),
        (["--shape", "3", "2", "--radius", "0"], "radius"),
        (["--shape", "3", "2", "--tol", "0"], "tol"),
        (["--shape", "3", "2", "--delta", "1"], "delta"),
        (["--shape", "3", "2", "--constant", "-1"], "constant"),
        (["--network", str(tmp_path / "missing.npz")], "missing.npz"),
    ]:
        assert cli.main(["bounds", *arguments]) == 2, arguments
        error = capsys.readouterr().err.splitlines()[-1]
        assert sentence in error
        assert error.startswith("strong-lth: ")


def test_data_lists_every_file(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("STRONG_LTH_DATA", raising=False)
    assert cli.main(["data", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 17
    assert rows[0]["status"] == "bundled"
    assert cli.main(["data", "--data-dir", str(tmp_path)]) == 0
    assert "absent" in capsys.readouterr().out


def test_data_with_a_damaged_file_is_status_1(capsys, tmp_path):
    folder = tmp_path / "mnist"
    folder.mkdir()
    (folder / "train-images-idx3-ubyte").write_bytes(b"no data")
    assert cli.main(["data", "--data-dir", str(tmp_path)]) == 1
    assert "refused" in capsys.readouterr().out


def test_data_without_its_folder_is_status_2(capsys, tmp_path):
    assert cli.main(["data", "--data-dir", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith("strong-lth: data_dir: got ")


def test_a_warning_is_one_line(monkeypatch, capsys, tmp_path):
    def behaviour():
        import warnings

        warnings.simplefilter("always")
        warnings.warn("mind this", UserWarning, stacklevel=1)
        return 0

    planted(monkeypatch, behaviour)
    assert cli.main(["planted"]) == 0
    assert capsys.readouterr().err == "strong-lth: warning: mind this\n"


def test_doctor_reports_what_is_there(monkeypatch, capsys):
    monkeypatch.setattr(environment, "_gpu", lambda: environment._finding("GPU", "none"))
    monkeypatch.setattr(environment.metadata, "requires", lambda name: ["numpy>=2.0", "pytest; extra == 'dev'"])
    assert cli.main(["doctor", "--json"]) == 0
    rows = {row["item"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["numpy"]["found"] == np.__version__
    assert {"python", "strong_lth", "threads", "compiler cache", "GPU", "data"} <= set(rows)
    assert "pytest" not in rows


def test_doctor_names_what_is_missing_and_the_command_that_mends_it(monkeypatch, capsys, tmp_path):
    occupied = tmp_path / "a-file"
    occupied.write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(occupied / "cache"))
    monkeypatch.setenv("STRONG_LTH_DATA", str(tmp_path / "none"))
    monkeypatch.setattr(environment.metadata, "requires", lambda name: ["no-such-library>=3"])
    monkeypatch.setattr(
        environment.subprocess, "run", lambda *a, **k: types.SimpleNamespace(returncode=1, stderr="x\nbroken\n")
    )
    assert cli.main(["doctor", "--json"]) == 1
    rows = {row["item"]: row for row in json.loads(capsys.readouterr().out) if not row["ok"]}
    assert rows["no-such-library"]["remedy"].endswith("-m pip install 'no-such-library>=3'")
    assert "NUMBA_CACHE_DIR" in rows["compiler cache"]["remedy"]
    assert "broken" in rows["GPU"]["found"]
    assert "STRONG_LTH_DATA" in rows["data"]["remedy"]


def test_doctor_runs_as_a_process_and_asks_torch():
    result = strong_lth_process("doctor", "--json")
    rows = {row["item"]: row for row in json.loads(result.stdout)}
    assert rows["GPU"]["found"]
    assert rows["GPU"]["ok"]
