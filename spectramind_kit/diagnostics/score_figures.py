"""Figures of the score: by planet, channel and wavelength, against fit alone, the population, and other runs."""

from collections.abc import Mapping

import numpy as np

from spectramind_kit.diagnostics import figure
from spectramind_kit.diagnostics.figure import AIRS_COLOUR, FIT_COLOUR, QUIET, TRUTH_COLOUR, Figure
from spectramind_kit.diagnostics.payload import rounded
from spectramind_kit.diagnostics.predictions import CHANNEL_PARTS, Predictions

PPM, PERCENT = 1e6, 1e2
MAP_BIN = 4
"""Wavelengths of AIRS-CH0 in a bin of the map of errors."""
_MOST_LABELLED = 45
"""Planets whose numbers fit beside a map."""
AS_PREDICTED, FIT_ALONE, POPULATION_ALONE = "as predicted", "fit and prior alone", "population alone"
"""Ways of predicting the same planets."""
_STYLES = {AS_PREDICTED: (AIRS_COLOUR, ""), FIT_ALONE: (FIT_COLOUR, "dash"), POPULATION_ALONE: (QUIET, "dot")}


def score_table(answers: Mapping[str, Predictions]) -> list[dict]:
    """Return a row for each way of predicting the same planets: its score, and that of each channel alone.

    Args:
        answers: by name; the first is that of the run.
    """
    rows, ours = [], next(iter(answers.values()))
    for name, p in answers.items():
        paired = p.planet_scores - ours.planet_scores
        error = float(paired.std(ddof=1) / np.sqrt(len(paired))) if len(paired) > 1 else None
        rows.append(
            {
                "name": name,
                "score": p.score,
                "channels": {c: float(p.element_scores[:, part].mean()) for c, part in CHANNEL_PARTS.items()},
                "error": {
                    c: PPM * float(np.sqrt(np.square(p.error[:, part]).mean())) for c, part in CHANNEL_PARTS.items()
                },
                "sigma": {
                    c: PPM * float(np.sqrt(np.square(p.sigma[:, part]).mean())) for c, part in CHANNEL_PARTS.items()
                },
                "difference": None if p is ours else float(paired.mean()),
                "difference_error": None if p is ours else error,
            }
        )
    return rows


def planet_scores_figure(answers: Mapping[str, Predictions]) -> Figure:
    """Show what each planet adds to the score, sorted, by each way of predicting."""
    ours = next(iter(answers.values()))
    order = np.argsort(ours.planet_scores)
    ids = [str(planet) for planet in ours.planet_ids[order]]
    rank = np.arange(1, len(ids) + 1)
    traces = []
    for name, p in answers.items():
        values = p.planet_scores[order]
        trace = figure.points(rank, values, name, _STYLES[name][0], size=6.0 if p is ours else 4.0, text=ids)
        trace["hovertemplate"] = "planet %{text}: %{y:.3f}"
        traces.insert(0, trace | {"opacity": 1.0 if p is ours else 0.75})
    lowest = float(min(np.min(p.planet_scores) for p in answers.values()))
    layout = figure.axes("planets, worst first", "score of the planet", shapes=[figure.level(0.0), figure.level(1.0)])
    layout["yaxis"]["range"] = [max(-1.05, min(-0.05, lowest - 0.05)), 1.05]
    note = "Their mean is the score. 1 is an ideal answer, 0 the training mean for all; points far below 0 are cut off."
    return Figure("Score of each planet", note + " Click a planet to open it.", traces, layout | {"planets": True}, 300)


def wavelength_scores_figure(answers: Mapping[str, Predictions]) -> Figure:
    """Show the mean score of each wavelength by each way of predicting."""
    traces = []
    for name, p in list(answers.items())[::-1]:
        colour, dash = _STYLES[name]
        traces += figure.curve_and_point(p.element_scores.mean(axis=0), name, colour, dash=dash)
    layout = figure.wavelength_axes("mean score")
    layout["yaxis"]["range"] = [min(0.0, *(float(p.element_scores.mean(axis=0).min()) for p in answers.values())), 1.02]
    note = "Mean over planets of each wavelength's score. In the 2025 metric FGS1 counts as much as 58 wavelengths."
    return Figure("Score by wavelength", note, traces, layout, 300)


def errors_figure(predictions: Predictions) -> Figure:
    """Show rms error and rms sigma at each wavelength."""
    error, sigma = (PPM * np.sqrt(np.square(x).mean(axis=0)) for x in (predictions.error, predictions.sigma))
    traces = figure.curve_and_point(error, "rms error", AIRS_COLOUR)
    traces += figure.curve_and_point(sigma, "rms sigma", TRUTH_COLOUR, dash="dot", symbol="x")
    layout = figure.wavelength_axes("[ppm]")
    layout["yaxis"]["rangemode"] = "tozero"
    note = "Over planets, at each wavelength. Where the error lies above sigma, sigmas are too small there."
    return Figure("Errors and sigmas by wavelength", note, traces, layout, 280)


