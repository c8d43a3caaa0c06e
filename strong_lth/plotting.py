"""Figures, drawn from rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Literal

Row = Mapping[str, Any]
COLOURS = ("#1b6ca8", "#a8321b", "#2a8c4a", "#e08e0b", "#6b3fa0", "#444444", "#c2589b", "#4fb0ae", "#8c6d31")


@dataclass(frozen=True)
class Curve:
    """Points (x, y) with optional limits low <= y <= high, and how they are drawn.

    ``style`` has no colour in it; ``colour`` counts through ``COLOURS``, by default the place in the panel. No legend entry without a label.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    style: str = "o-"
    colour: int | None = None


def curves_figure(
    panels: Mapping[str, Sequence[Curve]],
    file: IO[bytes],
    *,
    title: str,
    x: str,
    y: str,
    log: Literal["", "x", "y", "xy"] = "",
    ticks: Sequence[float] = (),
    beside: bool = False,
    legend: Literal["inside", "right"] = "inside",
) -> None:
    """Curves with their limits, one panel beside the other (its title -> its curves), on common y axes; PNG into ``file``.

    A panel whose labels the one before it has has no legend; ``legend="right"`` is one for all panels, outside of them. Whole numbers have whole ticks;
    ``ticks`` are the x at which the axis is labelled. ``beside`` draws curves with limits a little beside each other, so that limits at the same x can be told apart.
    """
    figure, row = _panels(len(panels))
    shown: dict[str, Any] = {}
    for axes, (name, curves) in zip(row, panels.items(), strict=True):
        moves = _beside(curves, "x" in log) if beside else [curve.x for curve in curves]
        for number, (curve, place) in enumerate(zip(curves, moves, strict=True)):
            _draw(axes, curve, place, COLOURS[(number if curve.colour is None else curve.colour) % len(COLOURS)])
        if "y" in log:
            axes.set_yscale("log")
        if "x" in log:
            axes.set_xscale("log")
        elif all(float(value).is_integer() for curve in curves for value in curve.x):
            axes.xaxis.get_major_locator().set_params(integer=True)
        if ticks:
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.set_xticks([], minor=True)
        if "y" not in log and all(float(value).is_integer() for curve in curves for value in curve.y):
            axes.yaxis.get_major_locator().set_params(integer=True)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel(x)
        drawn = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        entries = {curve.label: drawn[curve.label] for curve in curves if curve.label}
        if legend == "inside" and not entries.keys() <= shown.keys():
            axes.legend(entries.values(), entries.keys(), frameon=False, fontsize=8)
        shown = (shown if legend == "right" else {}) | entries
    if legend == "right":
        width, height = figure.get_size_inches()
        figure.set_size_inches(width + 2.4, height)
        figure.legend(shown.values(), shown.keys(), loc="outside right center", frameon=False, fontsize=9)
    for axes in row:
        if axes.get_subplotspec().is_first_col():
            axes.set_ylabel(y)
    figure.suptitle(title, fontsize=11)
    figure.savefig(file, format="png", dpi=130)


def _draw(axes: Any, curve: Curve, x: Sequence[float], colour: str) -> None:
    label = curve.label or "_nolegend_"
    if curve.low is None or curve.high is None:
        axes.plot(x, curve.y, curve.style, color=colour, label=label, markersize=4)
        return
    below = [max(b - a, 0.0) for a, b in zip(curve.low, curve.y, strict=True)]
    above = [max(b - a, 0.0) for a, b in zip(curve.y, curve.high, strict=True)]
    axes.errorbar(x, curve.y, yerr=[below, above], fmt=curve.style, color=colour, label=label, capsize=2, markersize=4)


def _beside(curves: Sequence[Curve], log: bool) -> list[Sequence[float]]:
    """The x of each curve; where those with limits share one, they move by multiples of a hundredth of the axis, around where they were."""
    values = [math.log(value) if log else value for curve in curves for value in curve.x]
    step = 0.01 * (max(values) - min(values))
    limited = [number for number, curve in enumerate(curves) if curve.low is not None]
    moved: list[Sequence[float]] = [curve.x for curve in curves]
    for number in limited:
        near = [other for other in limited if set(curves[other].x) & set(curves[number].x)]
        move = (near.index(number) - (len(near) - 1) / 2) * step
        moved[number] = [value * math.exp(move) if log else value + move for value in curves[number].x]
    return moved


