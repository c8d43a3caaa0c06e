"""The certificates of ``proofs/certificates``: the checker accepts each of them, and Coq closes all but those of bounds by computation, with the words of Statements.v.

A subset sum within tol, a solved row of a batch, and a cover become integers in units of 2^-k and a goal about real numbers that ``accepted_chain_covers`` proves from one
computed equality. A recursion becomes the equality of Coq's table and the stated value; where Coq has computed it in RecursionCertificate.v, the equality of the tables' entries,
and a stated value that is not below the one computed there.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from coq import _last, compile_text

HEAD = """Require Import Reals Lra Lia ZArith List.
From StrongLTH Require Import Statements.
From StrongLTH Require Recursion RecursionCertificate.
Import ListNotations.
Open Scope R_scope.
"""
SMALL = 20_000  # entries squared times steps of a recursion that Coq computes here


def faults(proofs: Path, folder: Path | None = None) -> list[str]:
    """Certificates that the checker or Coq does not accept; ``folder`` replaces ``proofs/certificates`` (for drills)."""
    paths = sorted((folder or proofs / "certificates").glob("*.json"))
    found = [f"{path.name}: {message}" for path in paths for message in _refused(proofs, path)]
    if not paths:
        found.append("no frozen certificates")
    if found:
        return found
    return coq_faults(proofs, paths)


def coq_faults(proofs: Path, paths: list[Path]) -> list[str]:
    """One line if Coq does not close a certificate."""
    documents = [_read(proofs, path) for path in paths]
    text = HEAD + "".join(goal for document in documents for goal in goals(document))
    done = compile_text(text, [(proofs / "theories", "StrongLTH")])
    return [] if done.returncode == 0 else [f"certificates in Coq: {_last(done.stderr)}"]


def _refused(proofs: Path, path: Path) -> list[str]:
    command = [sys.executable, "-I", str(proofs / "check_certificate.py"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return [] if done.returncode == 0 else [_last(done.stdout + done.stderr)]


def _read(proofs: Path, path: Path) -> dict[str, Any]:
    sys.path.insert(0, str(proofs))
    from certificate_reader import read

    return read(path)


def goals(document: dict[str, Any]) -> Iterator[str]:
    """Coq source of the goals of one certificate; none for kinds that Coq does not read."""
    kind = document["format"].split()[1]
    if kind == "subset":
        moves = document["perturbation"]
        if document["solved"] and not document["signed"] and len(set(moves)) == 1:
            code = sum(1 << i for i in document["keep"])
            target = document["target"]
            yield _chain_goal(document["candidates"], document["tol"], moves[0], target, target, [code])
    elif kind == "batch":
        rows, moves = document["candidates"], document["perturbation"]
        for row, target in enumerate(document["targets"]):
            allowed = set(moves[row % len(moves)])
            if document["solved"][row] and len(allowed) == 1:
                code = sum(1 << i for i in document["keep"][row])
                candidates = rows[row % len(rows)]
                yield _chain_goal(candidates, document["tol"][row], *allowed, target, target, [code])
    elif kind == "cover" and len(set(document["perturbation"])) == 1:
        low, high = document["window"]
        allowed = document["perturbation"][0]
        yield _chain_goal(document["candidates"], document["tol"], allowed, low, high, document["masks"])
    elif kind == "recursion":
        yield from _recursion_goals(document)


def _chain_goal(candidates: list[str], tol: str, moved: str, low: str, high: str, codes: list[int]) -> str:
    """Every target of [low, high] is within tol of a represented value, as a statement about real numbers."""
    exact = [Fraction(float.fromhex(text)) for text in (*candidates, tol, moved, low, high)]
    unit = max(value.denominator for value in exact)  # a power of two
    *sample, t, m, a, b = (f"({value.numerator * (unit // value.denominator)})" for value in exact)
    numbers, masks = f"[{'; '.join(sample)}]%Z", f"[{'; '.join(map(str, codes))}]%Z"
    return (
        f"Goal forall z, / {unit} * IZR {a} <= z <= / {unit} * IZR {b} -> exists v, "
        f"represented (/ {unit} * IZR {m}) (map (fun x => / {unit} * IZR x) {numbers}) v /\\ Rabs (z - v) <= / {unit} * IZR {t}.\n"
        f"Proof. apply (accepted_chain_covers (/ {unit}) ltac:(lra) {t} {m} {numbers} {a} {b} {masks});"
        " [lia|lia|vm_compute; reflexivity]. Qed.\n"
    )


def _recursion_goals(document: dict[str, Any]) -> Iterator[str]:
    counts = f"[{'; '.join(map(str, document['counts']))}]%Z"
    parts, gap, scale, n = (document[name] for name in ("parts", "gap", "scale", "candidates"))
    if len(document["counts"]) ** 2 * n <= SMALL:
        table = f"Recursion.last_table {parts} {gap} {scale} {counts} {n}"
        yield f"Goal Recursion.head_value ({table}) = {document['failure']}%Z.\nProof. vm_compute. reflexivity. Qed.\n"
    elif (parts, gap, scale, n) == (100001, 349, 10**9, 36):
        stated = "(1301 :: RecursionCertificate.breakpoints 100001 1301 349 1026 1000)%Z"
        yield f"Goal {counts} = {stated}.\nProof. vm_compute. reflexivity. Qed.\n"
        yield f"Goal (RecursionCertificate.failure_36 <= {document['failure']})%Z.\nProof. unfold RecursionCertificate.failure_36. lia. Qed.\n"
