"""The chain as a whole: what it recovers, what each switch changes, and the figures of the real frames."""

import dataclasses

import numpy as np
import pytest

from spectramind_kit.calibration.adc import counts_to_electrons
from spectramind_kit.calibration.bad_pixels import find_hot_pixels
from spectramind_kit.calibration.linearity import linearise
from spectramind_kit.calibration.pipeline import averaged_pairs, calibrate
from spectramind_kit.competition.folder import open_competition
from spectramind_kit.competition.frames import decode_pixels, detector_pixels, read_calibration_frames
from spectramind_kit.config import load_config
from spectramind_kit.instruments import AIRS, CHANNELS, FGS1
from spectramind_kit.products import CalibrationFrames, RawCube

EVERYTHING = ("adc (official)", "saturated pixels masked", "linearity", "dark (since_reset)", "cds")
EVERYTHING += ("cosmic rays", "flat")


def detector(channel, **changed):
    """A perfect detector, but for what is changed."""
    linearity = np.zeros((6, *channel.shape))
    linearity[1] = 1.0
    perfect = CalibrationFrames(
        dark=np.zeros(channel.shape),
        dead=np.zeros(channel.shape, dtype=bool),
        flat=np.ones(channel.shape),
        read_noise=np.full(channel.shape, 13.0),
        linearity=linearity,
        gain=0.5,
        offset=-1000.0,
    )
    return dataclasses.replace(perfect, **changed)


def raw(channel, first, second, n_pair=6):
    """Counts of a detector with gain 0.5 and offset -1000 whose pairs read ``first`` and ``second`` electrons."""
    rows, columns = detector_pixels(channel)
    pair = np.stack([np.broadcast_to(read, channel.shape).ravel() for read in (first, second)], axis=1)
    counts = np.round((np.tile(pair, n_pair) + 1000.0) * 0.5).astype(np.uint16)
    start = np.repeat(np.arange(n_pair) * channel.pair_period, 2)
    return RawCube(channel.name, counts, rows, columns, start + np.resize([0.1, 0.2], 2 * n_pair))


def nominal(*overrides):
    return load_config([f"calibration.{override}" for override in overrides]).calibration


def test_perfect_detector_gives_the_difference_of_reads():
    cube = calibrate(raw(FGS1, 200, 700), detector(FGS1), nominal())
    np.testing.assert_allclose(cube.signal, 500)
    np.testing.assert_allclose(cube.variance, 500 + 2 * 13**2)
    np.testing.assert_allclose(cube.mid_time, 0.25 + 0.4 * np.arange(6))
    assert cube.good.all() and cube.applied == EVERYTHING
    assert cube.signal.dtype == np.float32


def test_flat_scales_signal_and_error_alike():
    cube = calibrate(raw(FGS1, 200, 700), detector(FGS1, flat=np.full(FGS1.shape, 1.25)), nominal())
    np.testing.assert_allclose(cube.signal, 400)
    np.testing.assert_allclose(cube.variance, (500 + 2 * 13**2) / 1.25**2)


def test_dark_of_a_hot_pixel_is_taken_off_by_time_since_reset():
    dark = np.full(AIRS.shape, 20.0)
    cube = calibrate(raw(AIRS, 10, 592), detector(AIRS, dark=dark), nominal())
    np.testing.assert_allclose(cube.signal, 582 - 20 * 4.5, rtol=1e-5)
    as_stored = calibrate(raw(AIRS, 10, 592), detector(AIRS, dark=dark), nominal("dark_time_base=integration"))
    np.testing.assert_allclose(as_stored.signal, 582 - 20 * 4.4, rtol=1e-5)
    assert "dark (integration)" in as_stored.applied


def test_adc_sign_matters_through_the_polynomial_only():
    plain = detector(FGS1)
    official, inverse = (
        calibrate(raw(FGS1, 200, 700), plain, nominal(f"adc_sign={s}")) for s in ("official", "inverse")
    )
    np.testing.assert_array_equal(official.signal, inverse.signal)
    assert inverse.applied[0] == "adc (inverse)"
    bent = plain.linearity.copy()
    bent[2] = 1e-5
    official, inverse = (
        calibrate(raw(FGS1, 200, 700), dataclasses.replace(plain, linearity=bent), nominal(f"adc_sign={s}"))
        for s in ("official", "inverse")
    )
    np.testing.assert_allclose(official.signal, 500 + 1e-5 * (700**2 - 200**2), rtol=1e-5)
    np.testing.assert_allclose(inverse.signal, 500 + 1e-5 * (2700**2 - 2200**2), rtol=1e-5)


