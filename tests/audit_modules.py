"""The modules of ``proofs/audit``, imported by path as the audit itself imports them."""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROOFS = ROOT / "proofs"
sys.path.insert(0, str(PROOFS / "audit"))

import constants  # noqa: E402
import coq  # noqa: E402
import frozen  # noqa: E402
import instances  # noqa: E402
import registry  # noqa: E402
import tables  # noqa: E402

__all__ = ["COQ_READY", "PROOFS", "ROOT", "constants", "coq", "frozen", "instances", "registry", "tables"]

COQ_READY = shutil.which("coqc") is not None and (PROOFS / "theories" / "Statements.vo").is_file()
