"""The registry of theorems, read for people: statement, status, where it is used, and how to check it.

The registry ``proofs/theorems.toml`` and its pages live in the checkout, not in the installed package; ``root`` names the checkout.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any

from strong_lth.core import InputError

CHECKS = {
    "machine-checked": "make -C proofs (needs the Debian package coq; about a minute)",
    "proved-on-paper": "read the proof on its page",
    "cited": "read the source",
    "refuted-as-printed": "read its page; the corrected statement stands beside it",
    "open": "not proved",
}


def theorem_rows(root: Path | None = None) -> list[dict[str, Any]]:
    """One row per theorem: id, title, status, tier, page.

    Raises InputError outside a checkout.
    """
    _, entries = _read(root)
    return [
        {
            "id": id,
            "title": entry["title"],
            "status": entry["status"],
            "tier": entry.get("tier", ""),
            "page": f"proofs/{entry['statement']}",
        }
        for id, entry in entries.items()
    ]


def describe(id: str, root: Path | None = None) -> dict[str, Any]:
    """One theorem: its statement in words, status, source, deviations, Coq names, Python function, tests, simulation, uses and users.

    Raises InputError for an unknown id, naming those that are near, and outside a checkout.
    """
    proofs, entries = _read(root)
    if id not in entries:
        near = difflib.get_close_matches(id, entries, n=3, cutoff=0.4) or list(entries)
        raise InputError("id", repr(id), f"did you mean {' or '.join(near)}?")
    entry = entries[id]
    return {
        "id": id,
        "title": entry["title"],
        "status": entry["status"] + (f" (axioms: tier {entry['tier']})" if "tier" in entry else ""),
        "source": f"{entry['source']}; {entry['place']}",
        "statement": _section(proofs, entry["statement"]),
        "corrected": entry.get("corrected", ""),
        "deviations": entry["deviations"],
        "coq": [name.removeprefix("StrongLTH.") for name in entry.get("coq", [])],
        "python": entry.get("python", ""),
        "tests": entry.get("tests", []),
        "simulation": entry.get("simulation", ""),
        "uses": entry.get("uses", []),
        "used by": [other for other, values in entries.items() if id in values.get("uses", [])],
        "page": f"proofs/{entry['statement']}",
        "to check": CHECKS[entry["status"]],
    }


def theorem_text(theorem: dict[str, Any]) -> str:
    """The description as plain text: title, statement, then one line per fact."""
    facts = {name: value for name, value in theorem.items() if name not in ("title", "statement") and value}
    lines = [f"{name:12} {', '.join(value) if isinstance(value, list) else value}" for name, value in facts.items()]
    return "\n".join([theorem["title"], "", theorem["statement"], "", *lines])


def _read(root: Path | None) -> tuple[Path, dict[str, dict[str, Any]]]:
    """The folder ``proofs/`` of the checkout and the entries of its registry."""
    places = [Path(__file__).resolve().parent.parent, Path.cwd()] if root is None else [root]
    for place in places:
        registry = place / "proofs" / "theorems.toml"
        if registry.is_file():
            entries = tomllib.loads(registry.read_text(encoding="utf-8"))
            return registry.parent, {id: entry for id, entry in entries.items() if id != "tiers"}
    raise InputError("root", str(places[-1]), "run this inside a checkout of strong_lth, or name one with --root")


def _section(proofs: Path, statement: str) -> str:
    """The section of a page that an anchor names; without an anchor its Statement."""
    page, _, anchor = statement.partition("#")
    parts = re.split(r"^#+ (.*)$", (proofs / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        if re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") == (anchor or "statement"):
            return body.strip()
    raise InputError("statement", statement, "the page has no such section; check proofs/theorems.toml")