@pytest.mark.parametrize(
    "switch, missing",
    [("linearity", "linearity"), ("dark", "dark (since_reset)"), ("cosmic_rays", "cosmic rays"), ("flat", "flat")],
)
def test_a_correction_that_is_off_is_neither_made_nor_listed(switch, missing):
    linearity = detector(FGS1).linearity
    linearity[2] = 1e-5
    odd = detector(FGS1, linearity=linearity, dark=np.full(FGS1.shape, 50.0), flat=np.full(FGS1.shape, 1.1))
    cube = raw(FGS1, 200, 700)
    cube.counts[5, 7] = 60_000
    off = calibrate(cube, odd, nominal(f"{switch}=false"))
    on = calibrate(cube, odd, nominal())
    assert off.applied == tuple(name for name in EVERYTHING if name != missing)
    assert not np.array_equal(off.signal, on.signal)


def test_hot_pixels_are_kept_or_masked():
    dark = np.random.default_rng(0).normal(0.006, 0.001, FGS1.shape)
    dark[4, 9] = 3.0
    masked = calibrate(raw(FGS1, 200, 700), detector(FGS1, dark=dark), nominal("hot_pixels=mask"))
    kept = calibrate(raw(FGS1, 200, 700), detector(FGS1, dark=dark), nominal())
    assert kept.good.all()
    np.testing.assert_array_equal(np.flatnonzero(~masked.good), [4 * 32 + 9])
    assert masked.applied[1] == "hot pixels masked"


def test_dead_and_dark_pixels_are_not_good():
    dead, flat = np.zeros(FGS1.shape, dtype=bool), np.ones(FGS1.shape)
    dead[1, 2], flat[3, 4] = True, -0.01
    cube = calibrate(raw(FGS1, 200, 700), detector(FGS1, dead=dead, flat=flat), nominal())
    np.testing.assert_array_equal(np.flatnonzero(~cube.good), [34, 100])
    assert np.isfinite(cube.signal).all() and np.isfinite(cube.variance).all()
    assert not cube.saturated.any()


def test_a_cosmic_ray_leaves_neither_light_nor_error():
    cube = raw(FGS1, 200, 700)
    cube.counts[5, 7] = 42_000
    clean = calibrate(cube, detector(FGS1), nominal())
    np.testing.assert_allclose(clean.signal, 500)
    np.testing.assert_allclose(clean.variance, 500 + 2 * 13**2)


def test_a_full_pixel_is_not_trusted():
    bright = np.full(FGS1.shape, 700.0)
    bright[7, 8] = 84_000.0
    cube = calibrate(raw(FGS1, 200, bright), detector(FGS1), nominal())
    np.testing.assert_array_equal(np.flatnonzero(~cube.good), [7 * 32 + 8])
    np.testing.assert_array_equal(cube.saturated, ~cube.good)
    assert calibrate(raw(FGS1, 200, bright), detector(FGS1), nominal("full_well=90000")).good.all()


def test_some_pixels_give_what_the_whole_detector_gives():
    rng = np.random.default_rng(3)
    frames = detector(AIRS, flat=rng.normal(1, 0.02, AIRS.shape), dark=rng.uniform(0, 1, AIRS.shape))
    whole = raw(AIRS, 10, rng.uniform(100, 5e4, AIRS.shape))
    some = rng.choice(AIRS.n_pixel, 50, replace=False)
    part = RawCube(AIRS.name, whole.counts[some], whole.row[some], whole.column[some], whole.time)
    got, wanted = (calibrate(cube, frames, nominal()) for cube in (part, whole))
    np.testing.assert_array_equal(got.signal, wanted.signal[some])
    np.testing.assert_array_equal(got.variance, wanted.variance[some])


def test_stored_frames_that_are_means_have_smaller_errors():
    cube = raw(AIRS, 10, 592, n_pair=4)
    mean_of_25 = dataclasses.replace(cube, time=np.repeat(np.arange(4) * 25 * 4.8, 2) + np.resize([0.1, 0.2], 8))
    single, averaged = (calibrate(c, detector(AIRS), nominal()) for c in (cube, mean_of_25))
    np.testing.assert_allclose(averaged.variance * 25, single.variance, rtol=1e-6)


