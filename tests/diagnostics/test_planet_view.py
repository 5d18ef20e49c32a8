"""A planet's pane: from the raw frame to the spectrum, and what is missing in words."""

import dataclasses

import numpy as np
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.diagnostics.planet_products import PlanetProducts
from spectramind_kit.diagnostics.planet_view import in_depth, planet_view, shortened, spectrum_figure

PLANET = 34983


@pytest.fixture
def shown(write_competition, fitted, white_noise, predicted):
    """The view of a planet, its products, and its competition folder."""
    folder = open_competition(write_competition())
    p = dataclasses.replace(predicted(2, split="train"), planet_ids=np.array([PLANET, 4294967311]))
    fit, curves = fitted(white_noise, planet=PLANET)
    products = PlanetProducts(folder.planet("train", PLANET), "train", (fit,), {0: curves})
    return planet_view(products, p, 100), products, folder


def test_every_planet_goes_from_light_curves_to_spectrum(shown):
    pane, _, _ = shown
    assert {step for step, figures in pane.figures.items() if figures} == {"light curves", "fit", "spectrum"}
    assert pane.corrections == {0: ("linearity", "flat")} and pane.fitted_visits == (0,)
    points = pane.figures["light curves"][0].traces[0]
    assert len(points["y"]) == 75 and len(pane.orbit[0].fitted) == 1


def test_planets_in_depth_have_frames_and_maps(shown):
    pane = in_depth(*shown)
    frames = pane.figures["raw frame"]
    assert [np.shape(frame.traces[0]["z"]) for frame in frames] == [(32, 32), (32, 89)]
    titles = [figure.title.split(",")[0] for figure in pane.figures["in depth"]]
    assert titles == [
        "Residuals in time and wavelength",
        "Correlation of depths",
        "Correlation of parameters",
        "Pointing",
    ]


def test_frames_that_cannot_be_read_are_a_sentence(shown):
    view, products, folder = shown
    for path in (folder.root / "train" / str(PLANET)).glob("FGS1_signal*"):
        path.write_bytes(b"damaged")
    pane = in_depth(view, products, folder)
    assert len(pane.figures["raw frame"]) == 1 and pane.remarks[0].startswith("no raw frame: FGS1 signal of planet")
    pane = in_depth(view, products, dataclasses.replace(folder, root=folder.root / "elsewhere"))
    assert pane.figures["raw frame"] == [] and len(pane.remarks) == 1


def test_the_axis_of_depths_leaves_out_a_wild_wavelength(fitted, white_noise, predicted):
    p = predicted(1)
    fit = fitted(white_noise)[0]
    depth = p.known[0].copy()
    depth[50] = 1.0
    low, high = spectrum_figure(p, 0, [dataclasses.replace(fit, depth=depth)]).layout["yaxis"]["range"]
    assert low < 100 * p.known[0].min() and 100 * np.delete(p.known[0], 50).max() < high < 10.0


def test_a_spectrum_without_truth_shows_none(predicted):
    figure = spectrum_figure(predicted(1, known=False), 0, [])
    assert "truth" not in {trace.get("name") for trace in figure.traces} and "yaxis2" not in figure.layout


def test_a_series_is_shortened_by_means_of_what_was_used():
    time, values = shortened(np.arange(6.0), np.array([1.0, 3.0, np.nan, 5.0, np.nan, np.nan]), 3)
    assert time.tolist() == [0.5, 2.5, 4.5] and values[:2].tolist() == [2.0, 5.0] and np.isnan(values[2])
