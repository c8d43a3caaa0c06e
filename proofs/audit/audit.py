"""Audit of the proofs, after the build: ``audit.py`` runs every gate, ``audit.py sources links ...`` those named; two at a time, the longest first.

Exit status 1 and one line per fault. The drills in ``tests/drills/`` plant each fault and must see it reported.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROOFS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(Path(__file__).resolve().parent))

import constants  # noqa: E402
import coq  # noqa: E402
import frozen  # noqa: E402
import instances  # noqa: E402
import registry  # noqa: E402
import tables  # noqa: E402


def gates() -> dict[str, Callable[[], list[str]]]:
    """The gates of the audit by name, in the order in which they start: the independent kernel takes longest."""
    listed = registry.load(PROOFS)
    allowed = frozenset().union(*listed.tiers.values(), KERNEL_ONLY)
    return {
        "kernel": lambda: coq.kernel_faults(PROOFS, allowed),
        "constants": _constants,
        "certificates": lambda: frozen.faults(PROOFS),
        "assumptions": lambda: coq.assumption_faults(PROOFS, listed),
        "instances": lambda: instances.faults(PROOFS),
        "premises": lambda: coq.premise_faults(PROOFS),
        "sources": lambda: coq.source_faults(PROOFS / "theories", listed.axiom_files) + coq.project_faults(PROOFS),
        "links": lambda: registry.problems(PROOFS, listed),
        "tables": lambda: tables.stale(PROOFS, listed),
    }


def _constants() -> list[str]:
    if importlib.util.find_spec("numpy") is None:
        return [f"{sys.executable} has no numpy, so the package cannot be asked: give PYTHON=, or run `make test` once"]
    return constants.faults(PROOFS)


# An axiom that coqchk lists because the standard library's reals load it, though no theorem of ours uses it.
KERNEL_ONLY = frozenset({"Classical_Prop.classic"})


def main(arguments: list[str]) -> int:
    """Run the gates, print what each found, return the exit status."""
    known = gates()
    if unknown := [name for name in arguments if name not in known]:
        print(f"audit.py: there is no gate {unknown[0]!r}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    status = 0
    with ThreadPoolExecutor(2) as pool:  # each gate waits for a process of its own
        running = {name: pool.submit(_timed, known[name]) for name in known if not arguments or name in arguments}
        for name, future in running.items():
            faults, seconds = future.result()
            print(f"{name:12} {'ok' if not faults else 'RED'}  {seconds:.1f} s", flush=True)
            for fault in faults:
                print(f"  {fault}")
            status |= bool(faults)
    return status


def _timed(gate: Callable[[], list[str]]) -> tuple[list[str], float]:
    began = time.perf_counter()
    return gate(), time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
