"""Simulations run at a small size and say what they claim to say."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np

from strong_lth.core import Verdict
from strong_lth.tickets.showcase import searched, showcase
from strong_lth.tickets.summary import expected, summarise

FOLDER = Path(__file__).resolve().parents[2] / "simulations"


def load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_tickets_digits(tmp_path):
    path = tmp_path / "record.json"
    words = ["--record", str(path), "--seeds", "1", "--epochs", "1", "--points", "3", "--densities", "0.5"]
    assert load("tickets_digits").main(words) == 0
    found = json.loads(path.read_text())
    assert len(found["summary"]) == 18
    assert {claim["verdict"] for claim in found["claims"]} == {"INCONCLUSIVE"}  # one seed proves nothing
    assert all(0 <= number["mean"] <= 1 for number in found["mechanism"]["numbers"].values())
    assert path.with_suffix(".png").stat().st_size > 10_000


def test_maene_stability(tmp_path):
    path = tmp_path / "record.json"
    words = ["--record", str(path), "--seeds", "1", "--epochs", "1", "--points", "3", "--batches", "64", "128"]
    assert load("maene_stability").main(words) == 0
    found = json.loads(path.read_text())
    assert [line["batch"] for line in found["summary"]] == [64, 128]
    assert all(line["gain_of_the_init"]["low"] is None for line in found["summary"])
    assert all(0 <= row["ticket_instability"] <= 1 for row in found["rows"])


def test_the_trained_block_of_the_demo():
    rows = showcase((0,), epochs=2)
    assert [row["method"] for row in rows] == ["dense", "random (uniform)", "IMP", "signs of AWS", "RST"]
    assert {row["kept"] for row in rows[1:]} == {164}
    assert summarise(rows)[0]["seeds"] == 1


def test_the_searched_block_of_the_demo():
    (row,) = searched((0,), epochs=2)
    assert (row["kept"], row["strong"], row["train_steps"]) == (2458, True, 0)


# --- the rules of the score-search simulations, on planted rows --------------------------------------------------------------------------


def planted(moved, random, whole, seeds=8):
    """Rows of the tables in which the best ticket after projected SGD, after a random move and the dense network gain so much over the untouched .8."""
    rng, rows = np.random.default_rng(0), []
    for _ in range(seeds):
        row = {"data": "mnist", "perturbations": "0.01 0.2", "sparsities": "0 0.5", "hidden": 64}
        for eps in ("0", "0.01", "0.2"):
            gains = {"psgd": 0.0 if eps == "0" else moved, "random": random, "reverse": moved}
            for order, gain in gains.items():
                row[f"{order} {eps} 0"] = 0.8 + whole + 0.001 * rng.standard_normal()
                row[f"{order} {eps} 0.5"] = 0.8 + gain + 0.001 * rng.standard_normal()
                row |= {f"{order} {eps} {s} validation": 0.8 for s in ("0", "0.5")}
        rows.append(row)
    return rows


def verdicts(rows):
    return [item.verdict for item in load("xiong2023_tables").expect(rows)]


def test_the_rule_of_the_tables_follows_the_rows():
    yes, no, open_ = Verdict.CONSISTENT, Verdict.REFUTED, Verdict.INCONCLUSIVE
    assert verdicts(planted(0.05, 0.0, 0.1)) == [yes, yes, yes]
    assert verdicts(planted(-0.05, 0.0, 0.1)) == [no, no, yes]
    assert verdicts(planted(0.05, 0.1, 0.0)) == [yes, no, no]
    assert verdicts(planted(0.05, 0.0, 0.1, seeds=7)) == [open_] * 3
    texts = [item.evidence for item in load("xiong2023_tables").expect(planted(0.05, 0.0, 0.1))]
    assert all(text.startswith("holds at eps") and "p 0.0039" in text for text in texts)


def test_the_best_ticket_is_chosen_on_the_validation_split_and_never_dense():
    module = load("xiong2023_tables")
    row = {"sparsities": "0 0.2 0.5", "psgd 0.01 0": 0.99, "psgd 0.01 0.2": 0.9, "psgd 0.01 0.5": 0.95}
    row |= {"psgd 0.01 0 validation": 1.0, "psgd 0.01 0.2 validation": 0.8, "psgd 0.01 0.5 validation": 0.7}
    assert module.best(row, "psgd", 0.01) == (0.9, 0.2)
    assert module.dense(row, "reverse", 0.01) == 0.99


def test_the_published_tables_are_whole():
    """Shape, range, and what the three have in common: without a perturbation they are one column, up to the rounding of .75 and .73."""
    found = load("xiong2023_tables").PUBLISHED
    tables = {name: np.array(rows) for name, rows in found["tables"].items()}
    assert {table.shape for table in tables.values()} == {(9, 11)}
    assert all(((table >= 0) & (table <= 1)).all() for table in tables.values())
    assert np.abs(tables["psgd"][:, 0] - tables["random"][:, 0]).max() == 0
    assert np.abs(tables["psgd"][:, 0] - tables["reverse"][:, 0]).max() <= 0.021
    assert np.array_equal(tables["psgd"][0], tables["reverse"][0])
    assert load("xiong2023_tables").published("psgd", 0.05, [0.4]) == 0.90


def widths(narrow, wide, trained, ends, seeds=10):
    rng, rows = np.random.default_rng(0), []
    for _ in range(seeds):
        row = {"widths": "16 64", "densities": "0.1 0.5 0.9", "trained": trained, "proved_width": 3250}
        for hidden, value in (("16", narrow), ("64", wide)):
            row |= {f"{hidden} {d}": value + gain for d, gain in (("0.1", ends), ("0.5", 0.0), ("0.9", ends))}
        row["16 0.5"] += 0.001 * rng.standard_normal()
        rows.append(row)
    return rows


def test_the_rule_of_the_widths_follows_the_rows():
    yes, no, open_ = Verdict.CONSISTENT, Verdict.REFUTED, Verdict.INCONCLUSIVE
    module = load("edge_popup_width")
    found = module.expect(widths(0.8, 0.95, 0.96, -0.1))
    assert [item.verdict for item in found] == [yes, yes, yes]
    assert "within 2 points: 64 of 64-h-10" in found[1].evidence
    assert "proved width is 3250" in found[1].evidence
    assert [item.verdict for item in module.expect(widths(0.95, 0.8, 0.99, 0.1))] == [no, no, no]
    assert [item.verdict for item in module.expect(widths(0.8, 0.95, 0.96, -0.1, seeds=7))] == [open_] * 3


def test_the_evidence_of_a_margin_names_the_difference_itself():
    """An earlier one printed the difference with the margin added: +0.04 for a first that is one point behind."""
    second = [0.9 + 0.001 * seed for seed in range(8)]
    close = expected("less than 5 points behind", [a - 0.01 for a in second], second, margin=0.05)
    assert (close.verdict, close.evidence.split(",")[0]) == (Verdict.CONSISTENT, "difference -0.0100")
    assert "against -0.05" in close.evidence
    far = expected("less than 5 points behind", [a - 0.08 for a in second], second, margin=0.05)
    assert (far.verdict, far.evidence.split(",")[0]) == (Verdict.REFUTED, "difference -0.0800")
    assert "against" not in expected("better", second, second).evidence


def test_the_control_of_equal_epochs_follows_its_rule():
    yes, no, open_ = Verdict.CONSISTENT, Verdict.REFUTED, Verdict.INCONCLUSIVE
    module = load("xiong2023_equal_epochs")

    def rows(moved, long, seeds=8):
        rng = np.random.default_rng(0)
        base = {"data": "mnist", "short": 0.8, "moved 0.05": 0.8}
        return [
            base | {"moved 0.2": 0.8 + moved, "long": 0.8 + long + 1e-3 * rng.standard_normal()} for _ in range(seeds)
        ]

    assert [item.verdict for item in module.expect(rows(0.1, 0.05))] == [yes, yes]
    assert [item.verdict for item in module.expect(rows(0.0, 0.05))] == [no, yes]
    assert [item.verdict for item in module.expect(rows(0.1, 0.05, seeds=7))] == [open_, open_]


def test_nine_statements_need_a_wider_interval_than_one():
    first, second = [0.91, 0.92, 0.92, 0.9, 0.93, 0.91, 0.91, 0.9], [0.9] * 8
    one, nine = (expected("x", first, second, statements=count) for count in (1, 9))
    assert (one.verdict, nine.verdict) == (Verdict.CONSISTENT, Verdict.INCONCLUSIVE)
    assert nine.alpha == one.alpha / 9
    assert "99.4 % interval" in nine.evidence


def test_the_page_puts_every_cell_of_a_table_under_its_column():
    """Rows need not have all columns, and a bar in a name is no border."""
    lines = (FOLDER / "README.md").read_text().splitlines()
    bars = [line.replace("\\|", "").count("|") for line in lines if line.startswith("|")]
    heads = [index for index, line in enumerate(lines) if line.startswith("|---")]
    assert len(bars) > 100
    for head in heads:
        rows = [lines[head - 1]]
        for line in lines[head:]:
            if not line.startswith("|"):
                break
            rows.append(line)
        assert len({row.replace("\\|", "").count("|") for row in rows}) == 1, rows[0]