def candidates_figure(curve: Sequence[Row], file: IO[bytes], *, note: str = "") -> None:
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
    axes.set_ylabel("candidates per target weight and sign half")
    axes.set_ylim(bottom=0)
    axes.set_title(f"Over-parameterisation against perturbation, tol = {curve[0]['tol']:g} on the logits")
    axes.legend(frameon=False)
    _save(figure, file, note)


def errors_figure(rows: Sequence[Row], file: IO[bytes], *, note: str = "") -> None:
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
    axes.set_title("Largest logit error: the truth lies between found and certified")
    axes.legend(frameon=False, fontsize=8)
    _save(figure, file, note)


def showcase_figure(
    constructed: Sequence[Row], searched: Sequence[Row], trained: Sequence[Row], file: IO[bytes], *, note: str = ""
) -> None:
    """Two blocks that share one axis of accuracies and nothing else: strong tickets, used as they are, and trained tickets with the epochs that they cost; PNG into ``file``.

    ``constructed`` as the rows of the demo's table, the other two as made by ``summarise``. Bars: 95 % intervals, or the range below five seeds.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True)
    strong = [
        (
            f"constructed, tol {row['candidates']['tol']:g}\nperturbation {row['candidates']['perturbation']:g}, density {row['density']:.1%}",
            row["ticket_accuracy"],
        )
        for row in constructed
    ]
    places = range(len(strong))
    left.plot([accuracy for _, accuracy in strong], places, "o", color=COLOURS[0])
    _limits(left, searched, len(strong), COLOURS[3])
    left.axvline(constructed[0]["target_accuracy"], color="black", linewidth=0.8, linestyle="--")
    names = [name for name, _ in strong]
    names += [f"{row['method']}\ndensity {row['density']:.1%}" for row in searched]
    left.set_title("Strong tickets: no weight is trained", fontsize=10)
    _limits(right, trained, 0, COLOURS[1])
    right.set_title("Trained tickets of another network", fontsize=10)
    labels = [
        f"{row['method']}, density {row['density']:.1%}\n{row['find_epochs']:.0f} + {row['train_epochs']:.0f} epochs"
        for row in trained
    ]
    for axes, ticks in ((left, names), (right, labels)):
        axes.set_yticks(range(len(ticks)), ticks, fontsize=8)
        axes.set_ylim(len(ticks) - 0.5, -0.5)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    left.set_xlabel("test accuracy (dashed: the target of the construction)")
    right.set_xlabel("test accuracy (epochs to find + to train)")
    figure.suptitle(
        "What is found untrained, and what training buys (bars: 95 % interval, or range of less than five seeds)",
        fontsize=10,
    )
    _save(figure, file, note)


def _limits(axes: Any, rows: Sequence[Row], first: int, colour: str) -> None:
    """One point with its limits per row of ``summarise``, downwards from place ``first``."""
    for place, row in enumerate(rows, first):
        low = row["worst"] if row["low"] is None else row["low"]
        high = row["best"] if row["high"] is None else row["high"]
        axes.errorbar(
            row["accuracy"],
            place,
            xerr=[[row["accuracy"] - low], [high - row["accuracy"]]],
            fmt="s",
            color=colour,
            capsize=2,
            markersize=4,
        )


def _axes() -> tuple[Any, Any]:
    figure, (axes,) = _panels(1)
    return figure, axes


def _panels(count: int) -> tuple[Any, list[Any]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = 1 if count <= 3 else 2  # a wider figure would be shown with smaller letters
    columns = -(-count // lines)
    figure = Figure(
        figsize=({1: 7.2, 2: 9.6}.get(columns, 4.2 * columns), 4.6 if lines == 1 else 7.6), layout="constrained"
    )
    FigureCanvasAgg(figure)
    row = list(figure.subplots(lines, columns, squeeze=False, sharey=True).flat)
    for spare in row[count:]:
        spare.remove()
    row = row[:count]
    for axes in row:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    return figure, row


def tickets_figure(rows: Sequence[Mapping[str, Any]], handle: IO[bytes]) -> None:
    """Accuracy of trained tickets against density and against epochs spent, with 95 % intervals where there are five seeds or more; ``rows`` as made by ``summarise``."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

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
    for axes in (left, right):
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    figure.legend(loc="outside right center", fontsize=8)
    figure.savefig(handle, format="png", dpi=120)


def _save(figure: Any, file: IO[bytes], note: str) -> None:
    """Write the figure as PNG, with its provenance in small print."""
    if note:
        figure.supxlabel(note, fontsize=6, color="#666666", x=0.995, ha="right")
    figure.savefig(file, format="png", dpi=150)
