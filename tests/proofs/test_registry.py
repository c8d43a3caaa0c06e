"""The registry of theorems, walked both ways: from every entry to its page, code and tests, and from the code back to an entry."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from pathlib import Path

import pytest
from audit_modules import PROOFS, ROOT, registry, tables

from strong_lth.bounds import BOUNDS, ESTIMATES, NETWORK_BOUNDS, PREDICTIONS

REGISTRY = registry.load(PROOFS)


def test_every_link_resolves() -> None:
    assert registry.problems(PROOFS, REGISTRY) == []
    statuses = {theorem.status for theorem in REGISTRY.theorems.values()}
    assert {"machine-checked", "proved-on-paper", "refuted-as-printed"} <= statuses


def test_generated_tables_are_fresh() -> None:
    assert tables.stale(PROOFS, REGISTRY) == []


@pytest.mark.parametrize("id", [id for id, theorem in REGISTRY.theorems.items() if theorem.python])
def test_every_python_function_is_importable(id: str) -> None:
    module, _, name = REGISTRY.theorems[id].python.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


def test_every_bound_has_an_entry_with_its_status() -> None:
    for bound in (*BOUNDS, *NETWORK_BOUNDS):
        theorem = REGISTRY.theorems[bound.proof or bound.id]
        words = {"machine-checked": "machine-checked", "proved-on-paper": "proved on paper"}
        if theorem.status in words:
            assert bound.status.startswith(words[theorem.status]), bound.id
        else:
            assert bound.status.startswith("cited"), bound.id
    assert not {law.id for law in (*PREDICTIONS, *ESTIMATES)} & REGISTRY.theorems.keys()


def test_every_bound_function_is_named_by_its_entry() -> None:
    for bound in (b for b in (*BOUNDS, *NETWORK_BOUNDS) if b.formula is not None):
        theorem = REGISTRY.theorems[bound.proof or bound.id]
        assert theorem.python.startswith(bound.formula.__module__)


def test_every_page_is_named_by_the_readme() -> None:
    text = (PROOFS / "README.md").read_text()
    assert all(theorem.statement in text for theorem in REGISTRY.theorems.values())


def test_without_coq_the_makefile_names_the_package(tmp_path: Path) -> None:
    for tool in ("sh", "make", "sed", "python3", "env"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or pytest.fail(f"no {tool}"))
    done = subprocess.run(
        ["make", "-C", str(PROOFS), "build"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode != 0
    assert "Debian package coq" in done.stderr
