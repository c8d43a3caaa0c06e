"""Figures are drawn from rows and say what they should."""

from __future__ import annotations

import io
import math

import pytest

from strong_lth import plotting
from strong_lth.plotting import Curve, curves_figure


@pytest.fixture
def drawn(monkeypatch):
    """The axes of the figures that are saved."""
    kept = []
    panels = plotting._panels

    def keep(count):
        figure, row = panels(count)
        kept.extend(row)
        return figure, row

    monkeypatch.setattr(plotting, "_panels", keep)
    return kept


def test_curves_with_limits_labels_and_scales(drawn):
    file = io.BytesIO()
    curves = [
        Curve("measured", [1, 2, 4], [0.5, 0.25, 0.1], [0.4, 0.2, 0.05], [0.6, 0.3, 0.2], "o"),
        Curve("", [1, 2, 4], [0.5, 0.25, 0.12], style="-"),
        Curve("law", [1, 2, 4], [0.5, 0.25, 0.12], style="--", colour=0),
    ]
    curves_figure({"a": curves, "b": curves[:1]}, file, title="t", x="n", y="p", log="y")
    assert file.getvalue().startswith(b"\x89PNG")
    first, second = drawn
    assert [text.get_text() for text in first.get_legend().get_texts()] == ["measured", "law"]
    assert second.get_legend() is None
    assert (first.get_yscale(), first.get_xscale()) == ("log", "linear")
    assert (first.get_title(), first.get_xlabel(), first.get_ylabel()) == ("a", "n", "p")
    assert first.lines[-1].get_color() == first.lines[0].get_color() == plotting.COLOURS[0]
    assert all(float(tick).is_integer() for tick in first.get_xticks())


def test_ticks_name_the_places_that_were_measured(drawn):
    curve = Curve("measured", [0.02, 0.1, 0.5], [1.0, 2.0, 3.0])
    curves_figure({"a": [curve]}, io.BytesIO(), title="t", x="n", y="p", log="x", ticks=[0.02, 0.1, 0.5])
    (axes,) = drawn
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0.02", "0.1", "0.5"]
    assert len(axes.get_xticks(minor=True)) == 0


def test_limits_never_point_the_wrong_way(drawn):
    curve = Curve("m", [1.5], [0.5], [0.6], [0.4])
    curves_figure({"a": [curve]}, io.BytesIO(), title="t", x="n", y="p", log="x")
    assert drawn[0].get_xscale() == "log"


def test_a_legend_outside_names_every_curve_of_every_panel_once(drawn):
    panels = {"a": [Curve("one", [1, 2], [1, 2])], "b": [Curve("one", [1, 2], [2, 1]), Curve("two", [1, 2], [3, 4])]}
    curves_figure(panels, io.BytesIO(), title="t", x="n", y="p", legend="right")
    assert all(axes.get_legend() is None for axes in drawn)
    (legend,) = drawn[0].figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["one", "two"]


def test_limits_at_one_x_are_drawn_beside_each_other(drawn):
    curves = [Curve(name, [1, 10], [y, y], [y - 1, y - 1], [y + 1, y + 1]) for name, y in (("a", 2.0), ("b", 3.0))]
    curves_figure(
        {"p": [*curves, Curve("line", [1, 10], [0, 0])]}, io.BytesIO(), title="t", x="n", y="p", log="x", beside=True
    )
    first, second, line = (
        drawn[0].lines[0].get_xdata(),
        drawn[0].containers[1][0].get_xdata(),
        drawn[0].lines[-1].get_xdata(),
    )
    assert list(line) == [1, 10]
    assert all(1 < b / a < 1.05 and math.isclose(a * b, x * x) for a, b, x in zip(first, second, line, strict=True))


def test_limits_alone_at_their_x_stay_there(drawn):
    curves = [Curve(name, [x], [1.0], [0.5], [1.5]) for name, x in (("a", 0.0), ("b", 10.0), ("c", 10.0))]
    curves_figure({"p": curves}, io.BytesIO(), title="t", x="n", y="p", beside=True)
    alone, left, right = (container[0].get_xdata()[0] for container in drawn[0].containers)
    assert alone == 0
    assert (left + right) / 2 == 10
    assert left < right


def test_ticks_are_the_values_asked_for(drawn):
    curves_figure({"p": [Curve("a", [16, 64], [1, 2])]}, io.BytesIO(), title="t", x="n", y="p", log="x", ticks=[16, 64])
    assert [text.get_text() for text in drawn[0].get_xticklabels()] == ["16", "64"]
    assert list(drawn[0].get_xticks(minor=True)) == []


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_many_panels_stand_on_two_lines_so_that_letters_stay_readable(drawn, count):
    panels = {str(number): [Curve("a", [1, 2], [1, 2])] for number in range(count)}
    curves_figure(panels, io.BytesIO(), title="t", x="n", y="p")
    assert len(drawn) == count == len(drawn[0].figure.axes)
    assert drawn[0].figure.get_size_inches()[0] < 13
    assert [axes.get_ylabel() for axes in drawn] == (
        ["p", "", ""][:count] if count <= 3 else ["p", *[""] * (-(-count // 2) - 1), "p", ""][:count]
    )
