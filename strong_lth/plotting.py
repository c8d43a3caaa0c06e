"""Figures, drawn from rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Any

Row = Mapping[str, Any]


def candidates_figure(curve: Sequence[Row], file: IO[bytes]) -> None:
    """Candidates per weight against the perturbation at one tol: needed (median and range), predicted and proved; PNG into ``file``."""
    figure, axes = _axes()
    positive = [c["perturbation"] for c in curve if c["perturbation"] > 0]
    left = min(positive) / 10
    x = [c["perturbation"] if c["perturbation"] > 0 else left for c in curve]
    needed = [c["needed"] for c in curve]
    spread = [[c["needed"] - c["needed_low"] for c in curve], [c["needed_high"] - c["needed"] for c in curve]]
    axes.errorbar(
        x, needed, yerr=spread, fmt="o-", capsize=3, color="#1b6ca8", label="needed (median and range of the sources)"
    )
    axes.plot(x, [c["predicted"] for c in curve], "s--", color="#e08e0b", label="predicted (each-target local law)")
    axes.plot(
        x,
        [c["proved"] for c in curve],
        "^:",
        color="#a8321b",
        label="proved (sharpest bound in the package, delta = 0.01)",
    )
    axes.set_xscale("log")
    axes.set_xticks(x, ["0" if c["perturbation"] == 0 else f"{c['perturbation']:g}" for c in curve])
    axes.minorticks_off()
    axes.set_xlabel("perturbation allowed per kept weight")
    axes.set_ylabel("candidates per target weight")
    axes.set_ylim(bottom=0)
    axes.set_title(f"Over-parameterisation against perturbation, tol = {curve[0]['tol']:g} on the logits")
    axes.legend(frameon=False)
    figure.savefig(file, format="png", dpi=150)


def errors_figure(rows: Sequence[Row], file: IO[bytes]) -> None:
    """Certified and found error of every ticket against its tol; PNG into ``file``."""
    figure, axes = _axes()
    perturbations = sorted({row["candidates"]["perturbation"] for row in rows})
    for colour, perturbation in zip(("#1b6ca8", "#2a8c4a", "#a8321b", "#6b3fa0"), perturbations, strict=False):
        chosen = sorted(
            (row for row in rows if row["candidates"]["perturbation"] == perturbation),
            key=lambda row: row["candidates"]["tol"],
        )
        x = [row["candidates"]["tol"] for row in chosen]
        axes.plot(
            x,
            [row["certified"] for row in chosen],
            "^-",
            color=colour,
            label=f"certified, perturbation {perturbation:g}",
        )
        axes.plot(
            x, [row["found"] for row in chosen], "v:", color=colour, label=f"found, perturbation {perturbation:g}"
        )
    ends = [min(row["candidates"]["tol"] for row in rows), max(row["candidates"]["tol"] for row in rows)]
    axes.plot(ends, ends, color="#888888", linewidth=1, label="tol")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("tol: allowed logit error on [0, 1]^64")
    axes.set_ylabel("largest logit error")
    axes.set_title("The truth lies between found and certified")
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(file, format="png", dpi=150)


def _axes() -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return figure, axes


def tickets_figure(rows: Sequence[Mapping[str, Any]], handle: IO[bytes]) -> None:
    """Accuracy of trained tickets against density and against epochs spent, with 95 % intervals where there are five seeds or more; ``rows`` as made by ``summarise``."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    methods = list(dict.fromkeys(row["method"] for row in rows))
    for index, method in enumerate(methods):
        mine = sorted((row for row in rows if row["method"] == method), key=lambda row: -row["density"])
        style = {
            "color": f"C{index % 10}",
            "marker": "os^vDP*X<>"[index % 10],
            "markersize": 5,
            "markerfacecolor": f"C{index % 10}" if index < 10 else "white",
        }
        accuracy = [row["accuracy"] for row in mine]
        low = [row["accuracy"] - (row["worst"] if row["low"] is None else row["low"]) for row in mine]
        high = [(row["best"] if row["high"] is None else row["high"]) - row["accuracy"] for row in mine]
        if len(mine) == 1:
            left.axhline(accuracy[0], color="black", linewidth=0.8, linestyle="--", label=method)
        else:
            dash = "-" if index < 10 else "--"
            left.errorbar(
                [row["density"] for row in mine],
                accuracy,
                yerr=(low, high),
                linestyle=dash,
                linewidth=1,
                label=method,
                **style,
            )
        spent = [row["find_epochs"] + row["train_epochs"] for row in mine]
        right.plot(spent, accuracy, linewidth=0.6, linestyle=":", **style)
    left.set(xscale="log", xlabel="density (kept / prunable)", ylabel="test accuracy")
    right.set(xscale="log", xlabel="epochs to find and to train")
    right.tick_params(which="minor", labelbottom=False)
    figure.legend(loc="outside right center", fontsize=7)
    figure.savefig(handle, format="png", dpi=120)
