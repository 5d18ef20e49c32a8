"""calibrate(simulate(x)) is x: effect by effect, and all of them together."""

import numpy as np
import pytest

from spectramind_kit.calibration.adc import counts_to_electrons
from spectramind_kit.calibration.cds import correlated_double_sampling
from spectramind_kit.calibration.cosmic_rays import find_cosmic_rays, remove_cosmic_rays
from spectramind_kit.calibration.dark_current import subtract_dark
from spectramind_kit.calibration.flat_field import divide_flat
from spectramind_kit.calibration.linearity import linearise
from spectramind_kit.calibration.pipeline import calibrate
from spectramind_kit.config import load_config
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.products import RawCube
from spectramind_kit.simulation import detector
from spectramind_kit.simulation.cadence import Cadence
from spectramind_kit.simulation.calibration_frames import draw_calibration_frames

GAIN, OFFSET = 0.4369, -1000.0
N_PIXEL, N_EXPOSURE = 400, 500


@pytest.fixture
def rng():
    return np.random.default_rng(8)


@pytest.fixture(scope="module", params=[AIRS, FGS1], ids=lambda channel: channel.name)
def channel(request):
    return request.param


@pytest.fixture(scope="module")
def frames(channel):
    return draw_calibration_frames(channel, GAIN, OFFSET, 13.0, np.random.default_rng(4))


@pytest.fixture(scope="module")
def pixels(channel):
    """Rows and columns of some pixels, spread over the detector."""
    some = np.random.default_rng(1).choice(channel.n_pixel, N_PIXEL, replace=False)
    return some // channel.n_column, some % channel.n_column


@pytest.fixture(scope="module")
def light():
    """Light per exposure from faint to bright pixels, with a transit, (n_pixel, n_exposure) [e-]."""
    curve = np.ones(N_EXPOSURE)
    curve[200:300] = 0.98
    return (np.geomspace(5.0, 2e4, N_PIXEL)[:, None] * curve).astype(np.float32)


def test_converter_loses_less_than_a_step_and_never_gains(rng):
    electrons = rng.uniform(0, 1e5, (50, 200)).astype(np.float32)
    back = counts_to_electrons(detector.to_counts(electrons, GAIN, OFFSET), GAIN, OFFSET)
    lost = electrons - back
    assert lost.min() > -0.05 and lost.max() < 1 / GAIN + 0.05
    assert lost.mean() == pytest.approx(0.5 / GAIN, rel=0.02)


def test_polynomial_undoes_the_detectors_bend(frames, pixels, light):
    coefficients = frames.at(*pixels).linearity
    bent = detector.invert_linearity(4 * light, coefficients)
    assert np.abs(bent - 4 * light).max() > 50
    np.testing.assert_allclose(linearise(bent, coefficients), 4 * light, atol=0.1)


def test_dark_and_the_two_reads_leave_the_light(channel, frames, pixels, light):
    dark = frames.at(*pixels).dark + 5.0
    first, added = detector.expected_reads(light, dark, channel)
    reads = np.stack([first, first + added], axis=2).reshape(N_PIXEL, -1)
    clean = subtract_dark(reads, dark, channel.time_since_reset(2 * N_EXPOSURE))
    np.testing.assert_allclose(correlated_double_sampling(clean), light, rtol=2e-5, atol=0.02)


def test_flat_undoes_the_response(frames, pixels, light):
    table = frames.at(*pixels)
    seen = detector.apply_response(light, table.flat, table.dead)
    corrected = divide_flat(seen, table.flat, ~table.dead)
    np.testing.assert_allclose(corrected[~table.dead], light[~table.dead], rtol=1e-6)
    assert (seen[table.dead] == 0).all()


@pytest.mark.parametrize("n_average", [1, 25])
def test_cosmic_rays_go_and_the_light_stays(rng, light, n_average):
    noisy = detector.draw_photons(light, n_average, rng)
    pixel, exposure = detector.draw_cosmic_rays(N_PIXEL, N_EXPOSURE, 60.0, rng)
    struck = detector.add_cosmic_rays(noisy, pixel, exposure, n_average)
    variance = light / n_average
    hit = find_cosmic_rays(struck, variance, 8.0)
    assert set(zip(*np.nonzero(hit))) == set(zip(pixel.tolist(), exposure.tolist()))
    cleaned = remove_cosmic_rays(struck, hit)
    transit_step = 0.02 * light
    assert (np.abs(cleaned - noisy)[hit] < (6 * np.sqrt(variance) + transit_step)[hit] + 1).all()


@pytest.mark.parametrize("n_average", [1, 25])
def test_all_effects_together(channel, frames, pixels, light, rng, n_average):
    """Unbiased light whose scatter is the calibrated cube's own variance, cosmic rays and hot pixels included."""
    table = frames.at(*pixels)
    hits = detector.draw_cosmic_rays(N_PIXEL, N_EXPOSURE, 20.0, rng)
    counts = detector.read_out(light, table, channel, hits, n_average, rng)
    start = Cadence(channel, n_average).frame_times()[: 2 * N_EXPOSURE]
    if len(start) < 2 * N_EXPOSURE:
        start = np.arange(N_EXPOSURE).repeat(2) * channel.pair_period * n_average
    cube = calibrate(RawCube(channel.name, counts, *pixels, start), frames, load_config().calibration)
    good = cube.good
    np.testing.assert_array_equal(good, ~table.dead)
    error = (cube.signal - light)[good]
    # The converter's own noise (a step over root twelve, in both reads) is all that the variance leaves out.
    step = 2 / (12 * GAIN**2) if n_average == 1 else 0.0
    z = error / np.sqrt(cube.variance[good] + step)
    assert np.sqrt(np.mean(z**2)) == pytest.approx(1.0, abs=0.01)
    bias = error.mean(axis=1) / np.sqrt(cube.variance[good].mean(axis=1) / N_EXPOSURE)
    assert np.abs(bias.mean()) < 5 / np.sqrt(len(bias)) + 0.02
    relative = error.sum() / light[good].sum()
    assert abs(relative) < 3e-4


@pytest.mark.parametrize("name, by", [("linearity", 5), ("flat", 20)])
def test_leaving_a_correction_out_shows(channel, frames, pixels, light, rng, name, by):
    """Without it the mean light of bright pixels is wrong by many times its noise."""
    nowhere = np.empty(0, dtype=int), np.empty(0, dtype=int)
    counts = detector.read_out(light, frames.at(*pixels), channel, nowhere, 1, rng)
    start = np.arange(N_EXPOSURE).repeat(2) * channel.pair_period
    cube = RawCube(channel.name, counts, *pixels, start)
    bright = light[:, 0] > 5e3

    def wrong_by(*overrides):
        result = calibrate(cube, frames, load_config(overrides).calibration)
        chosen = result.good & bright
        error = (result.signal - light)[chosen].mean(axis=1)
        return np.sqrt(np.mean(error**2 / (result.variance[chosen].mean(axis=1) / N_EXPOSURE)))

    assert wrong_by() < 1.2
    assert wrong_by(f"calibration.{name}=false") > by
