"""Undeclared skips, of every kind, must fail a run; declared ones must not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent

UNDECLARED = {
    "a call": "import pytest\ndef test_it():\n    pytest.skip('no time')\n",
    "a mark": "import pytest\n@pytest.mark.skip(reason='no time')\ndef test_it():\n    assert True\n",
    "a fixture": "import pytest\n@pytest.fixture\ndef f():\n    pytest.skip('x')\ndef test_it(f):\n    assert f\n",
    "a missing module": "import pytest\npytest.importorskip('no_such_module')\n",
    "a doctest": "def f():\n    '''\n    >>> 1 + 1  # doctest: +SKIP\n    3\n    '''\n",
}
DECLARED = "import pytest, skips\ndef test_it():\n    pytest.skip(skips.NO_MNIST)\ndef test_too():\n    assert True\n"


def run(folder: Path, text: str) -> subprocess.CompletedProcess:
    for file in ("conftest.py", "skips.py"):
        shutil.copy(TESTS / file, folder)
    (folder / "test_planted.py").write_text(text)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--doctest-modules",
        "--rootdir",
        ".",
        ".",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("kind", UNDECLARED)
def test_an_undeclared_skip_fails_the_run(tmp_path, kind):
    result = run(tmp_path, UNDECLARED[kind])
    assert result.returncode not in (0, 5)
    assert "undeclared skip" in result.stdout


def test_a_declared_skip_passes(tmp_path):
    result = run(tmp_path, DECLARED)
    assert result.returncode == 0
    assert "1 passed, 1 skipped" in result.stdout
