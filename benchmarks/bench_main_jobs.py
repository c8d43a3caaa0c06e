"""The two main jobs as whole processes: wall seconds and peak memory. Writes records/demo.json, demo_table.json and published_target.json.

    python benchmarks/bench_main_jobs.py [pensia2020_fc2.npz] [--data-dir DIR]

``strong-lth demo`` runs twice (the first run may compile); the published target runs if its file is given: the authors' setting, 21 candidates shared per output
row, for both objectives, and the construction with one materialised random network. Compare: 77,266 s on 36 cores with a commercial solver for
the authors' setting (README of acnagle/optimal-lottery-tickets).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from strong_lth.core import run_record

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "benchmarks" / "records"


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
    print(
        f"{row['job']:52} {row['wall_s']:8.2f} s wall {row['cpu_s']:8.2f} s CPU {row['peak_mib']:6} MiB  status {row['exit_status']}"
    )
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", nargs="?", type=Path, help="pensia2020_fc2.npz; left out: the demo alone")
    parser.add_argument("--data-dir", type=Path, help="folder of the MNIST files, for the accuracies")
    options = parser.parse_args()
    RECORDS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        bench_demo(Path(folder))
        if options.target is not None:
            bench_target(Path(folder), options.target, options.data_dir)


def bench_demo(folder: Path) -> None:
    """The demo, twice."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "strong_lth.cli", "demo", "--out", str(folder)]
    rows = [measured(f"strong-lth demo, run {run}", command) for run in (1, 2)]
    shutil.copyfile(folder / "table.json", RECORDS / "demo_table.json")
    record = run_record("python benchmarks/bench_main_jobs.py", time.perf_counter() - started, rows=rows)
    (RECORDS / "demo.json").write_text(record.to_json() + "\n")


def bench_target(folder: Path, target: Path, data_dir: Path | None) -> None:
    """The published target: the authors' setting, and the construction."""
    started = time.perf_counter()
    rows: list[dict[str, Any]] = []
    details: list[dict[str, Any]] = []
    settings: dict[str, Any] = {}
    for part in ("published", "construction"):
        record = folder / f"{part}.json"
        command = [
            sys.executable,
            str(ROOT / "simulations" / "pensia2020_fc2.py"),
            str(target),
            "--only",
            part,
            "--record",
            str(record),
        ]
        command += ["--data-dir", str(data_dir)] if data_dir else []
        rows.append(measured(part, command))
        written = json.loads(record.read_text())
        details += written["rows"]
        settings = {"seed": written["record"]["extra"]["seed"], "mnist": written["record"]["extra"]["mnist"]}
    done = run_record(
        "python benchmarks/bench_main_jobs.py pensia2020_fc2.npz",
        time.perf_counter() - started,
        rows=rows,
        details=details,
        **settings,
    )
    (RECORDS / "published_target.json").write_text(done.to_json() + "\n")


if __name__ == "__main__":
    main()
