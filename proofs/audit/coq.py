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
    r"|Declare\s+(ML\s+)?Module|Primitive|Extract\s+Constant|Load|Set\s+Definitional\s+UIP)\b"
)
ASSUMED = re.compile(r"\b(Hypothes[ie]s|Variables?|Context)\b")
# What opens and ends a section or a module; a module with a body on the same line (Module M := N, Module M <: T := N) opens nothing.
SCOPES = re.compile(
    r"(?:^|(?<=[.\s]))(?:(Section|Module\s+Type|Module)(?:\s+(?:Import|Export))?\s+(\w+)([^.]*?)|End\s+(\w+)\s*)\.(?=\s|$)"
)
PROJECT_LINE = re.compile(r"-R theories StrongLTH|theories/\w+\.v|\s*")
# coqchk has no virtual machine: these files, on which no other depends, are left to coqc and to Print Assumptions.
BY_VIRTUAL_MACHINE = ("RecursionCertificate", "GrowthCertificate", "StatementsComputed")
CLOSED = "Closed under the global context"


def source_faults(folder: Path, reserved: frozenset[str] = frozenset()) -> list[str]:
    """Words that assume what should be proved, hypotheses outside a section, and modules with a ``reserved`` name: 'file:line: what'."""
    found = []
    for path in sorted(folder.glob("**/*.v")):
        text = _without_comments(path.read_text(encoding="utf-8"))
        faults = [(match.start(), match.group()) for match in FORBIDDEN.finditer(text)]
        if path.stem in reserved:
            faults.append((0, f"the name of this file is that of an axiom's file, {path.stem}"))
        open_scopes: list[str] = []
        words = [*SCOPES.finditer(text), *ASSUMED.finditer(text)]
        for match in sorted(words, key=lambda word: word.start()):
            if match.re is ASSUMED:
                if "Section" not in open_scopes:
                    faults.append((match.start(), f"{match.group()} outside a section is an axiom"))
            elif match.group(4) is not None:
                if open_scopes:
                    open_scopes.pop()
            else:
                if match.group(2) in reserved:
                    faults.append(
                        (match.start(), f"the name of this module is that of an axiom's file, {match.group(2)}")
                    )
                if ":=" not in match.group(3):
                    open_scopes.append(match.group(1))
        found += [
            f"{path.name}:{text.count(chr(10), 0, at) + 1}: {' '.join(what.split())}" for at, what in sorted(faults)
        ]
    return found


def project_faults(proofs: Path) -> list[str]:
    """Options of the build that the sources do not show: lines of ``_CoqProject`` other than files, and make files that coq_makefile would read besides."""
    lines = (proofs / "_CoqProject").read_text(encoding="utf-8").splitlines()
    found = [f"_CoqProject: {line}" for line in lines if not PROJECT_LINE.fullmatch(line)]
    return found + [
        f"{path.name}: read by the build besides _CoqProject" for path in sorted(proofs.glob("Makefile.coq.local*"))
    ]


def _without_comments(text: str) -> str:
    """The source with nested comments and the insides of strings blanked, line numbers kept. Strings count within comments too, as they do for Coq."""
    out, depth, i, quoted = [], 0, 0, False
    while i < len(text):
        pair = text[i : i + 2]
        if text[i] == '"':
            quoted = not quoted
        if not quoted and pair == "(*":
            depth, i = depth + 1, i + 2
        elif not quoted and pair == "*)" and depth:
            depth, i = depth - 1, i + 2
        else:
            out.append(text[i] if (depth == 0 and not quoted) or text[i] == "\n" else " ")
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


RESTATEMENT = re.compile(
    r"^ *Theorem (\w+)((?:(?!^ *(?:Theorem|Definition|Fixpoint)\b).)*?)^ *Proof\.\s+exact\s+\(?([A-Z]\w+\.\w+)\b(.*?)\.\s+Qed\.",
    re.MULTILINE | re.DOTALL,
)
COUNT = """Ltac count n := tryif (hnf; intro) then count constr:(S n) else (let m := eval compute in n in idtac "PREMISES" m).
"""


def premise_faults(proofs: Path, files: Iterable[str] = ("Statements", "StatementsComputed")) -> list[str]:
    """Restatements with a variable or premise more than the theorem behind them: ``exact`` would not notice one that it does not use.

    Coq introduces all of both, unfolding what it must, and counts. A record built on the spot stands for the fields that the restatement has instead.
    """
    text, asked, found = COUNT, [], []
    for file in files:
        source = _without_comments((proofs / "theories" / f"{file}.v").read_text(encoding="utf-8"))
        text += f"From StrongLTH Require {file}.\n"
        restated = {match.group(1): match for match in RESTATEMENT.finditer(source)}
        found += [
            f"{file}.{name}: not proved by exact of one theorem"
            for name in re.findall(r"^ *Theorem (\w+)", source, re.MULTILINE)
            if name not in restated
        ]
        for name, match in restated.items():
            built = re.search(r"\(\w+\.Build_\w+ ([^()]*)\)", match.group(4))
            asked.append((f"{file}.{name}", match.group(3), len(built.group(1).split()) - 1 if built else 0))
    for name, theorem, _ in asked:
        module = theorem.split(".")[0]
        for asking in (f"StrongLTH.{name}", f"StrongLTH.{theorem}"):
            text += f"From StrongLTH Require {module}.\nGoal True. let t := type of (@{asking}) in assert t; [count O|]. Abort.\n"
    done = compile_text(text, [(proofs / "theories", "StrongLTH")])
    counts = [int(number) for number in re.findall(r"^PREMISES (\d+)", done.stdout, re.MULTILINE)]
    if done.returncode != 0 or len(counts) != 2 * len(asked):
        return [*found, f"Coq does not count the premises: {_last(done.stdout + done.stderr)}"]
    return found + [
        f"{name} has {mine} variables and premises, {theorem} {theirs}"
        for (name, theorem, fields), mine, theirs in zip(asked, counts[::2], counts[1::2], strict=True)
        if mine != theirs + fields
    ]


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
    theory = " ".join(parts.pop("Theory", "missing").split())
    found = [] if theory == "Set is predicative" else [f"coqchk: theory: {theory}"]
    found += [f"coqchk: axiom {axiom}" for axiom in sorted(axioms) if not _standard(axiom, allowed)]
    if len(parts) != 3:
        found.append(f"coqchk: its summary has {len(parts)} further sections, not 3")
    return found + [f"coqchk: {title}: {text.split()[0]}" for title, text in parts.items() if text.strip() != "<none>"]


def _standard(axiom: str, allowed: frozenset[str]) -> bool:
    return axiom.startswith("Coq.") and any(axiom.endswith(f".{name}") for name in allowed)


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return " ".join(line.strip() for line in lines[-6:]) or "no message"
