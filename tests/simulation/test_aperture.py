"""The aperture in closed form against the photometry it stands for."""

import numpy as np
import pytest

from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.photometry.extraction import aperture_weights
from spectramind_kit.photometry.window import aperture
from spectramind_kit.simulation.aperture import aperture_flux, channel_aperture, extraction_weights, measured
from spectramind_kit.simulation.cadence import OBSERVATION_TIME, Cadence
from spectramind_kit.simulation.simulated_folder import draw_systems
from spectramind_kit.simulation.visit import channel_light

CADENCES = {AIRS.name: Cadence(AIRS, 75), FGS1.name: Cadence(FGS1, 900)}


@pytest.fixture(scope="module", params=list(CADENCES))
def seen(request, config):
    """The light of a channel, and its aperture."""
    cadence, rng = CADENCES[request.param], np.random.default_rng(1)
    system = draw_systems(1, 0, 8, "2025")["train"][0]
    light = channel_light(system, OBSERVATION_TIME / 2, cadence, config.simulation, 7e4, rng)
    return request.param, light, channel_aperture(light, cadence, config.photometry)


def test_weights_are_those_of_the_extraction(seen):
    _, _, a = seen
    variance = a.variance(13.0)
    templates = np.concatenate([a.image[None], a.changes])
    theirs = aperture_weights(templates, variance, np.ones(variance.shape, bool), 0.0)
    assert extraction_weights(a, variance, "optimal") == pytest.approx(theirs, rel=1e-6, abs=1e-8)
    assert (extraction_weights(a, variance, "sum") == 1.0).all()


def test_flux_is_the_sum_of_the_apertures_pixels(seen, config):
    channel, light, a = seen
    rows = np.stack([light.on_row(row) - light.foreground[:, None] for row in range(light.image.shape[0])])
    first, stop = (AIRS if channel == AIRS.name else FGS1).science_columns
    window = aperture(channel, config.photometry)
    summed = (rows[:, first:stop] * window[:, :, None]).sum(axis=0)
    summed = summed if channel == AIRS.name else summed.sum(axis=0, keepdims=True)
    assert aperture_flux(a) == pytest.approx(summed, rel=1e-4)


def test_noise_of_flux_and_centroid_is_that_of_drawn_pixels(seen):
    """Draw every pixel of a still star many times, and weigh and divide as the photometry does."""
    channel, _, a = seen
    rng = np.random.default_rng(2)
    n, one = 1500, slice(0, 1)
    still = type(a)(
        a.image[:, one],
        a.changes[:, :, one],
        a.foreground[one],
        np.full((1, n), a.star[0].mean()),
        np.zeros((len(a.shift), n)),
        a.place,
    )
    variance = still.variance(13.0) / 15
    weights = extraction_weights(still, variance, "optimal")
    pixels = (
        still.star[0, 0] * still.image + still.foreground + np.sqrt(variance) * rng.standard_normal((len(weights), n))
    )
    drawn = (weights * (pixels - still.foreground)).sum(axis=0)
    centre = (still.place[0][:, None] * pixels).sum(axis=0) / pixels.sum(axis=0)
    flux, series = measured(still, channel, weights, variance, rng)
    ours = next(iter(series.values()))
    assert flux.mean() == pytest.approx(drawn.mean(), rel=3e-3) and ours.mean() == pytest.approx(
        centre.mean(), abs=5e-3
    )
    assert flux.std() == pytest.approx(drawn.std(), rel=0.08) and ours.std() == pytest.approx(centre.std(), rel=0.08)
    assert np.corrcoef(flux[0], ours)[0, 1] == pytest.approx(np.corrcoef(drawn, centre)[0, 1], abs=0.1)
