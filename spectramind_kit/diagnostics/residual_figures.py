"""Figures of what the fits leave: averaging, power, maps of time and wavelength, pointing, channels, visits."""

from collections.abc import Sequence

import numpy as np

from spectramind_kit.diagnostics import figure
from spectramind_kit.diagnostics.figure import AIRS_COLOUR, CHANNEL_COLOURS, Figure
from spectramind_kit.diagnostics.payload import rounded
from spectramind_kit.diagnostics.planet_digest import VisitDepths
from spectramind_kit.diagnostics.predictions import CHANNEL_PARTS
from spectramind_kit.diagnostics.residuals import (
    FREQUENCY_EDGES,
    PHASE_EDGES,
    SCALES,
    WAVELENGTHS_IN_A_BIN,
    ResidualStatistics,
)

PPM, PERCENT = 1e6, 1e2
CHANNELS = tuple(CHANNEL_PARTS)


def residual_figures(residuals: Sequence[ResidualStatistics]) -> list[Figure]:
    """Return the figures of the residuals of all visits."""
    found = [averaging_figure(residuals), power_figure(residuals), beta_by_wavelength_figure(residuals)]
    found.append(phase_map_figure(residuals))
    return [*found, pointing_figure(residuals)] if any(one.pointing for one in residuals) else found


def averaging_figure(residuals: Sequence[ResidualStatistics]) -> Figure:
    """Show by how much residuals scatter more than white noise when they are averaged."""
    traces = []
    for place, name in enumerate(CHANNELS):
        betas = np.array([one.beta[place] for one in residuals])
        traces += _spread(SCALES, betas, name)
    layout = figure.axes("averaged over [min]", "beta", shapes=[figure.level(1.0)])
    layout["xaxis"] |= {"type": "log", "tickvals": SCALES.tolist()}
    layout["yaxis"]["rangemode"] = "tozero"
    note = (
        "Scatter of averages over that of white noise: 1 is white, more is correlated noise. Over long times the "
        "fit's drift takes noise along, and beta falls. Lines are medians of visits, bands hold two thirds."
    )
    return Figure("Do residuals average down?", note, traces, layout, 300)


def power_figure(residuals: Sequence[ResidualStatistics]) -> Figure:
    """Show the power spectrum of the white-light residuals."""
    traces, frequency = [], np.sqrt(FREQUENCY_EDGES[1:] * FREQUENCY_EDGES[:-1])
    for place, name in enumerate(CHANNELS):
        traces += _spread(frequency, np.array([one.power[place] for one in residuals]), name)
    layout = figure.axes("frequency [1/h]", "power over white noise", shapes=[figure.level(1.0)])
    layout["xaxis"]["type"] = "log"
    layout["yaxis"]["rangemode"] = "tozero"
    note = (
        "White-light residuals of all visits. Peaks are periodic disturbances, a rise to the left is drift that stayed."
    )
    return Figure("Power of the residuals", note, traces, layout, 300)


def phase_map_figure(residuals: Sequence[ResidualStatistics]) -> Figure:
    """Show the mean residuals of all visits as a map of phase and wavelength."""
    maps = np.stack([one.phase_map for one in residuals])
    used = np.isfinite(maps)
    n = used.sum(axis=0)
    together = np.where(n > 0, np.where(used, maps, 0.0).sum(axis=0) / np.sqrt(np.maximum(n, 1)), np.nan)
    phase = 0.5 * (PHASE_EDGES[1:] + PHASE_EDGES[:-1])
    traces = [
        figure.heat(together[:, :1].T, x=rounded(phase), y=["FGS1"], limit=5.0, showscale=False, yaxis="y"),
        figure.heat(
            together[:, 1:].T,
            x=rounded(phase),
            y=f"@airs/{WAVELENGTHS_IN_A_BIN}",
            limit=5.0,
            title="[sigma]",
            yaxis="y2",
        ),
    ]
    layout = {
        "xaxis": {"title": figure.axis_title("time from mid-transit [half durations]")},
        "yaxis": {"domain": [0.0, 0.07], "type": "category", "automargin": True},
        "yaxis2": {"domain": [0.11, 1.0], "title": figure.axis_title("wavelength [µm]"), "automargin": True},
        "shapes": [_upright(-1.0), _upright(1.0)],
    }
    note = (
        "Residuals of all visits added up, in standard deviations of white noise: only chance should be left. "
        "Stripes at ±1 are wrong contacts, a frown between them wrong limb darkening."
    )
    return Figure("What the fits leave, all visits together", note, traces, layout, 380)


def beta_by_wavelength_figure(residuals: Sequence[ResidualStatistics]) -> Figure:
    """Show the excess scatter over 20 min at each wavelength."""
    betas = np.array([one.beta_by_wavelength for one in residuals])
    low, middle, high = _percentiles(betas)
    traces = [
        each | {"xaxis": "x2"}
        for each in figure.band(figure.WAVELENGTHS, low[1:], high[1:], AIRS_COLOUR, "two thirds of the visits")
    ]
    traces += figure.curve_and_point(middle, "median", AIRS_COLOUR)
    layout = figure.wavelength_axes("beta over 20 min", shapes=[figure.level(1.0)])
    return Figure("Correlated noise by wavelength", "1 is white noise.", traces, layout, 260)


