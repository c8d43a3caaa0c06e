"""The two main jobs as whole processes: wall seconds and peak memory. Writes records/main_jobs.json beside this file.

    python benchmarks/bench_main_jobs.py [pensia2020_fc2.npz] [--data-dir DIR]

``strong-lth demo`` runs twice (the first run may compile); the published target runs if its file is given: the authors' setting, 21 candidates shared per output
row, for both objectives, and the construction with one materialised random network. Compare: 77,266 s on 36 cores with a commercial solver for
the authors' setting (README of acnagle/optimal-lottery-tickets).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from strong_lth.core import run_record

ROOT = Path(__file__).resolve().parent.parent


def measured(name: str, command: list[str]) -> dict[str, Any]:
    """Run one process; wall seconds, CPU seconds and its own peak memory, as the operating system counted them."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    row = {
        "job": name,
        "wall_s": round(time.perf_counter() - started, 2),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mib": round(usage.ru_maxrss / 1024),
        "exit_status": os.waitstatus_to_exitcode(status),
    }
    print(f"{row['job']:52} {row['wall_s']:8.2f} s wall {row['cpu_s']:8.2f} s CPU {row['peak_mib']:6} MiB  status {row['exit_status']}")
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", nargs="?", type=Path, help="pensia2020_fc2.npz; left out: the demo alone")
    parser.add_argument("--data-dir", type=Path, help="folder of the MNIST files, for the accuracies")
    options = parser.parse_args()
    started = time.perf_counter()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        demo = [sys.executable, "-m", "strong_lth.cli", "demo", "--out", folder]
        rows += [measured(f"strong-lth demo, run {run}", demo) for run in (1, 2)]
        details: list[dict[str, Any]] = []
        if options.target is not None:
            for part in ("published", "construction"):
                record = Path(folder) / f"{part}.json"
                command = [sys.executable, str(ROOT / "simulations" / "pensia2020_fc2.py"), str(options.target)]
                command += ["--only", part, "--record", str(record)]
                command += ["--data-dir", str(options.data_dir)] if options.data_dir else []
                rows.append(measured(f"784-500-10 target, {part}", command))
                details += json.loads(record.read_text())["rows"]
    done = run_record("python benchmarks/bench_main_jobs.py TARGET", time.perf_counter() - started, rows=rows, details=details)
    path = ROOT / "benchmarks" / "records" / "main_jobs.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(done.to_json() + "\n")


if __name__ == "__main__":
    main()
