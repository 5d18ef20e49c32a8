"""Are the sigmas calibrated? Coverage, probability integral transform, reliability, errors by wavelength and depth."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from spectramind_kit.diagnostics import figure
from spectramind_kit.diagnostics.figure import AIRS_COLOUR, QUIET, TRUTH_COLOUR, Figure
from spectramind_kit.diagnostics.predictions import CHANNEL_PARTS, Predictions

PPM, PERCENT = 1e6, 1e2
WITHIN_ONE = 0.6826895
"""Part of normal errors within one sigma."""
_CALIBRATED = 2.0
"""Standard errors that a coverage may differ by and count as right."""
_FRACTIONS = np.linspace(0.02, 0.98, 49)
_PIT_EDGES = np.linspace(0.0, 1.0, 21)
_GROUPS = 12
"""Groups of equal size that sigmas are sorted into."""


@dataclass(frozen=True)
class Coverage:
    """How a channel's errors lie within its sigmas.

    Attributes:
        channel: its name.
        within_one: part of errors within one sigma [1].
        standard_error: of that, planets being what is independent [1]; NaN with one planet.
        scale: factor on sigma that would cover the part of errors that one sigma should [1].
        mean_square: mean z^2 [1].
    """

    channel: str
    within_one: float
    standard_error: float
    scale: float
    mean_square: float

    @property
    def is_calibrated(self) -> bool:
        """Whether the coverage is right as far as so many planets can tell."""
        return abs(self.within_one - WITHIN_ONE) <= _CALIBRATED * self.standard_error

    @property
    def verdict(self) -> str:
        """The verdict in words."""
        measured = f"{PERCENT * self.within_one:.0f} ± {PERCENT * self.standard_error:.0f} % within one sigma"
        if self.is_calibrated:
            return f"calibrated: {measured}, wanted 68 %"
        if self.within_one < WITHIN_ONE:
            return f"too small by about {self.scale:.2f} times: {measured}, wanted 68 %"
        return f"too large by about {1.0 / max(self.scale, 1e-3):.2f} times: {measured}, wanted 68 %"


def coverages(predictions: Predictions) -> list[Coverage]:
    """Return the coverage of both channels."""
    found = []
    for channel, part in CHANNEL_PARTS.items():
        size = np.abs(predictions.z[:, part])
        inside = (size <= 1.0).mean(axis=1)  # a planet's wavelengths err together, so planets are independent
        n = len(inside)
        # One wavelength is inside or not; the spread of so few is worse known than what chance must give.
        variance = WITHIN_ONE * (1.0 - WITHIN_ONE) if size.shape[1] == 1 else inside.var(ddof=min(1, n - 1))
        error = float(np.sqrt(variance / n)) if n > 1 else float("nan")
        scale, square = float(np.quantile(size, WITHIN_ONE)), float(np.square(size).mean())
        found.append(Coverage(channel, float(inside.mean()), error, scale, square))
    return found


def coverage_figure(predictions: Predictions) -> Figure:
    """Show how often the truth lies within the predicted interval, against the promised fraction."""
    traces = []
    for name, part in CHANNEL_PARTS.items():
        size = np.abs(predictions.z[:, part])
        inside = np.stack([(size <= norm.ppf(0.5 + p / 2)).mean(axis=1) for p in _FRACTIONS])
        observed, error = inside.mean(axis=1), inside.std(axis=1) / np.sqrt(inside.shape[1])
        colour = figure.CHANNEL_COLOURS[name]
        traces += figure.band(PERCENT * _FRACTIONS, PERCENT * (observed - error), PERCENT * (observed + error), colour)
        traces.append(figure.line(PERCENT * _FRACTIONS, PERCENT * observed, name, colour))
    layout = figure.axes("promised [%]", "observed [%]", shapes=[figure.diagonal(0.0, 100.0)])
    layout["xaxis"]["range"] = layout["yaxis"]["range"] = [0, 100]
    note = (
        "Part of the errors within the interval that should hold it. Below the line sigmas are too small; the bands"
        " are what so few planets leave open."
    )
    return Figure("Coverage", note, traces, layout, 320)


def pit_figure(predictions: Predictions) -> Figure:
    """Show the distribution of the probability integral transform: flat where predicted distributions are right."""
    traces, middle = [], 0.5 * (_PIT_EDGES[1:] + _PIT_EDGES[:-1])
    for name, part in CHANNEL_PARTS.items():
        place = norm.cdf(-predictions.z[:, part]).ravel()
        share = np.histogram(place, _PIT_EDGES)[0] / len(place) * (len(_PIT_EDGES) - 1)
        traces.append(figure.bars(middle, share, name, figure.CHANNEL_COLOURS[name]))
    layout = figure.axes("quantile of the truth", "density", shapes=[figure.level(1.0)])
    note = (
        "Where the truth lies in the predicted distribution. Flat is right. A bowl: sigmas too small; a hill: too "
        "large; a slope: depths predicted too deep or too shallow."
    )
    return Figure("Probability integral transform", note, traces, layout | {"barmode": "group", "bargap": 0.1}, 320)


def reliability_figure(predictions: Predictions) -> Figure:
    """Show the rms error of wavelengths whose sigmas are alike, against these sigmas."""
    traces, ends = [], []
    for name, part in CHANNEL_PARTS.items():
        sigma, error = predictions.sigma[:, part].ravel(), predictions.error[:, part].ravel()
        groups = np.array_split(np.argsort(sigma), min(_GROUPS, max(1, len(sigma) // 4)))
        x, y = (PPM * np.array([np.sqrt(np.square(v[g]).mean()) for g in groups]) for v in (sigma, error))
        traces.append(figure.points(x, y, name, figure.CHANNEL_COLOURS[name], size=7.0))
        ends += [x.min(), x.max(), y.max()]
    low, high = 0.8 * min(ends), 1.2 * max(ends)
    layout = figure.axes("rms sigma [ppm]", "rms error [ppm]", shapes=[figure.diagonal(low, high)])
    layout["xaxis"]["type"] = layout["yaxis"]["type"] = "log"
    note = "Errors sorted by their sigma, in groups. On the line large and small sigmas are right alike."
    return Figure("Reliability of large and small sigmas", note, traces, layout, 320)


def z_by_wavelength_figure(predictions: Predictions) -> Figure:
    """Show mean and rms of the standardised errors at each wavelength."""
    z, n = predictions.z, len(predictions.z)
    mean, rms = z.mean(axis=0), np.sqrt(np.square(z).mean(axis=0))
    error = z.std(axis=0) / np.sqrt(n)
    traces = [
        each | {"xaxis": "x2"}
        for each in figure.band(figure.WAVELENGTHS, (mean - error)[1:], (mean + error)[1:], AIRS_COLOUR)
    ]
    traces += figure.curve_and_point(mean, "mean", AIRS_COLOUR)
    traces += figure.curve_and_point(rms, "rms", TRUTH_COLOUR, dash="dot", symbol="x")
    layout = figure.wavelength_axes("error [sigma]", shapes=[figure.level(0.0), figure.level(1.0)])
    note = (
        "Over planets. The mean should be 0, the rms 1. Bands of molecules that stand out are priors that hold too "
        "hard."
    )
    return Figure("Standardised errors by wavelength", note, traces, layout, 280)


def z_by_depth_figure(predictions: Predictions) -> Figure:
    """Show the standardised errors of planets against their depth."""
    traces = []
    depth = PERCENT * predictions.known.mean(axis=1)
    ids = [str(planet) for planet in predictions.planet_ids]
    for name, part in CHANNEL_PARTS.items():
        mean = predictions.z[:, part].mean(axis=1)
        trace = figure.points(depth, mean, name, figure.CHANNEL_COLOURS[name], size=6.0, text=ids)
        traces.append(trace | {"hovertemplate": "planet %{text}: %{y:.2f} sigma"})
    levels = [figure.level(value, colour=QUIET) for value in (-2.0, 0.0, 2.0)]
    layout = figure.axes("true mean depth [%]", "mean error [sigma]", shapes=levels, planets=True)
    note = "Mean over each planet's wavelengths. Nineteen of twenty should lie between the outer lines."
    return Figure("Standardised errors by depth", note, traces, layout, 300)
