"""What the Coq files rest on: source search, assumptions theorem by theorem, and the summary of the independent kernel.

No one of these is enough. The source search does not follow imports; ``Print Assumptions`` does not see what a theorem does not use; coqchk exits
with status 0 even for an unguarded recursion, so that its summary must be read; and a weakened statement is seen by ``Statements.v`` alone.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from registry import Registry

FORBIDDEN = re.compile(
    r"\b(Admitted|admit|give_up|Axioms?|Parameters?|Conjectures?|bypass_check|Unset\s+(Guard|Positivity|Universe)\s+Checking"
    r"|Declare\s+ML\s+Module|Primitive|Extract\s+Constant)\b"
)
ASSUMED = re.compile(r"\b(Hypothes[ie]s|Variables?|Context)\b")
# coqchk has no virtual machine: these files, on which no other depends, are left to coqc and to Print Assumptions.
BY_VIRTUAL_MACHINE = ("RecursionCertificate", "GrowthCertificate", "StatementsComputed")
CLOSED = "Closed under the global context"


def source_faults(folder: Path) -> list[str]:
    """Words that assume what should be proved, and hypotheses outside a section: 'file:line: what'."""
    found = []
    for path in sorted(folder.glob("*.v")):
        depth = 0
        for number, line in enumerate(_without_comments(path.read_text(encoding="utf-8")).splitlines(), 1):
            if match := FORBIDDEN.search(line):
                found.append(f"{path.name}:{number}: {match.group()}")
            depth += len(re.findall(r"^\s*Section\s+\w+\s*\.", line)) - len(re.findall(r"^\s*End\s+\w+\s*\.", line))
            if depth == 0 and (match := ASSUMED.search(line)):
                found.append(f"{path.name}:{number}: {match.group()} outside a section is an axiom")
    return found


def _without_comments(text: str) -> str:
    """The source with nested comments blanked, line numbers kept."""
    out, depth, i = [], 0, 0
    while i < len(text):
        pair = text[i : i + 2]
        if pair == "(*":
            depth, i = depth + 1, i + 2
        elif pair == "*)" and depth:
            depth, i = depth - 1, i + 2
        else:
            out.append(text[i] if depth == 0 or text[i] == "\n" else " ")
            i += 1
    return "".join(out)


def compile_text(
    text: str, folders: Iterable[tuple[Path, str]], timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run coqc on ``text`` in a temporary folder; ``folders`` are (path, logical name) of compiled theories."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "Audit.v"
        path.write_text(text, encoding="utf-8")
        options = [part for folder, logical in folders for part in ("-R", str(folder), logical)]
        command = ["coqc", "-q", *options, str(path)]
        return subprocess.run(command, cwd=name, capture_output=True, text=True, timeout=timeout)


def assumption_faults(proofs: Path, registry: Registry, extra: Iterable[tuple[Path, str]] = ()) -> list[str]:
    """Theorems that do not exist, or that rest on an axiom outside their tier.

    All theorems of one tier are first asked about together, which is many times faster; only if that answer goes beyond the tier, one by one.
    """
    names = [(name, theorem.id, theorem.tier) for theorem in registry.theorems.values() for name in theorem.coq]
    folders = [(proofs / "theories", "StrongLTH"), *extra]
    modules = "".join(f"Require {module}.\n" for module in sorted({name.rsplit(".", 1)[0] for name, _, _ in names}))
    by_tier = {tier: [name for name, _, other in names if other == tier] for _, _, tier in names}
    text, questions = modules, {}
    for number, (tier, members) in enumerate(by_tier.items()):
        pairs = ", ".join(f"@{name}" for name in members)
        text += f"Definition together_{number} := ({pairs}, tt).\n" + _question(f"together_{number}")
        questions[f"together_{number}"] = tier
    answers = _ask(text, folders)
    if isinstance(answers, str):
        return [f"Coq refuses the registered names: {answers}"]
    if all(name in answers and answers[name] <= registry.tiers[tier] for name, tier in questions.items()):
        return []
    answers = _ask(modules + "".join(_question(name) for name, _, _ in names), folders)
    if isinstance(answers, str):
        return [f"Coq refuses the registered names: {answers}"]
    found = []
    for name, id, tier in names:
        beyond = sorted(answers.get(name, {"no report"}) - registry.tiers[tier])
        found += [f"{id}: {name} rests on {axiom!r}, outside the tier {tier}" for axiom in beyond]
    return found or ["Print Assumptions gives other answers for one theorem than for all together"]


def _question(name: str) -> str:
    return f'Goal True. idtac "THEOREM {name}". exact I. Qed.\nPrint Assumptions {name}.\n'


def _ask(text: str, folders: Iterable[tuple[Path, str]]) -> dict[str, frozenset[str]] | str:
    """The assumptions by name, or Coq's message."""
    done = compile_text(text, folders)
    return dict(_reports(done.stdout)) if done.returncode == 0 else _last(done.stderr)


def _reports(output: str) -> Iterator[tuple[str, frozenset[str]]]:
    """(theorem, its assumptions); every unindented line is one, so that 'f is assumed to be guarded.' is not lost."""
    for part in re.split(r"^THEOREM ", output, flags=re.MULTILINE)[1:]:
        name, *lines = part.splitlines()
        heads = [line for line in lines if line and not line[0].isspace()]
        if not heads or (heads[0] not in (CLOSED, "Axioms:") and "assumed" not in heads[0]):
            continue
        used = {re.split(r"\s*:", line)[0].strip() for line in heads} - {CLOSED, "Axioms"}
        yield name.strip(), frozenset(used)


def kernel_faults(proofs: Path, allowed: frozenset[str]) -> list[str]:
    """Re-check every compiled file but those by virtual machine with coqchk, and read its summary."""
    files = sorted((proofs / "theories").glob("*.v"))
    modules = [f"StrongLTH.{path.stem}" for path in files if path.stem not in BY_VIRTUAL_MACHINE]
    command = ["coqchk", "-silent", "-o", "-R", "theories", "StrongLTH", *modules]
    done = subprocess.run(command, cwd=proofs, capture_output=True, text=True, timeout=900)
    return summary_faults(done.stdout + done.stderr, done.returncode, allowed)


def summary_faults(output: str, status: int, allowed: frozenset[str]) -> list[str]:
    """Faults in the output of ``coqchk -o``: axioms beyond ``allowed``, and any construct whose check was switched off."""
    if status != 0 or "CONTEXT SUMMARY" not in output:
        return [f"coqchk: {_last(output)}"]
    summary = output[output.index("CONTEXT SUMMARY") :]
    parts = dict(re.findall(r"^\* ([^:\n]+):(.*?)(?=^\* |\Z)", summary, re.MULTILINE | re.DOTALL))
    axioms = set(parts.pop("Axioms", "missing").split()) - {"<none>"}
    parts.pop("Theory", None)
    found = [f"coqchk: axiom {axiom}" for axiom in sorted(axioms) if not _standard(axiom, allowed)]
    if len(parts) != 3:
        found.append(f"coqchk: its summary has {len(parts)} further sections, not 3")
    return found + [f"coqchk: {title}: {text.split()[0]}" for title, text in parts.items() if text.strip() != "<none>"]


def _standard(axiom: str, allowed: frozenset[str]) -> bool:
    return axiom.startswith("Coq.") and any(axiom.endswith(f".{name}") for name in allowed)


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return " ".join(line.strip() for line in lines[-6:]) or "no message"
