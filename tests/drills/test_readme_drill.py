"""The reader of the README sees what it is meant to see, and a false page would be noticed."""

import pytest
import test_readme

PAGE = "text\n```bash\nmake demo   # a comment\n\nstrong-lth nowhere --tol 1\n```\n```python\nx = 1\n```\n```python\nassert x == 2\n```\n"


def test_blocks_and_commands_are_found():
    assert test_readme.blocks("python", PAGE) == ["x = 1\n", "assert x == 2\n"]
    assert test_readme.commands(PAGE) == [["make", "demo"], ["strong-lth", "nowhere", "--tol", "1"]]


def test_a_command_that_does_not_exist_is_red(monkeypatch):
    monkeypatch.setattr(test_readme, "README", PAGE)
    monkeypatch.setattr(test_readme.commands, "__defaults__", (PAGE,))
    with pytest.raises(AssertionError, match="strong-lth nowhere"):
        test_readme.test_every_command_of_the_readme_exists()


def test_a_block_that_fails_is_red(monkeypatch, tmp_path):
    page = PAGE.replace("assert x == 2", "raise LookupError(x)") + "```python\ny = 3\n```\n"
    monkeypatch.setattr(test_readme.blocks, "__defaults__", (page,))
    with pytest.raises(LookupError, match="1"):
        test_readme.test_the_python_blocks_run_in_order_in_one_namespace(tmp_path, monkeypatch)
