"""The documents tell the truth: README blocks run, its commands and links exist, the changelog names every public name."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import strong_lth
from strong_lth import cli

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(text: str = README) -> list[list[str]]:
    lines = [line for block in blocks("bash", text) for line in block.splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def test_the_python_blocks_run_in_order_in_one_namespace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    code = blocks("python")
    assert len(code) >= 3
    for block in code:
        exec(compile(block, "README.md", "exec"), namespace)
    assert namespace["batch"].errors.shape == (100_000,)
    assert namespace["batch"].keep.shape == (100_000, 20)
    error = namespace["error"]
    assert 0 <= error.found <= error.certified <= 1e-2
    assert isinstance(namespace["n"], int)


def test_every_command_of_the_readme_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    known = {command.__name__.replace("_", "-") for command in cli.COMMANDS}
    seen = commands()
    assert {words[0] for words in seen} == {"make", "strong-lth"}
    for words in seen:
        assert words[1] in (targets if words[0] == "make" else known), " ".join(words)


def test_every_option_of_the_readme_exists(capsys):
    for words in commands():
        options = [word.split("=")[0] for word in words[2:] if word.startswith("--")]
        if words[0] == "strong-lth" and options:
            with pytest.raises(SystemExit):
                cli.main([words[1], "--help"])
            text = capsys.readouterr().out
            assert all(option in text for option in options), " ".join(words)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_local_link_exists(document):
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text())
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert missing == []


def test_the_readme_stays_short():
    assert len(README.splitlines()) < 200


def test_the_changelog_names_every_public_name():
    named = set(re.findall(r"`([A-Za-z_]+)`", (ROOT / "CHANGELOG.md").read_text()))
    assert set(strong_lth.__all__) <= named


def test_the_citation_has_the_version_of_the_package():
    assert f"\nversion: {strong_lth.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_measured_tables_are_those_of_the_records():
    done = subprocess.run([sys.executable, str(ROOT / "benchmarks" / "readme_tables.py"), "--check"], timeout=60)
    assert done.returncode == 0, "run python benchmarks/readme_tables.py"


def test_the_readme_says_which_gpu_records_are_missing() -> None:
    record = (ROOT / "benchmarks" / "records" / "subset_sum_cuda.json").exists()
    section = (ROOT / "README.md").read_text().split("## Subset sums")[1].split("\n## ")[0]
    assert ("no timing record yet" in section) != record
