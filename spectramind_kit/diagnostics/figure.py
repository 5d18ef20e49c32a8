"""Figures as plotly draws them: plain dictionaries of traces and layout, drawn in the browser when they are looked at.

Two kinds of words stand for what a page holds once: "$fgs1" or "$airs/0.25" for a colour of the page's theme, with its
opacity, and "@airs" for the wavelengths of AIRS-CH0. ``report.js`` puts the values in.

FGS1 and AIRS-CH0 have an axis of wavelengths each, side by side: between .8 and 1.95 um there is nothing to show.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from spectramind_kit.diagnostics.payload import rounded
from spectramind_kit.instruments import FGS1_WAVELENGTH

FGS1_COLOUR, AIRS_COLOUR, TRUTH_COLOUR, FIT_COLOUR, QUIET = "$fgs1", "$airs", "$ink", "$fit", "$quiet"
CHANNEL_COLOURS = {"FGS1": FGS1_COLOUR, "AIRS-CH0": AIRS_COLOUR}
WAVELENGTHS = "@airs"
_NARROW, _GAP = 0.06, 0.05
"""Part of a figure's width that FGS1 takes, and that lies between the two axes."""
_RISING = [[0.0, "$raised"], [1.0, "$airs"]]
_DIVERGING = [[0.0, "$low"], [0.5, "$paper"], [1.0, "$high"]]


@dataclass(frozen=True)
class Figure:
    """One figure of the page.

    Attributes:
        title: above it.
        note: what it shows and how to read it, in a sentence or two.
        traces: of plotly.
        layout: of plotly, beside what all figures share.
        height: [pixel].
    """

    title: str
    note: str
    traces: Sequence[Mapping]
    layout: Mapping = field(default_factory=dict)
    height: int = 320

    def as_dict(self) -> dict:
        """Return what the page carries."""
        return {"data": list(self.traces), "layout": dict(self.layout), "height": self.height}


def line(
    x: object, y: Iterable[float], name: str, colour: str, *, dash: str = "", digits: int = 3, **more: object
) -> dict:
    """Return a line; without a name it is not in the legend."""
    style = {"color": colour, "width": 1.6} | ({"dash": dash} if dash else {})
    return {**_trace(x, y, name, digits), "mode": "lines", "line": style, **more}


def points(
    x: object, y: Iterable[float], name: str, colour: str, *, size: float = 4.0, digits: int = 3, **more: object
) -> dict:
    """Return points; without a name they are not in the legend."""
    return {**_trace(x, y, name, digits), "mode": "markers", "marker": {"color": colour, "size": size}, **more}


def band(
    x: object, low: np.ndarray, high: np.ndarray, colour: str, name: str = "", *, digits: int = 3, **more: object
) -> list[dict]:
    """Return the area between two lines."""
    edge = {"mode": "lines", "line": {"width": 0, "color": colour}, "hoverinfo": "skip", **more}
    return [
        {**_trace(x, low, "", digits), **edge},
        {**_trace(x, high, name, digits), **edge, "fill": "tonexty", "fillcolor": f"{colour}/0.22"},
    ]


def bars(x: object, y: Iterable[float], name: str, colour: str, **more: object) -> dict:
    """Return bars."""
    return {**_trace(x, y, name, 3), "type": "bar", "marker": {"color": f"{colour}/0.75"}, **more}


def errors(values: np.ndarray) -> dict:
    """Return error bars, thin enough to leave the points in sight."""
    return {"type": "data", "array": rounded(values, 2), "thickness": 0.8, "width": 0}


