"""The registry ``theorems.toml``: what is proved, where, and with which links. Standard library only.

Every entry ties a statement in words (a page of ``docs/``) to Coq theorems, a Python function, tests and simulations. ``problems`` follows
every link in the checkout without importing the package.
"""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

STATUSES = ("machine-checked", "proved-on-paper", "cited", "refuted-as-printed", "open")
RESTATED = ("StrongLTH.Statements.", "StrongLTH.StatementsComputed.")
HEADINGS = ("## Statement", "## Hypotheses", "## Proof", "## Deviations", "## Tightness", "## Boundary cases")


@dataclass(frozen=True)
class Theorem:
    """One entry. ``statement`` is ``docs/<page>.md`` with an optional ``#anchor``; ``tier`` names an allow-list of axioms; ``simulation`` shows how tight it is.

    A machine-checked theorem is restated in elementary terms (Statements.v, StatementsComputed.v), unless it is a ``step`` of others.
    """

    id: str
    title: str
    source: str
    place: str
    statement: str
    status: str
    deviations: str
    coq: tuple[str, ...] = ()
    tier: str = ""
    python: str = ""
    tests: tuple[str, ...] = ()
    simulation: str = ""
    uses: tuple[str, ...] = ()
    corrected: str = ""
    step: bool = False


@dataclass(frozen=True)
class Registry:
    """All theorems by id, and the axioms that each tier may use."""

    theorems: dict[str, Theorem]
    tiers: dict[str, frozenset[str]]

    @property
    def axiom_files(self) -> frozenset[str]:
        """Names of the standard library's files with allowed axioms; a module of ours of that name could pass an axiom off as one of them."""
        return frozenset(axiom.split(".")[0] for axioms in self.tiers.values() for axiom in axioms)


def load(proofs: Path) -> Registry:
    """Read ``theorems.toml``. Raises ValueError for an unknown or missing field."""
    table = tomllib.loads((proofs / "theorems.toml").read_text(encoding="utf-8"))
    tiers = {name: frozenset(axioms) for name, axioms in table.pop("tiers").items()}
    known = {field.name for field in fields(Theorem)} - {"id"}
    theorems = {}
    for id, entry in table.items():
        if unknown := sorted(entry.keys() - known):
            raise ValueError(f"theorems.toml: {id}: unknown field {unknown[0]!r}")
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
        try:
            theorems[id] = Theorem(id=id, **values)
        except TypeError as error:
            raise ValueError(f"theorems.toml: {id}: {error}") from None
    return Registry(theorems, tiers)


def problems(proofs: Path, registry: Registry) -> list[str]:
    """Every broken link and every incomplete entry, one sentence each."""
    found = [f"{t.id}: {message}" for t in registry.theorems.values() for message in _entry(proofs, registry, t)]
    pages = {page_of(t) for t in registry.theorems.values()}
    on_disk = {f"docs/{path.name}" for path in (proofs / "docs").glob("*.md")}
    found += [f"{page}: no entry of theorems.toml names this page" for page in sorted(on_disk - pages)]
    listed = set(re.findall(r"^theories/(\w+)\.v$", (proofs / "_CoqProject").read_text(), re.MULTILINE))
    found += [
        f"{path.name}: not listed in _CoqProject"
        for path in sorted((proofs / "theories").glob("*.v"))
        if path.stem not in listed
    ]
    found += [f"{path.name}: {message}" for path in sorted((proofs / "docs").glob("*.md")) for message in _links(path)]
    found += _restatements(proofs, registry)
    return found + [f"README.md: {message}" for message in _links(proofs / "README.md")]


def _restatements(proofs: Path, registry: Registry) -> list[str]:
    """Whether the theorems of the files of statements are those that the registry names, no more and no fewer, each proved by ``exact``."""
    found, there = [], set()
    for prefix in RESTATED:
        file = f"{prefix.split('.')[1]}.v"
        text = (proofs / "theories" / file).read_text(encoding="utf-8")
        names = re.findall(r"^ *Theorem (\w+)", text, re.MULTILINE)
        there |= {prefix + name for name in names}
        exact = len(re.findall(r"^ *Proof\.\s+exact\b", text, re.MULTILINE))
        if not len(names) == exact == len(re.findall(r"\bQed\.", text)):
            found.append(f"{file}: {len(names)} theorems, {exact} of them proved by exact")
    named = {name for theorem in registry.theorems.values() for name in theorem.coq if name.startswith(RESTATED)}
    found += [
        f"{name}: theorems.toml names no such theorem, so its axioms are not asked for"
        for name in sorted(there - named)
    ]
    return found + [f"{name}: named in theorems.toml, but no theorem of that file" for name in sorted(named - there)]


