"""Start-up times: how long a user waits before anything is computed. Writes records/startup.json beside this file.

Each statement runs in a fresh interpreter, ten times; the median is reported.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from strong_lth.core import run_record

RUNS = 10
STATEMENTS = {
    "python": "pass",
    "import strong_lth": "import strong_lth",
    "strong_lth.core": "import strong_lth.core",
    "the bundled digits": "import strong_lth; strong_lth.datasets.load('digits')",
    "strong-lth --version": "from strong_lth.cli import main; main(['--version'])",
    "strong-lth --help": "from strong_lth.cli import main; main(['--help'])",
}


def seconds(statement: str) -> float:
    """Wall time of one fresh interpreter that runs the statement."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    started = time.perf_counter()
    rows = [
        {"start": name, "median_s": round(statistics.median(seconds(code) for _ in range(RUNS)), 4), "runs": RUNS}
        for name, code in STATEMENTS.items()
    ]
    for row in rows:
        print(f"{row['start']:24} {row['median_s']:.3f} s")
    record = run_record("python benchmarks/bench_startup.py", time.perf_counter() - started, rows=rows)
    path = Path(__file__).parent / "records" / "startup.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(record.to_json() + "\n")


if __name__ == "__main__":
    main()
