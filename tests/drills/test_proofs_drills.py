"""Planted faults that the audit of the proofs must notice. Planted Coq files live in temporary folders only."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import skips
from audit_modules import COQ_READY, PROOFS, constants, coq, frozen, instances, registry, tables

from strong_lth.core import canonical_hash

needs_coq = pytest.mark.skipif(not COQ_READY, reason=skips.NO_COQ)
LISTED = registry.load(PROOFS)
UNGUARDED = "Unset Guard Checking.\nFixpoint bad (n : nat) : False := bad n.\nSet Guard Checking.\n"

PLANTS = {
    "admitted": "Theorem planted : 0 = 1.\nProof. Admitted.\n",
    "axiom": "Axiom truth : 0 = 1.\nTheorem planted : 0 = 1.\nProof. exact truth. Qed.\n",
    "hypothesis": "Hypothesis truth : 0 = 1.\nTheorem planted : 0 = 1.\nProof. exact truth. Qed.\n",
    "unguarded": UNGUARDED + "Theorem planted : 0 = 1.\nProof. destruct (bad 0). Qed.\n",
}


def test_the_sources_are_clean_and_comments_are_free() -> None:
    assert coq.source_faults(PROOFS / "theories") == []


@pytest.mark.parametrize("fault", PLANTS)
def test_a_planted_source_is_noticed(fault: str, tmp_path: Path) -> None:
    (tmp_path / "Planted.v").write_text("(* Admitted here is only a word. *)\nSection S. Variable n : nat. End S.\n")
    assert coq.source_faults(tmp_path) == []
    (tmp_path / "Planted.v").write_text(PLANTS[fault])
    assert len(coq.source_faults(tmp_path)) == 1


HIDDEN = {
    "a hypothesis behind the end of a module": "Module M.\nEnd M.\nHypothesis truth : 0 = 1.\n",
    "a hypothesis in a module": "Section S.\nEnd S.\nModule M.\nHypothesis truth : 0 = 1.\nEnd M.\n",
    "a module without a body": "Require Import NZDomain.\nDeclare Module M : NZDomainSig with Definition t := False.\n",
    "words on two lines": "Unset\n  Guard Checking.\n",
    "an axiom between strings that look like a comment": 'Definition a := "(*"%string. Axiom truth : 0 = 1. Definition b := "*)"%string.\n',
    "a file from elsewhere": 'Load "elsewhere".\n',
    "a module that borrows the name of an axiom's file": "Module ClassicalDedekindReals.\nEnd ClassicalDedekindReals.\n",
}


@pytest.mark.parametrize("fault", HIDDEN)
def test_a_hidden_assumption_in_a_source_is_noticed(fault: str, tmp_path: Path) -> None:
    (tmp_path / "Planted.v").write_text(HIDDEN[fault])
    assert len(coq.source_faults(tmp_path, LISTED.axiom_files)) == 1
    fine = 'Module M.\nSection S.\n(* "Axiom *)" *)\nVariable n : nat.\nEnd S.\nEnd M.\nModule N := M.\nSection T.\nVariable k : nat.\nEnd T.\n'
    (tmp_path / "Planted.v").write_text(fine)
    assert coq.source_faults(tmp_path, LISTED.axiom_files) == []
    (tmp_path / "Planted.v").rename(tmp_path / "ClassicalDedekindReals.v")
    assert len(coq.source_faults(tmp_path, LISTED.axiom_files)) == 1


def test_options_of_the_build_are_noticed(tmp_path: Path) -> None:
    shutil.copy(PROOFS / "_CoqProject", tmp_path)
    assert coq.project_faults(tmp_path) == []
    with (tmp_path / "_CoqProject").open("a") as file:
        file.write("-arg -type-in-type\n")
    (tmp_path / "Makefile.coq.local").write_text("COQEXTRAFLAGS += -type-in-type\n")
    assert len(coq.project_faults(tmp_path)) == 2


def compiled(folder: Path, source: str) -> None:
    (folder / "Planted.v").write_text(source)
    subprocess.run(
        ["coqc", "-q", "-R", str(folder), "Planted", "Planted.v"],
        cwd=folder,
        check=True,
        timeout=120,
        capture_output=True,
    )


def planted_registry(name: str, tier: str = "reals") -> registry.Registry:
    theorem = replace(LISTED.theorems["volume"], coq=(name,), tier=tier)
    return registry.Registry({"planted": theorem}, LISTED.tiers)


@needs_coq
@pytest.mark.parametrize("fault", PLANTS)
def test_a_planted_assumption_is_noticed(fault: str, tmp_path: Path) -> None:
    compiled(tmp_path, PLANTS[fault])
    found = coq.assumption_faults(PROOFS, planted_registry("Planted.Planted.planted"), [(tmp_path, "Planted")])
    assert len(found) == 1
    assert "outside the tier" in found[0]


@needs_coq
def test_an_axiom_of_another_tier_is_noticed(tmp_path: Path) -> None:
    proof = "Require Import Classical.\nTheorem planted (p : Prop) : p \\/ ~ p.\nProof. exact (classic p). Qed.\n"
    compiled(tmp_path, proof)
    planted = planted_registry("Planted.Planted.planted")
    assert "classic" in coq.assumption_faults(PROOFS, planted, [(tmp_path, "Planted")])[0]
    free = planted_registry("StrongLTH.SubsetSum.in_keeps", tier="finite")
    assert coq.assumption_faults(PROOFS, free) == []
    reals = planted_registry("StrongLTH.SubsetSum.reachable_iff", tier="finite")
    assert coq.assumption_faults(PROOFS, reals) != []


@needs_coq
def test_a_missing_name_is_noticed() -> None:
    assert "missing_name" in coq.assumption_faults(PROOFS, planted_registry("StrongLTH.SubsetSum.missing_name"))[0]


@needs_coq
def test_the_summary_of_the_kernel_is_read(tmp_path: Path) -> None:
    def check(source: str) -> list[str]:
        compiled(tmp_path, source)
        command = ["coqchk", "-silent", "-o", "-R", str(tmp_path), "Planted", "Planted.Planted"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0
        return coq.summary_faults(done.stdout + done.stderr, done.returncode, LISTED.tiers["reals"])

    assert check("Theorem planted : 0 = 0.\nProof. reflexivity. Qed.\n") == []
    assert check(PLANTS["unguarded"]) != []
    assert check(PLANTS["axiom"]) != []


@needs_coq
@pytest.mark.parametrize("factor", [1.01, 0.99])
@pytest.mark.parametrize("family", [*constants.NAMES, constants.VOLUME])
def test_a_constant_that_is_off_by_a_percent_is_noticed(family: str, factor: float) -> None:
    assert "constants of Python" in constants.faults(PROOFS, {family: factor})[0]


def test_more_than_a_hundred_points_are_compared_on_both_sides() -> None:
    instances = list(constants.instances())
    assert sum(instance.family == "rss-contraction-checked" for instance in instances) >= 100
    goals = list(constants.goals(PROOFS.parent, {"rss-wide": 1.0}))
    assert len(goals) == sum(instance.family == "rss-wide" for instance in instances) >= 12
    for goal in goals:  # f is bounded on both sides, the value at n is at most delta, the value at n - 1 above it
        assert goal.count(" <= ") == 3
        assert goal.count(" < ") == 1
        assert "999999999 / 1000000000" in goal
        assert "1000000001 / 1000000000" in goal


@pytest.fixture
def frozen_copy(tmp_path: Path) -> Path:
    for path in (PROOFS / "certificates").glob("*.json"):
        if not path.name.startswith("rss-"):  # bounds: seconds each
            shutil.copy(path, tmp_path / path.name)
    return tmp_path


def tampered(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """A changed certificate with the right hash."""
    document = json.loads(path.read_text())
    change(document)
    document["hash"] = canonical_hash(document)
    path.write_text(json.dumps(document))


def test_a_tampered_frozen_certificate_is_noticed(frozen_copy: Path) -> None:
    tampered(frozen_copy / "cover-tolerance.json", lambda d: d["masks"].pop(3))
    assert "cover-tolerance.json" in frozen.faults(PROOFS, frozen_copy)[0]
    for path in frozen_copy.glob("*.json"):
        path.unlink()
    assert frozen.faults(PROOFS, frozen_copy) == ["no frozen certificates"]


def test_a_tampered_certificate_of_a_bound_is_noticed(tmp_path: Path) -> None:
    shutil.copy(PROOFS / "certificates" / "rss-window-uniform-46.json", tmp_path)
    path = tmp_path / "rss-window-uniform-46.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"candidates": 45}))
    assert "only 0.0" in frozen.faults(PROOFS, tmp_path)[0]


TAMPERED: dict[str, tuple[str, Callable[[dict[str, Any]], None]]] = {
    "a subset": ("sum-24", lambda d: d["keep"].pop()),
    "a row": ("batch-20", lambda d: d["targets"].__setitem__(7, (0.5).hex())),
    "a gap": ("cover-perturbation", lambda d: d["masks"].pop(2)),
    "a value of a recursion": ("recursion-18-coarse", lambda d: d.update(failure=d["failure"] - 1)),
    "an entry of the table that Coq computed": (
        "recursion-36-coq",
        lambda d: d["counts"].__setitem__(5, d["counts"][5] + 1),
    ),
    "a smaller failure than Coq computed": ("recursion-36-coq", lambda d: d.update(failure=d["failure"] - 1)),
}


@needs_coq
@pytest.mark.parametrize("fault", TAMPERED)
def test_coq_alone_refuses_a_tampered_certificate(fault: str, frozen_copy: Path) -> None:
    name, change = TAMPERED[fault]
    path = frozen_copy / f"{name}.json"
    assert frozen.coq_faults(PROOFS, [path]) == []
    tampered(path, change)
    assert "certificates in Coq" in frozen.coq_faults(PROOFS, [path])[0]


@needs_coq
def test_a_weakened_statement_is_noticed(tmp_path: Path) -> None:
    theories = tmp_path / "theories"
    shutil.copytree(PROOFS / "theories", theories)
    source = (theories / "ProjectedSGD.v").read_text()
    strong = "in_ball d eps W0 (descend eps W0 move t).\nProof.\n  intros He."
    assert source.count(strong) == 1

    def refused() -> str:
        for name in ("ProjectedSGD.v", "Statements.v"):
            command = ["coqc", "-q", "-R", "theories", "StrongLTH", f"theories/{name}"]
            if subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300).returncode != 0:
                return name
        return ""

    assert refused() == ""
    weak = "in_ball d eps W0 (descend eps W0 move t) \\/ True.\nProof.\n  intros He. now right.\nQed.\n"
    (theories / "ProjectedSGD.v").write_text(source[: source.index(strong)] + weak)
    assert refused() == "Statements.v"


EXTRA_PREMISES = {
    "as a variable": (
        "wide_targets_within_tol n tol :",
        "wide_targets_within_tol n tol (long : (60 <= n)%nat) :",
        "RSSWide.rss_wide n tol",
    ),
    "as an arrow": (
        "wide_targets_within_tol n tol :",
        "wide_targets_within_tol n tol : (60 <= n)%nat ->",
        "fun _ => RSSWide.rss_wide n tol",
    ),
}


@needs_coq
@pytest.mark.parametrize("fault", EXTRA_PREMISES)
def test_a_premise_that_exact_does_not_notice_is_noticed(fault: str, tmp_path: Path) -> None:
    shutil.copytree(PROOFS / "theories", tmp_path / "theories")
    path = tmp_path / "theories" / "Statements.v"
    name, weaker, proof = EXTRA_PREMISES[fault]
    change(path, name, weaker)
    change(path, "exact (RSSWide.rss_wide n tol)", f"exact ({proof})")
    for file in ("Statements.v", "StatementsComputed.v"):
        command = ["coqc", "-q", "-R", "theories", "StrongLTH", f"theories/{file}"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=300)
    assert "wide_targets_within_tol" in coq.premise_faults(tmp_path)[0]
    assert instances.faults(tmp_path) != []


@needs_coq
def test_the_statements_have_the_premises_of_their_theorems_and_apply() -> None:
    assert coq.premise_faults(PROOFS) == []
    assert instances.faults(PROOFS) == []


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the registry, its pages and what they link to."""
    for part in ("proofs/docs", "proofs/theories", "proofs/audit", "strong_lth", "tests", "simulations"):
        shutil.copytree(
            PROOFS.parent / part,
            tmp_path / part,
            ignore=shutil.ignore_patterns("__pycache__", "*.vo*", "*.glob", "*.aux", "data"),
        )
    for file in ("proofs/theorems.toml", "proofs/_CoqProject", "proofs/README.md", "README.md"):
        shutil.copy(PROOFS.parent / file, tmp_path / file)
    proofs = tmp_path / "proofs"
    assert registry.problems(proofs, registry.load(proofs)) == []
    assert tables.stale(proofs, registry.load(proofs)) == []
    return proofs


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def without_statement(proofs: Path) -> None:
    page = proofs / "docs" / "volume.md"
    page.write_text(re.sub(r"## Statement\n.*?(?=## )", "## Statement\n\n", page.read_text(), flags=re.DOTALL))