def page_of(theorem: Theorem) -> str:
    """The page of a statement, without its anchor."""
    return theorem.statement.split("#")[0]


def _entry(proofs: Path, registry: Registry, theorem: Theorem) -> list[str]:
    found = []
    root = proofs.parent
    if theorem.status not in STATUSES:
        found.append(f"unknown status {theorem.status!r}")
    checked = theorem.status == "machine-checked"
    if checked != bool(theorem.coq):
        found.append("machine-checked without a Coq name" if checked else "Coq names, but not machine-checked")
    if checked and not theorem.step and not any(name.startswith(RESTATED) for name in theorem.coq):
        found.append("no theorem of Statements.v restates it, and it is not marked as a step")
    if theorem.coq and theorem.tier not in registry.tiers:
        found.append(f"unknown tier {theorem.tier!r}")
    if (theorem.status == "refuted-as-printed") != bool(theorem.corrected):
        found.append("a refuted statement, and no other, names the corrected statement in `corrected`")
    found += [f"uses the unknown id {name!r}" for name in theorem.uses if name not in registry.theorems]
    found += _page(proofs, theorem)
    if theorem.python and not _defined(root, theorem.python):
        found.append(f"Python has no {theorem.python}")
    found += [f"there is no test {test}" for test in theorem.tests if not _has_test(root, test)]
    if theorem.simulation and not (root / theorem.simulation).is_file():
        found.append(f"there is no simulation {theorem.simulation}")
    return found


def _page(proofs: Path, theorem: Theorem) -> list[str]:
    page, _, anchor = theorem.statement.partition("#")
    path = proofs / page
    if not path.is_file():
        return [f"there is no page {page}"]
    text = path.read_text(encoding="utf-8")
    if theorem.id not in text:
        return [f"{page} does not name its id"]
    if anchor:
        anchors = {_slug(title) for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
        return [] if anchor in anchors else [f"{page} has no section #{anchor}"]
    lines = text.splitlines()
    missing = [f"{page} has no section '{heading}'" for heading in HEADINGS if heading not in lines]
    empty = [f"{page}: '{heading}' is empty" for heading in HEADINGS if heading in lines and not _body(lines, heading)]
    unnamed = [f"{page} does not name {name}" for name in theorem.coq if name.split(".")[-1] not in text]
    if theorem.python and theorem.python not in text:
        unnamed.append(f"{page} does not name {theorem.python}")
    if theorem.simulation and theorem.simulation not in text:
        unnamed.append(f"{page} does not name {theorem.simulation}")
    files = set(re.findall(r"\((\w+)\.v\)", text))
    absent = [
        f"{page} names {name}.v, which is not there"
        for name in sorted(files)
        if not (proofs / "theories" / f"{name}.v").is_file()
    ]
    return missing + empty + unnamed + absent


def _links(path: Path) -> list[str]:
    """Markdown links of a page that lead nowhere: a missing file, or a section that the file does not have."""
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        other = (path.parent / name) if name else path
        if not other.exists():
            found.append(f"the link to {target} leads nowhere")
        elif anchor and anchor not in {
            _slug(title) for title in re.findall(r"^#+ (.*)$", other.read_text(), re.MULTILINE)
        }:
            found.append(f"the link to {target} names a section that is not there")
    return found


def _body(lines: list[str], heading: str) -> str:
    rest = lines[lines.index(heading) + 1 :]
    end = next((i for i, line in enumerate(rest) if line.startswith("## ")), len(rest))
    return "".join(rest[:end]).strip()


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def _defined(root: Path, dotted: str) -> bool:
    """Whether ``package.module.name`` is a function or class of that file, or ``...Class.method``."""
    parts = dotted.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        path = root.joinpath(*parts[:cut]).with_suffix(".py")
        if path.is_file():
            body = ast.parse(path.read_text(encoding="utf-8")).body
            for name in parts[cut:]:
                nodes = [
                    node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name
                ]
                if not nodes:
                    return False
                body = nodes[0].body
            return True
    return False


def _has_test(root: Path, test: str) -> bool:
    file, _, name = test.partition("::")
    path = root / file
    return path.is_file() and (not name or re.search(rf"^def {name}\b", path.read_text(), re.MULTILINE) is not None)
