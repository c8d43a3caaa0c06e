"""The generated tables: the index in ``proofs/README.md`` and "what is proved" in the README of the project.

``tables.py --write`` writes them between their markers; ``stale`` says where they differ from ``theorems.toml``.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from registry import Registry, Theorem, load

HEADLINES = (
    "rss-contraction-checked",
    "recursion",
    "slth",
    "slth-exact",
    "slth-general",
    "volume",
    "relu-gadget",
)


def index_table(registry: Registry) -> str:
    """Every theorem: id with its page, title, status, Coq names, Python function."""
    lines = ["| id | theorem | status | Coq | Python |", "|---|---|---|---|---|"]
    for theorem in registry.theorems.values():
        coq = ", ".join(f"`{name.removeprefix('StrongLTH.')}`" for name in theorem.coq)
        python = f"`{theorem.python}`" if theorem.python else ""
        lines.append(
            f"| [{theorem.id}]({theorem.statement}) | {theorem.title} | {_status(theorem)} | {coq} | {python} |"
        )
    return "\n".join(lines)


def headline_table(registry: Registry) -> str:
    """The headline theorems, with links from the project's README, and a count of the rest."""
    lines = ["| theorem | id | status |", "|---|---|---|"]
    for id in HEADLINES:
        theorem = registry.theorems[id]
        lines.append(f"| {theorem.title} | [{id}](proofs/{theorem.statement}) | {_status(theorem)} |")
    counts = Counter(theorem.status for theorem in registry.theorems.values())
    summary = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    return "\n".join([*lines, "", f"In all: {summary}. The whole list is in [proofs/README.md](proofs/README.md)."])


def _status(theorem: Theorem) -> str:
    return f"{theorem.status} ({theorem.tier})" if theorem.tier else theorem.status


TABLES = (
    ("proofs/README.md", "<!-- generated:theorems:begin -->", "<!-- generated:theorems:end -->", index_table),
    ("README.md", "<!-- generated:proved:begin -->", "<!-- generated:proved:end -->", headline_table),
)


def stale(proofs: Path, registry: Registry, *, write: bool = False) -> list[str]:
    """Tables that differ from the registry, one sentence each; with ``write`` they are brought up to date."""
    found = []
    for name, begin, end, make in TABLES:
        path = proofs.parent / name
        text = path.read_text(encoding="utf-8")
        if text.count(begin) != 1 or text.count(end) != 1:
            found.append(f"{name}: the markers {begin} and {end} must stand there once")
            continue
        before, rest = text.split(begin)
        fresh = f"{before}{begin}\n{make(registry)}\n{end}{rest.split(end)[1]}"
        if fresh != text and write:
            path.write_text(fresh, encoding="utf-8")
        elif fresh != text:
            found.append(f"{name}: its table is stale; run `make -C proofs tables`")
    return found


if __name__ == "__main__":
    here = Path(__file__).resolve().parent.parent
    faults = stale(here, load(here), write="--write" in sys.argv[1:])
    print("\n".join(faults) or "tables are up to date")
    sys.exit(bool(faults))