LINK_FAULTS: dict[str, Callable[[Path], None]] = {
    "a page without a statement": without_statement,
    "a page without hypotheses": lambda p: change(p / "docs" / "slth.md", "## Hypotheses", "## Assumptions"),
    "a missing page": lambda p: (p / "docs" / "slth.md").unlink(),
    "an orphan page": lambda p: (p / "docs" / "orphan.md").write_text("# Orphan\n"),
    "an unlisted theory": lambda p: (p / "theories" / "Extra.v").write_text("Definition n := 0.\n"),
    "a missing test": lambda p: change(p / "theorems.toml", "::test_gadget", "::test_gadgets"),
    "a missing function": lambda p: change(p / "theorems.toml", "bounds.volume.failure", "bounds.volume.failures"),
    "an unknown id in uses": lambda p: change(p / "theorems.toml", 'uses = ["rss-grid"', 'uses = ["rss-mesh"'),
    "an unknown status": lambda p: change(p / "theorems.toml", '"proved-on-paper"', '"proved"'),
    "an unknown tier": lambda p: change(p / "theorems.toml", 'tier = "reals"', 'tier = "complex"'),
    "a missing simulation": lambda p: (p.parent / "simulations" / "sign_pooling.py").unlink(),
    "a headline that nothing restates": lambda p: change(
        p / "theorems.toml", '"StrongLTH.Statements.volume"', '"StrongLTH.SubsetSum.covers_nil"'
    ),
    "a definition in place of a theorem": lambda p: (
        change(p / "theorems.toml", '"StrongLTH.Statements.volume"', '"StrongLTH.Statements.sum"'),
        change(p / "docs" / "volume.md", "volume", "sum volume"),
    )[0],
    "a theorem that no entry names": lambda p: change(
        p / "theorems.toml", '    "StrongLTH.Statements.wide_targets",\n', ""
    ),
    "a restatement that is not proved by exact": lambda p: change(
        p / "theories" / "Statements.v",
        "Proof. exact (RSSWide.rss_wide n tol). Qed.",
        "Proof. apply RSSWide.rss_wide. Qed.",
    ),
    "a function that the page hides": lambda p: change(
        p / "docs" / "rss-wide.md", "strong_lth.bounds.rss_wide.failure", "a function"
    ),
    "a simulation that the page hides": lambda p: change(
        p / "theorems.toml",
        'simulation = "simulations/range_or_density.py"',
        'simulation = "simulations/sign_pooling.py"',
    ),
    "a file that the page invents": lambda p: change(p / "docs" / "rss-wide.md", "(RSSWide.v)", "(RSSWidest.v)"),
    "a link that leads nowhere": lambda p: change(p / "docs" / "rss-wide.md", "](rss-grid.md)", "](rss-mesh.md)"),
    "a link to a missing section": lambda p: change(
        p / "docs" / "rss-wide.md", "](rss-grid.md)", "](rss-grid.md#nowhere)"
    ),
    "a Coq name that the page hides": lambda p: change(p / "docs" / "volume.md", "`necessary_volume`", "a theorem"),
}


@pytest.mark.parametrize("fault", LINK_FAULTS)
def test_a_broken_link_is_noticed(fault: str, copied: Path) -> None:
    LINK_FAULTS[fault](copied)
    assert registry.problems(copied, registry.load(copied)) != []


def test_a_stale_table_is_noticed(copied: Path) -> None:
    change(copied / "theorems.toml", 'title = "The ReLU gadget', 'title = "A ReLU gadget')
    assert len(tables.stale(copied, registry.load(copied))) == 2


def test_an_unknown_field_is_refused(copied: Path) -> None:
    change(copied / "theorems.toml", "deviations =", "deviation =")
    with pytest.raises(ValueError, match="deviation"):
        registry.load(copied)