def parity_figure(predictions: Predictions) -> Figure:
    """Show the error of each planet's mean depth against the true depth, per channel."""
    traces = []
    for name, part in CHANNEL_PARTS.items():
        true = predictions.known[:, part].mean(axis=1)
        error, sigma = (x[:, part].mean(axis=1) for x in (predictions.error, predictions.sigma))
        colour = figure.CHANNEL_COLOURS[name]
        trace = figure.points(PERCENT * true, PPM * error, name, colour, size=5.0)
        trace |= {"error_y": figure.errors(PPM * sigma), "text": [str(p) for p in predictions.planet_ids]}
        traces.append(trace | {"hovertemplate": "planet %{text}: %{y:.0f} ppm"})
    layout = figure.axes("true mean depth [%]", "error [ppm]", shapes=[figure.level(0.0)], planets=True)
    note = "Error of the mean depth of each channel; the bars are mean sigmas. A slope would be a wrong gain."
    return Figure("Error against depth", note, traces, layout, 300)


def error_map_figure(predictions: Predictions) -> Figure:
    """Show standardised errors as a map of planets and wavelengths, worst planet first."""
    order = np.argsort(predictions.planet_scores)
    z, ids = predictions.z[order], [str(planet) for planet in predictions.planet_ids[order]]
    starts = np.arange(1, z.shape[1], MAP_BIN)
    airs = np.add.reduceat(z, starts, axis=1) / np.diff(np.r_[starts, z.shape[1]])
    fgs1 = figure.heat(z[:, :1], x=["FGS1"], y=ids, limit=4.0, showscale=False, xaxis="x")
    right = figure.heat(airs, x=f"@airs/{MAP_BIN}", y=ids, limit=4.0, title="error [sigma]", xaxis="x2")
    layout = figure.wavelength_axes("planets, worst first")
    layout["xaxis"] = {"domain": [0.0, 0.06], "type": "category"}
    layout["xaxis2"]["tickvals"] = [2.5, 3.0, 3.5]  # beside a map "FGS1" needs the room of the first
    layout["yaxis"] |= {"type": "category", "autorange": "reversed", "showticklabels": len(ids) <= _MOST_LABELLED}
    note = (
        "Predicted less true depth in units of sigma. Rows of one colour are wrong levels, columns wrong wavelengths."
    )
    height = int(np.clip(120 + 13 * len(ids), 260, 760))
    return Figure("Errors, planet by planet", note, [fgs1, right], layout | {"planets": True}, height)


def answers_figure(predictions: Predictions, labels: np.ndarray | None) -> Figure:
    """Show the distribution of predicted mean depths beside that of the training labels.

    Args:
        predictions: of a split, its truth known or not.
        labels: (n_label, n_wavelength) training labels [(Rp/Rs)^2]; None where there are none.
    """
    shown = {"predicted": (PERCENT * predictions.mean.mean(axis=1), AIRS_COLOUR)}
    if labels is not None:
        shown["training labels"] = (PERCENT * labels.mean(axis=1), QUIET)
    every = np.concatenate([values for values, _ in shown.values()])
    edges = np.linspace(every.min(), every.max() + 1e-9, int(np.clip(np.sqrt(len(every)) * 2, 8, 40)) + 1)
    middle, traces = 0.5 * (edges[1:] + edges[:-1]), []
    for name, (values, colour) in shown.items():
        share = np.histogram(values, edges)[0] / len(values)
        traces.append(figure.line(middle, PERCENT * share, name, colour, line={"shape": "hvh", "color": colour}))
    note = "Planets that are unlike the training planets are where priors and networks help least."
    return Figure("Predicted depths", note, traces, figure.axes("mean depth [%]", "planets [%]"), 260)


def sigma_figure(predictions: Predictions) -> Figure:
    """Show the sigmas of all planets by wavelength: median, and where two thirds of the planets lie."""
    low, middle, high = (PPM * each for each in np.percentile(predictions.sigma, [16.0, 50.0, 84.0], axis=0))
    traces = [
        trace | {"xaxis": "x2"}
        for trace in figure.band(figure.WAVELENGTHS, low[1:], high[1:], AIRS_COLOUR, "two thirds of the planets")
    ]
    traces += figure.curve_and_point(middle, "median", AIRS_COLOUR)
    traces[-2] |= {
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": rounded(high[:1] - middle[:1]),
            "arrayminus": rounded(middle[:1] - low[:1]),
        }
    }
    layout = figure.wavelength_axes("sigma [ppm]")
    layout["yaxis"]["rangemode"] = "tozero"
    return Figure("Predicted sigmas", "One standard deviation of each wavelength's depth.", traces, layout, 260)
