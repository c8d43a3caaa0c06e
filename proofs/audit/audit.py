"""Audit of the proofs, after the build: ``audit.py`` (sources, links, assumptions, constants, tables) and ``audit.py kernel`` (coqchk).

Exit status 1 and one line per fault. The drills in ``tests/drills/`` plant each fault and must see it reported.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path

PROOFS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(Path(__file__).resolve().parent))

import constants  # noqa: E402
import coq  # noqa: E402
import registry  # noqa: E402
import tables  # noqa: E402


def gates() -> dict[str, Callable[[], list[str]]]:
    """The gates of the audit by name, in order."""
    listed = registry.load(PROOFS)
    return {
        "sources": lambda: coq.source_faults(PROOFS / "theories"),
        "links": lambda: registry.problems(PROOFS, listed),
        "tables": lambda: tables.stale(PROOFS, listed),
        "assumptions": lambda: coq.assumption_faults(PROOFS, listed),
        "constants": _constants,
    }


def _constants() -> list[str]:
    if importlib.util.find_spec("numpy") is None:
        return [f"{sys.executable} has no numpy, so the package cannot be asked: give PYTHON=, or run `make test` once"]
    return constants.faults(PROOFS)


def kernel() -> dict[str, Callable[[], list[str]]]:
    """The second opinion of the independent kernel."""
    listed = registry.load(PROOFS)
    allowed = frozenset().union(*listed.tiers.values(), KERNEL_ONLY)
    return {"coqchk": lambda: coq.kernel_faults(PROOFS, allowed)}


# An axiom that coqchk lists because the standard library's reals load it, though no theorem of ours uses it.
KERNEL_ONLY = frozenset({"Classical_Prop.classic"})


def main(arguments: list[str]) -> int:
    """Run the gates, print what each found, return the exit status."""
    if arguments not in ([], ["kernel"]):
        print("usage: audit.py [kernel]", file=sys.stderr)
        return 2
    status = 0
    for name, gate in (kernel() if arguments else gates()).items():
        began = time.perf_counter()
        faults = gate()
        print(f"{name:12} {'ok' if not faults else 'RED'}  {time.perf_counter() - began:.1f} s")
        for fault in faults:
            print(f"  {fault}")
        status |= bool(faults)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
