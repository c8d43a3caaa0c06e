"""``strong-lth demo``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from strong_lth.commands.shown import progress_bars, show_rows, tickets_table


def demo(*, out: Path = Path("strong_lth_demo"), seed: int = 0, json: bool = False) -> int:
    """Train a digit classifier, prune random networks into it, certify them; table, figures, ticket and certificate.

    Args:
        out: Folder for the files; made if absent.
        seed: Seed of the training and of the pruned source.
        json: Print the rows as JSON.
    """
    from strong_lth import demo as job
    from strong_lth import report

    job.prepare(out)
    with progress_bars() as progress:
        result = job.run(seed=seed, progress=progress)
    paths = job.write(result, out)
    rows = [asdict(row) for row in result.rows]
    show_rows(rows, None if json else report.demo_table(rows))
    if not json:
        from strong_lth.tickets.summary import summarise

        strict = result.strictest
        print(
            "strong tickets found by score search in another untrained network (digits, mlp-bn): accuracy as they are, no certificate:"
        )
        show_rows(result.searched, tickets_table(summarise(result.searched)))
        print("trained tickets of another network (digits, mlp-bn), the same final recipe for all:")
        show_rows(result.trained, tickets_table(summarise(result.trained)))
        print(f"{result.seconds:.0f} s; wrote {', '.join(path.name for path in paths)} to {out}/")
        print(f"ticket and certificate are those of tol {strict.tol:g}, perturbation {strict.perturbation:g}")
        print(f"check it with the standard library alone: python proofs/check_certificate.py {out}/certificate.json")
    return int(not all(row.verified for row in result.rows) or any(row.unserved for row in result.rows))