@pytest.mark.parametrize("n_frame, wanted", [(2, 1), (4, 1), (50, 1)])
def test_every_frame_of_the_real_cadence_counts_once(n_frame, wanted):
    time = np.repeat(np.arange(n_frame // 2) * 0.4, 2) + np.resize([0.1, 0.2], n_frame)
    assert averaged_pairs(time, FGS1) == wanted


@pytest.mark.parametrize("channel", [AIRS, FGS1])
def test_one_exposure_is_enough(channel):
    cube = calibrate(raw(channel, 10, 592, n_pair=1), detector(channel), nominal())
    np.testing.assert_allclose(cube.signal, 582)
    assert cube.mid_time.shape == (1,)


class TestRealFrames:
    """Planet 342072318, 25 exposures of each channel; the figures were measured apart from this code."""

    @pytest.fixture
    def visit(self, real_data):
        return open_competition(real_data).observations("train", 342072318)[0]

    @staticmethod
    def cube(visit, name):
        raw_cube = decode_pixels(visit, name, *detector_pixels(CHANNELS[name])).cube()
        return raw_cube, calibrate(raw_cube, read_calibration_frames(visit, name), nominal())

    @staticmethod
    def mean_map(cube):
        mean = np.where(cube.good[:, None], cube.signal, 0).mean(axis=1, dtype=np.float64)
        return mean.reshape(CHANNELS[cube.channel].shape)

    @pytest.mark.parametrize("name, error", [("AIRS-CH0", 0.1), ("FGS1", 0.02)])
    def test_the_reads_tell_their_times_since_reset(self, visit, name, error):
        """Slope of second on first reads over bright pixels: blind to what the converter cuts off either."""
        raw_cube = self.cube(visit, name)[0]
        frames = read_calibration_frames(visit, name).at(raw_cube.row, raw_cube.column)
        counts = raw_cube.counts.astype(np.float64)
        electrons = linearise(counts_to_electrons(counts, frames.gain, frames.offset), frames.linearity)
        first, second = electrons[:, ::2].mean(axis=1), electrons[:, 1::2].mean(axis=1)
        bright = (second > 5e3) & ~frames.dead
        slope = np.polyfit(first[bright], second[bright], 1)[0]
        assert slope == pytest.approx(CHANNELS[name].read_times[1] / CHANNELS[name].read_times[0], abs=error)

    def test_airs_electrons_per_column(self, visit):
        mean = self.mean_map(self.cube(visit, "AIRS-CH0")[1])
        columns = mean[8:24, 39:321:40].sum(axis=0)
        np.testing.assert_allclose(columns, [5.3e3, 20e3, 27e3, 36e3, 48e3, 73e3, 113e3, 113e3], rtol=0.035)

    def test_airs_rows_and_brightest_pixel(self, visit):
        mean = self.mean_map(self.cube(visit, "AIRS-CH0")[1])[:, 39:321]
        share = mean.sum(axis=1) / mean.sum()
        np.testing.assert_allclose(share[14:18], [0.11, 0.267, 0.299, 0.128], atol=0.004)
        assert ((share[:8] > 0.0005) & (share[:8] < 0.003)).all()
        assert ((share[24:] > 0.0005) & (share[24:] < 0.003)).all()
        assert mean.max() == pytest.approx(58_000, rel=0.02)

    def test_fgs1_spot_and_brightest_pixel(self, visit):
        mean = self.mean_map(self.cube(visit, "FGS1")[1])
        np.testing.assert_allclose(
            mean.sum(axis=1)[13:18] / mean.sum(), [0.053, 0.171, 0.313, 0.220, 0.102], atol=0.004
        )
        assert mean.max() == pytest.approx(21_600, rel=0.02)

    @pytest.mark.parametrize("name", ["AIRS-CH0", "FGS1"])
    def test_dark_pixels_scatter_as_the_read_noise_says(self, visit, name):
        """In the rows far from the star only read noise and little light are left."""
        cube = self.cube(visit, name)[1]
        far = cube.good & (cube.row < 4)
        z2 = cube.signal[far].var(axis=1, ddof=1) / cube.variance[far].mean(axis=1)
        assert 0.9 < np.median(z2) < 1.1

    @pytest.mark.parametrize("name, dead, hot", [("AIRS-CH0", 0.001, 0.0017), ("FGS1", 0.003, 0.0029)])
    def test_dead_and_hot_pixels(self, visit, name, dead, hot):
        frames = read_calibration_frames(visit, name)
        assert frames.dead.mean() == pytest.approx(dead, abs=2e-4)
        found = find_hot_pixels(frames.dark, 5.0)
        bright = frames.dark > 0.1
        assert bright.mean() == pytest.approx(hot, abs=2e-4)
        assert found[bright].all() and not found[frames.dark < 0.012].any()

    @pytest.mark.parametrize("name", ["AIRS-CH0", "FGS1"])
    def test_hardly_an_exposure_is_taken_for_a_cosmic_ray(self, visit, name):
        """60 hits a visit are 0.3 in 25 AIRS-CH0 exposures and 0.02 in 25 of FGS1."""
        raw_cube, cleaned = self.cube(visit, name)
        plain = calibrate(raw_cube, read_calibration_frames(visit, name), nominal("cosmic_rays=false"))
        assert (cleaned.signal != plain.signal).sum() <= 2