def heat(
    z: np.ndarray, *, x: object = None, y: object = None, limit: float | None = None, title: str = "", **more: object
) -> dict:
    """Return a map: around zero from -limit to limit, or from its lowest to its highest value without one.

    Args:
        z: (n_y, n_x).
        x: of the columns.
        y: of the rows.
        limit: where the colours end.
        title: of the colour bar.
        more: of plotly.
    """
    trace = {"type": "heatmap", "z": rounded(z, 2), "colorbar": {"title": {"text": title, "side": "right"}}}
    trace["colorbar"] |= {"thickness": 10, "outlinewidth": 0, "len": 0.95}
    trace |= {"colorscale": _RISING} if limit is None else {"colorscale": _DIVERGING, "zmin": -limit, "zmax": limit}
    return trace | {key: value for key, value in (("x", x), ("y", y)) if value is not None} | more


def by_wavelength(fgs1: Mapping, airs: Mapping) -> list[dict]:
    """Return a trace on FGS1's axis and one on that of AIRS-CH0, which show one thing and hide together."""
    return [{**fgs1, "xaxis": "x", "showlegend": False}, {**airs, "xaxis": "x2"}]


def curve_and_point(
    values: np.ndarray, name: str, colour: str, *, dash: str = "", symbol: str = "circle", digits: int = 3
) -> list[dict]:
    """Return a quantity of all wavelengths (n_wavelength,) as a point for FGS1 and a line for AIRS-CH0."""
    dot = points([FGS1_WAVELENGTH], values[:1], name, colour, size=8.0, legendgroup=name)
    dot["marker"]["symbol"] = symbol
    return by_wavelength(dot, line(WAVELENGTHS, values[1:], name, colour, dash=dash, digits=digits, legendgroup=name))


def wavelength_axes(label: str, *, below: Mapping | None = None, **more: object) -> dict:
    """Return the layout of two axes of wavelengths beside each other.

    Args:
        label: of the axis of values.
        below: a second axis of values below the first, of the residuals, as plotly describes it.
        more: layout of plotly.
    """
    anchor = {"anchor": "y2"} if below is not None else {}
    layout = {
        "xaxis": {"domain": [0.0, _NARROW], "tickvals": [FGS1_WAVELENGTH], "range": [0.6, 0.8], **anchor},
        "xaxis2": {"domain": [_NARROW + _GAP, 1.0], "range": [1.92, 3.93], "title": axis_title("wavelength [µm]")},
        "yaxis": {"title": axis_title(label), "automargin": True},
    }
    layout["xaxis2"] |= anchor
    if below is not None:
        layout["yaxis"]["domain"] = [0.36, 1.0]
        layout["yaxis2"] = {"domain": [0.0, 0.3], "automargin": True, **below}
    return {**layout, **more}


def axes(x: str, y: str, **more: object) -> dict:
    """Return the layout of two axes with their labels."""
    return {
        "xaxis": {"title": axis_title(x), **_part(more, "xaxis")},
        "yaxis": {"title": axis_title(y), "automargin": True, **_part(more, "yaxis")},
        **more,
    }


def axis_title(text: str) -> dict:
    """Return an axis' title, which keeps its distance to the numbers."""
    return {"text": text, "standoff": 8}


def level(value: float, *, colour: str = QUIET, axis: str = "y", dash: str = "dot") -> dict:
    """Return a line across the whole figure at a value, to compare with; it lies below what is shown."""
    ends = {"x0": 0.0, "x1": 1.0, "y0": value, "y1": value, "xref": "paper", "yref": axis}
    return {"type": "line", "layer": "below", "line": {"color": colour, "width": 1, "dash": dash}, **ends}


def diagonal(low: float, high: float) -> dict:
    """Return the line on which both axes agree."""
    ends = {"x0": low, "x1": high, "y0": low, "y1": high}
    return {"type": "line", "layer": "below", "line": {"color": QUIET, "width": 1, "dash": "dot"}, **ends}


def _trace(x: object, y: Iterable[float], name: str, digits: int) -> dict:
    shown = {"name": name} if name else {"showlegend": False}
    return {"x": rounded(x) if isinstance(x, np.ndarray) else x, "y": rounded(y, digits), **shown}


def _part(options: dict, name: str) -> dict:
    part = options.pop(name, {})
    assert isinstance(part, dict)
    return part