def pointing_figure(residuals: Sequence[ResidualStatistics]) -> Figure:
    """Show the correlation of the white residuals with what follows the pointing."""
    names = list(dict.fromkeys(name for one in residuals for name in one.pointing))
    traces = []
    for place, channel in enumerate(CHANNELS):
        pairs = [(name, one.pointing[name][place], one) for name in names for one in residuals if name in one.pointing]
        trace = {"type": "box", "x": [name.replace("_", " ") for name, _, _ in pairs], "name": channel}
        trace |= {
            "y": rounded([value for _, value, _ in pairs]),
            "marker": {"color": CHANNEL_COLOURS[channel], "size": 3},
        }
        traces.append(trace | {"boxpoints": "outliers", "line": {"width": 1.2}})
    chance = 2.0 / np.sqrt(max(1.0, float(np.median([one.n_time for one in residuals]))))
    layout = figure.axes("", "correlation", shapes=[figure.level(chance), figure.level(-chance), figure.level(0.0)])
    layout["yaxis"]["range"] = [-max(0.5, 2 * chance), max(0.5, 2 * chance)]
    layout["xaxis"]["automargin"] = True
    note = (
        "Of each visit's white-light residuals with centroids and widths of the image. Between the outer lines is "
        "what chance gives; beyond, light follows the pointing."
    )
    return Figure("Do residuals follow the pointing?", note, traces, layout | {"boxmode": "group"}, 320)


def channels_figure(depths: Sequence[VisitDepths]) -> Figure | None:
    """Show the depth of FGS1 less that of AIRS-CH0 as the fits see them; None without a fit."""
    if not depths:
        return None
    level, difference, sigma = np.array([(d.airs_level, d.difference, d.difference_sigma) for d in depths]).T
    trace = figure.points(PERCENT * level, PERCENT * difference / level, "", AIRS_COLOUR, size=5.0)
    trace |= {"error_y": figure.errors(PERCENT * sigma / level), "text": [str(d.planet_id) for d in depths]}
    trace["hovertemplate"] = "planet %{text}: %{y:.2f} %"
    layout = figure.axes("depth of AIRS-CH0 [%]", "FGS1 less AIRS-CH0 [% of the depth]", planets=True)
    note = (
        "As measured, before any prior. Hazes raise FGS1 by a few per cent; more is saturated, diluted or badly "
        "subtracted light."
    )
    return Figure("FGS1 against AIRS-CH0", note, [trace], layout | {"shapes": [figure.level(0.0)]}, 300)


def visits_figure(depths: Sequence[VisitDepths]) -> Figure | None:
    """Show how planets' later visits differ from their first; None where no planet has two."""
    first: dict[int, VisitDepths] = {}
    pairs = [(first[d.planet_id], d) for d in depths if first.setdefault(d.planet_id, d) is not d]
    if not pairs:
        return None
    ids, traces = [str(later.planet_id) for _, later in pairs], []
    for place, name in enumerate(CHANNELS):
        difference = np.array([later.mean[place] - before.mean[place] for before, later in pairs])
        sigma = np.sqrt([later.variance[place] + before.variance[place] for before, later in pairs])
        trace = figure.points(ids, difference / sigma, name, CHANNEL_COLOURS[name], size=8.0)
        traces.append(trace | {"text": ids, "customdata": rounded(PPM * difference, 2)})
        traces[-1]["hovertemplate"] = "planet %{text}: %{y:.1f} sigma, %{customdata} ppm"
    levels = [figure.level(value) for value in (-2.0, 0.0, 2.0)]
    layout = figure.axes("planet", "later less first visit [sigma]", shapes=levels, planets=True)
    layout["xaxis"] |= {"type": "category", "automargin": True}
    note = (
        "Mean depth of each channel. Star spots and drift make visits differ; the answer's sigma is widened where "
        "they do."
    )
    return Figure("Visits against each other", note, traces, layout, 280)


def _spread(x: np.ndarray, values: np.ndarray, name: str) -> list[dict]:
    """Return median and band of visits (n_visit, n_x)."""
    low, middle, high = _percentiles(values)
    there = np.isfinite(middle)
    x, low, middle, high = x[there], low[there], middle[there], high[there]
    colour = CHANNEL_COLOURS[name]
    return [*figure.band(x, low, high, colour), figure.line(x, middle, name, colour)]


def _percentiles(values: np.ndarray) -> np.ndarray:
    """Return the 16th, 50th and 84th percentile over visits of what is finite, (3, n); NaN where nothing is."""
    found = np.full((3, values.shape[1]), np.nan)
    for place, column in enumerate(values.T):
        finite = column[np.isfinite(column)]
        if finite.size:
            found[:, place] = np.percentile(finite, [16.0, 50.0, 84.0])
    return found


def _upright(x: float) -> dict:
    ends = {"x0": x, "x1": x, "y0": 0.0, "y1": 1.0, "yref": "paper"}
    return {"type": "line", "line": {"color": figure.QUIET, "width": 1, "dash": "dot"}, **ends}
