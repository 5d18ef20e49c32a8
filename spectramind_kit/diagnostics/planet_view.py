"""What a page shows of one planet, from its raw frame to its spectrum; drawn when it is opened.

    raw frame -> corrections -> light curves -> fit -> spectrum with its uncertainty

Planets in depth also get raw frames, a map of residuals, the pointing, and the correlations of what was fitted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from spectramind_kit.competition.folder import CompetitionFolder
from spectramind_kit.competition.frames import read_frame
from spectramind_kit.diagnostics import figure
from spectramind_kit.diagnostics.figure import AIRS_COLOUR, CHANNEL_COLOURS, QUIET, TRUTH_COLOUR, Figure
from spectramind_kit.diagnostics.orbit_table import OrbitRow, orbit_rows
from spectramind_kit.diagnostics.payload import rounded
from spectramind_kit.diagnostics.planet_products import PlanetProducts
from spectramind_kit.diagnostics.predictions import Predictions
from spectramind_kit.diagnostics.residuals import (
    WAVELENGTHS_IN_A_BIN,
    binned_residuals,
    inverse_variance,
    weighted_mean,
)
from spectramind_kit.errors import describe
from spectramind_kit.instruments import AIRS, CHANNELS, is_fgs1
from spectramind_kit.products import LightCurves, TransitFit

PPM, PERCENT, SECONDS_PER_HOUR = 1e6, 1e2, 3600.0
_FRAME_STEP = 4
"""Every so many detector columns of AIRS-CH0 a raw frame shows one."""
_MAP_TIMES = 60
"""Bins of time in a map of residuals."""


@dataclass(frozen=True)
class PlanetView:
    """What is shown of a planet.

    Attributes:
        corrections: that its light curves had, in order, by visit.
        fitted_visits: numbers of the visits that were fitted.
        orbit: its numbers beside the star table's, a column for each of these visits.
        figures: by step of the way from the frame to the spectrum.
        remarks: what could not be shown, in words.
    """

    corrections: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    fitted_visits: tuple[int, ...] = ()
    orbit: Sequence[OrbitRow] = ()
    figures: Mapping[str, Sequence[Figure]] = field(default_factory=dict)
    remarks: Sequence[str] = ()


def planet_view(products: PlanetProducts, predictions: Predictions, most_times: int) -> PlanetView:
    """Collect what is shown of every planet.

    Args:
        products: what is stored of it.
        predictions: of its split.
        most_times: points that a light curve is shown with, at most; neighbours are averaged.
    """
    place = int(np.flatnonzero(predictions.planet_ids == products.planet.planet_id)[0])
    figures = {
        "light curves": [light_curves_figure(products.curves[visit], most_times) for visit in products.curves],
        "fit": [fit_figure(fit, most_times) for fit in products.fits],
        "spectrum": [spectrum_figure(predictions, place, products.fits)],
    }
    return PlanetView(
        corrections={visit: curves.applied for visit, curves in products.curves.items()},
        fitted_visits=tuple(fit.visit for fit in products.fits),
        orbit=orbit_rows(products.planet, products.fits),
        figures=figures,
    )


def in_depth(view: PlanetView, products: PlanetProducts, folder: CompetitionFolder) -> PlanetView:
    """Return a view with what is large or slow, too: raw frames, maps, correlations.

    Args:
        view: of the planet.
        products: what is stored of it.
        folder: of the competition, for the raw frames.
    """
    frames, remarks = _frames(folder, products)
    deep = [each for fit in products.fits for each in _in_depth(fit, products.curves.get(fit.visit))]
    return replace(view, figures={**view.figures, "raw frame": frames, "in depth": deep}, remarks=remarks)


def spectrum_figure(predictions: Predictions, place: int, fits: Sequence[TransitFit]) -> Figure:
    """Show the predicted spectrum with its uncertainty, the depths of the fits before any prior, and the truth.

    Args:
        predictions: of a split.
        place: of the planet in them.
        fits: of its visits.
    """
    mean, sigma = PERCENT * predictions.mean[place], PERCENT * predictions.sigma[place]
    traces = []
    for fit in fits:
        name = "fit before the prior" if len(fits) == 1 else f"fit of visit {fit.visit} before the prior"
        dots = figure.points(figure.WAVELENGTHS, PERCENT * fit.depth[1:], name, f"{QUIET}/0.7", size=3.0, digits=2)
        dot = figure.points([0.7], PERCENT * fit.depth[:1], name, f"{QUIET}/0.7", size=6.0)
        dots["error_y"] = figure.errors(PERCENT * fit.sigma[1:]) | {"color": "$quiet/0.25"}
        dot["error_y"] = figure.errors(PERCENT * fit.sigma[:1]) | {"color": "$quiet/0.5"}
        traces += figure.by_wavelength(dot | {"legendgroup": name}, dots | {"legendgroup": name})
    traces += [
        each | {"xaxis": "x2"}
        for each in figure.band(
            figure.WAVELENGTHS, (mean - sigma)[1:], (mean + sigma)[1:], AIRS_COLOUR, "one sigma", digits=2
        )
    ]
    ours = figure.curve_and_point(mean, "predicted", AIRS_COLOUR, digits=2)
    ours[0] |= {"error_y": {"type": "data", "array": rounded(sigma[:1]), "thickness": 1.5, "width": 4}}
    ours[0]["marker"]["color"] = figure.FGS1_COLOUR
    traces += ours
    if predictions.truth is None:
        layout = figure.wavelength_axes("transit depth [%]")
        layout["yaxis"]["range"] = _depth_range(predictions, place, fits)
        return Figure("Spectrum", "Mean and one standard deviation of every wavelength.", traces, layout, 360)
    truth = PERCENT * predictions.truth[place]
    traces += figure.curve_and_point(truth, "truth", TRUTH_COLOUR, dash="dot", symbol="x", digits=2)
    z = predictions.z[place]
    below = [
        figure.bars([0.7], z[:1], "", figure.FGS1_COLOUR, yaxis="y2", width=[0.06]),
        figure.line(
            figure.WAVELENGTHS, z[1:], "", AIRS_COLOUR, yaxis="y2", fill="tozeroy", fillcolor="$airs/0.25", digits=2
        ),
    ]
    traces += figure.by_wavelength(*below)
    under = {"title": figure.axis_title("error [sigma]"), "range": [-1.1 * max(3.0, np.abs(z).max())] * 2}
    under["range"][1] *= -1.0
    layout = figure.wavelength_axes("transit depth [%]", below=under)
    layout["yaxis"]["range"] = _depth_range(predictions, place, fits)
    note = "Above: mean and one standard deviation of every wavelength. Below: predicted less true, in sigmas."
    return Figure("Spectrum", note, traces, layout, 460)


def _depth_range(predictions: Predictions, place: int, fits: Sequence[TransitFit]) -> list[float]:
    """Return where the axis of depths ends [%]: all of the prediction, and the fits but for a few wild wavelengths."""
    mean, sigma = predictions.mean[place], predictions.sigma[place]
    shown = [mean - 3.0 * sigma, mean + 3.0 * sigma]
    shown += [] if predictions.truth is None else [predictions.truth[place]]
    shown += [np.percentile(fit.depth, [2.0, 98.0]) for fit in fits] + [fit.depth[:1] for fit in fits]
    low, high = (PERCENT * float(end) for end in (min(map(np.min, shown)), max(map(np.max, shown))))
    return [low - 0.08 * (high - low), high + 0.08 * (high - low)]


def light_curves_figure(curves: LightCurves, most_times: int) -> Figure:
    """Show FGS1 and white AIRS-CH0 as they were measured, each over its median."""
    weight = (~is_fgs1(curves.wavelength)).astype(float)
    series = {"FGS1": curves.flux[:, 0], "AIRS-CH0": curves.flux @ weight}
    traces = []
    for name, flux in series.items():
        middle = float(np.nanmedian(flux))
        relative = flux / middle if middle > 0 else flux
        time, shown = shortened(curves.time / SECONDS_PER_HOUR, relative, most_times)
        axis = {"yaxis": "y"} if name == "FGS1" else {"yaxis": "y2"}
        traces.append(figure.points(rounded(time), shown, name, CHANNEL_COLOURS[name], size=3.5) | axis)
    layout = _two_panels("FGS1", "AIRS-CH0")
    note = "Electrons over their median, all wavelengths of AIRS-CH0 together, before star and drift are fitted."
    return Figure(f"Light curves, visit {curves.visit}", note, traces, layout, 320)


def fit_figure(fit: TransitFit, most_times: int) -> Figure:
    """Show data without star and drift, the fitted transit, and the residuals, for FGS1 and white AIRS-CH0."""
    weight, fgs1 = inverse_variance(fit.residual), is_fgs1(fit.wavelength)
    traces = []
    for name, part, (above, below) in (("FGS1", fgs1, ("y", "y2")), ("AIRS-CH0", ~fgs1, ("y3", "y4"))):
        flux, model = (weighted_mean(x[:, part], weight[part]) for x in (fit.flux, fit.model))
        model = np.where(np.isfinite(flux), model, np.nan)
        time, data = shortened(fit.time / SECONDS_PER_HOUR, flux, most_times)
        curve = shortened(fit.time / SECONDS_PER_HOUR, model, most_times)[1]
        time, colour = rounded(time), CHANNEL_COLOURS[name]
        traces.append(figure.points(time, data, name, colour, size=3.5, yaxis=above))
        traces.append(figure.line(time, curve, "fitted transit" if name == "FGS1" else "", TRUTH_COLOUR, yaxis=above))
        traces.append(figure.points(time, PPM * (data - curve), "", colour, size=3.0, yaxis=below))
    layout = {
        "xaxis": {"title": figure.axis_title("time [h]"), "anchor": "y4"},
        "yaxis": {"domain": [0.68, 1.0], "automargin": True, "title": figure.axis_title("FGS1")},
        "yaxis2": {"domain": [0.53, 0.65], "automargin": True, "title": figure.axis_title("ppm"), "nticks": 3},
        "yaxis3": {"domain": [0.15, 0.47], "automargin": True, "title": figure.axis_title("AIRS-CH0")},
        "yaxis4": {"domain": [0.0, 0.12], "automargin": True, "title": figure.axis_title("ppm"), "nticks": 3},
    }
    note = "Data over star and drift, the fitted transit, and below each what is left."
    return Figure(f"Fit, visit {fit.visit}", note, traces, layout, 480)


def shortened(time: np.ndarray, values: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a series with no more than so many points, each the mean of neighbours; NaN where all are lost.

    Args:
        time: (n_time,).
        values: (n_time,); NaN where a point was not used.
        most: points.
    """
    starts = np.arange(0, len(time), max(1, -(-len(time) // most)))
    used = np.isfinite(values)
    n = np.add.reduceat(used.astype(float), starts)
    mean = np.add.reduceat(np.where(used, values, 0.0), starts) / np.maximum(n, 1.0)
    return np.add.reduceat(time, starts) / np.diff(np.r_[starts, len(time)]), np.where(n > 0, mean, np.nan)


def _frames(folder: CompetitionFolder, products: PlanetProducts) -> tuple[list[Figure], list[str]]:
    """Return a raw frame of each channel of the first visit; a sentence where it cannot be read."""
    figures, remarks = [], []
    try:
        observation = folder.observations(products.split, products.planet.planet_id)[0]
    except Exception as error:
        return [], [f"no raw frame: {describe(error)}"]
    for name, channel in CHANNELS.items():
        columns = np.arange(0, channel.n_column, _FRAME_STEP if channel is AIRS else 1)
        try:
            counts = read_frame(observation, name, columns)
        except Exception as error:
            remarks.append(f"no raw frame: {describe(error)}")
            continue
        trace = figure.heat(counts, x=columns.tolist(), title="[ADU]", colorscale="Viridis")
        layout = figure.axes("detector column", "row")
        note = "The second read of the first exposure, as the file has it."
        if channel is AIRS:
            note += f" Every {_FRAME_STEP}th column is shown; wavelengths run from right to left."
        figures.append(Figure(f"Raw frame, {name}", note, [trace], layout, 260))
    return figures, remarks


def _in_depth(fit: TransitFit, curves: LightCurves | None) -> list[Figure]:
    """Return the map of residuals, the pointing, and the correlations of depths and parameters."""
    found = [_residual_map(fit), _depth_correlation(fit)]
    if len(fit.correlation_names) > 1:
        names = [name.replace("_", " ") for name in fit.correlation_names]
        trace = figure.heat(fit.correlation, x=names, y=names, limit=1.0)
        layout = figure.axes("", "", yaxis={"autorange": "reversed"})
        layout["xaxis"] |= {"automargin": True, "tickangle": -40}
        note = "Of the errors of orbit and limb darkening. Strong ones are what the star table could help with."
        found.append(Figure(f"Correlation of parameters, visit {fit.visit}", note, [trace], layout, 360))
    return found if curves is None or not curves.regressor_names else [*found, _pointing(curves)]


def _residual_map(fit: TransitFit) -> Figure:
    n_bin = min(_MAP_TIMES, len(fit.time))
    time_bin = np.arange(len(fit.time)) * n_bin // len(fit.time)
    z = binned_residuals(fit.residual, time_bin, n_bin)
    middle = rounded(np.array([fit.time[time_bin == place].mean() for place in range(n_bin)]) / SECONDS_PER_HOUR)
    wavelengths = f"@airs/{WAVELENGTHS_IN_A_BIN}"
    traces = [
        figure.heat(z[:, :1].T, x=middle, y=["FGS1"], limit=4.0, showscale=False),
        figure.heat(z[:, 1:].T, x=middle, y=wavelengths, limit=4.0, title="[sigma]", yaxis="y2"),
    ]
    layout = {
        "xaxis": {"title": figure.axis_title("time [h]")},
        "yaxis": {"domain": [0.0, 0.07], "type": "category", "automargin": True},
        "yaxis2": {"domain": [0.11, 1.0], "title": figure.axis_title("wavelength [µm]"), "automargin": True},
    }
    note = (
        "In standard deviations of white noise. Columns of one colour are moments, rows wavelengths that the fit "
        "missed."
    )
    return Figure(f"Residuals in time and wavelength, visit {fit.visit}", note, traces, layout, 340)


def _depth_correlation(fit: TransitFit) -> Figure:
    starts = np.r_[0, np.arange(1, len(fit.depth), WAVELENGTHS_IN_A_BIN)]
    covariance = np.add.reduceat(np.add.reduceat(fit.covariance, starts, axis=0), starts, axis=1)
    size = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(size, size)
    wavelengths = f"@airs/{WAVELENGTHS_IN_A_BIN}"
    trace = figure.heat(correlation[1:, 1:], x=wavelengths, y=wavelengths, limit=1.0)
    layout = figure.axes("wavelength [µm]", "wavelength [µm]")
    note = "Of the errors of AIRS-CH0's depths: what orbit, limb darkening and drift move together."
    return Figure(f"Correlation of depths, visit {fit.visit}", note, [trace], layout, 360)


def _pointing(curves: LightCurves) -> Figure:
    traces, ticks = [], []
    time = rounded(curves.time / SECONDS_PER_HOUR)
    for place, (name, series) in enumerate(zip(curves.regressor_names, curves.regressors.T)):
        centred = 1e3 * (series - np.nanmedian(series))
        size = max(float(np.nanpercentile(np.abs(centred), 98.0)), 1e-9)
        channel = "FGS1" if name.startswith("fgs1") else "AIRS-CH0"
        traces.append(figure.line(time, -place + 0.5 * centred / size, "", CHANNEL_COLOURS[channel]))
        ticks.append(f"{name.replace('_', ' ')}, ±{size:.2g}")
    layout = figure.axes("time [h]", "")
    layout["yaxis"] |= {"tickvals": [-place for place in range(len(ticks))], "ticktext": ticks}
    note = "Centroids and widths of the image less their medians, in 1/1000 pixel beside each: the fit's regressors."
    return Figure(f"Pointing, visit {curves.visit}", note, traces, layout, 360)


def _two_panels(upper: str, lower: str) -> dict:
    return {
        "xaxis": {"title": figure.axis_title("time [h]"), "anchor": "y2"},
        "yaxis": {"domain": [0.53, 1.0], "title": figure.axis_title(upper), "automargin": True},
        "yaxis2": {"domain": [0.0, 0.47], "title": figure.axis_title(lower), "automargin": True},
    }
