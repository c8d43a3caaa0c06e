"""Figures are drawn from rows and say what they should."""

from __future__ import annotations

import io

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
    assert [text.get_text() for text in first.get_legend().get_texts()] == ["law", "measured"]
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
