"""Figures: no empty gap between FGS1 and AIRS-CH0, legends that stand for a quantity once."""

import numpy as np

from spectramind_kit.diagnostics import figure


def test_fgs1_and_airs_have_an_axis_each_without_the_gap_between_them():
    layout = figure.wavelength_axes("depth", below={"title": {"text": "error"}})
    first, second = (layout[name]["domain"] for name in ("xaxis", "xaxis2"))
    assert first[1] < second[0] and layout["xaxis2"]["range"][0] > 1.8 and layout["xaxis"]["range"][1] < 1.0
    assert layout["yaxis2"]["domain"][1] < layout["yaxis"]["domain"][0]


def test_a_quantity_of_all_wavelengths_is_a_point_and_a_line_with_one_legend():
    point, line = figure.curve_and_point(np.arange(283.0), "sigma", figure.AIRS_COLOUR)
    assert (point["xaxis"], line["xaxis"], len(line["y"])) == ("x", "x2", 282)
    assert point["legendgroup"] == line["legendgroup"] and not point["showlegend"] and "showlegend" not in line


def test_maps_around_zero_are_even_and_others_rise():
    even, rising = figure.heat(np.eye(3), limit=4.0), figure.heat(np.eye(3))
    assert (even["zmin"], even["zmax"]) == (-4.0, 4.0) and "zmin" not in rising


def test_axes_keep_what_is_said_of_them():
    layout = figure.axes("x", "y", yaxis={"autorange": "reversed"}, shapes=[figure.level(1.0)])
    assert layout["yaxis"]["autorange"] == "reversed" and layout["yaxis"]["title"]["text"] == "y"
    assert layout["shapes"][0]["y0"] == 1.0
