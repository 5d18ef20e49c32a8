"""From files to 283 light curves: order of wavelengths, bins, errors, and what happens to odd visits."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.competition.frames import decode_pixels
from spectramind_kit.config import load_config
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.flags import Flag
from spectramind_kit.photometry.extraction import extract
from spectramind_kit.photometry.light_curves import bin_channel, extract_light_curves
from spectramind_kit.photometry.window import photometric_pixels
from spectramind_kit.products import LightCurves
from spectramind_kit.simulation.simulated_folder import simulate_folder

GAIN = 0.4369


def photometry(*overrides):
    overrides = ["bin_seconds=9.6", "background=false", "extraction=sum", *overrides]
    return load_config([f"photometry.{override}" for override in overrides]).photometry


@pytest.fixture
def visit(write_competition):
    return open_competition(write_competition()).observations("train", 34983)[0]


@pytest.fixture
def plain(config):
    """No dark: the ideal frames of the tiny folder have none."""
    return dataclasses.replace(config.calibration, dark=False)


def rewrite(path, change):
    change(pl.read_parquet(path)).write_parquet(path)


def test_a_constant_star_gives_its_light_in_every_bin(visit, plain, starlight):
    curves = extract_light_curves(visit, plain, photometry())
    assert isinstance(curves, LightCurves) and curves.flux.shape == (4, 283)
    np.testing.assert_allclose(curves.time, [4.85, 14.45, 24.05, 33.65], atol=1e-6)
    assert curves.bin_seconds == pytest.approx(9.6)
    rounding = 0.5 / GAIN * np.sqrt(2 * 16)
    fgs1 = starlight["FGS1"][8:24, 6:24].sum()
    np.testing.assert_allclose(curves.flux[:, 0], fgs1, atol=6 * rounding * np.sqrt(18))
    airs = starlight["AIRS-CH0"][8:24, 39:321].sum(axis=0)
    np.testing.assert_allclose(curves.flux[:, 1:], np.tile(airs[::-1], (4, 1)), atol=6 * rounding)


def test_wavelengths_ascend_and_carry_their_own_column(visit, plain, starlight):
    """The star grows brighter with the detector column, so its light falls with wavelength."""
    curves = extract_light_curves(visit, plain, photometry())
    axis = visit.axis.wavelength
    assert curves.wavelength[0] == 0.7
    assert (np.diff(curves.wavelength) > 0).all()
    assert (curves.wavelength[1], curves.wavelength[282]) == (axis[320], axis[39])
    assert (np.diff(curves.flux[0, 1:]) < 0).all()


def test_errors_are_those_of_the_mean_of_a_bin(visit, plain, starlight):
    curves = extract_light_curves(visit, plain, photometry())
    airs = starlight["AIRS-CH0"][8:24, 320].sum() + 16 * 2 * 13.0**2
    assert curves.flux_err[0, 1] == pytest.approx(np.sqrt(airs / 2), rel=1e-3)
    fgs1 = starlight["FGS1"][8:24, 6:24].sum() + 16 * 18 * 2 * 13.0**2
    assert curves.flux_err[0, 0] == pytest.approx(np.sqrt(fgs1 / 24), rel=1e-3)


def test_regressors_are_where_the_image_lies(visit, plain):
    curves = extract_light_curves(visit, plain, photometry())
    measured = dict(zip(curves.regressor_names, curves.regressors[0]))
    assert measured["fgs1_row_centroid"] == pytest.approx(15.2, abs=0.01)
    assert measured["fgs1_column_centroid"] == pytest.approx(14.7, abs=0.01)
    assert measured["airs_row_centroid"] == pytest.approx(15.4, abs=0.01)
    assert measured["fgs1_row_width"] == pytest.approx(1.3, abs=0.02)
    assert measured["airs_row_width"] == pytest.approx(1.3, abs=0.02)


@pytest.mark.parametrize("column, wavelength", [(320, 1), (39, 282), (100, 221)])
def test_a_dead_column_is_known_by_its_wavelength(visit, plain, column, wavelength):
    path = visit.files["AIRS-CH0"].calibration / "dead.parquet"
    rewrite(path, lambda t: t.with_columns(pl.lit(True).alias(f"column_{column}")))
    curves = extract_light_curves(visit, plain, photometry())
    assert (curves.flux[:, wavelength] == 0).all() and np.isinf(curves.flux_err[:, wavelength]).all()
    assert np.isfinite(np.delete(curves.flux_err, wavelength, axis=1)).all()


def test_a_dead_fgs1_window_leaves_airs_alone(visit, plain):
    path = visit.files["FGS1"].calibration / "dead.parquet"
    rewrite(path, lambda t: pl.DataFrame(np.ones((32, 32), dtype=bool), schema=t.columns))
    curves = extract_light_curves(visit, plain, photometry("background=true"))
    assert np.isinf(curves.flux_err[:, 0]).all() and (curves.flux[:, 0] == 0).all()
    assert (curves.flux[:, 1:] > 0).all() and np.isfinite(curves.flux_err[:, 1:]).all()


@pytest.mark.parametrize("channel, kept, n_time", [("FGS1", 96, 2), ("FGS1", 47, 1), ("AIRS-CH0", 9, 2)])
def test_a_channel_that_ends_early_ends_the_light_curves(visit, plain, channel, kept, n_time):
    rewrite(visit.files[channel].signal, lambda t: t.head(kept))
    curves = extract_light_curves(visit, plain, photometry())
    assert curves.flux.shape == (n_time, 283) and np.isfinite(curves.flux).all()


def test_a_bin_that_is_covered_in_part_has_the_error_of_that_part(visit, plain):
    rewrite(visit.files["FGS1"].signal, lambda t: t.head(96 + 12))
    curves = extract_light_curves(visit, plain, photometry())
    assert curves.flux.shape == (3, 283)
    assert curves.flux_err[2, 0] / curves.flux_err[1, 0] == pytest.approx(np.sqrt(24 / 6), rel=1e-3)
    assert curves.flux[2, 0] == pytest.approx(curves.flux[1, 0], rel=1e-9)


def test_channels_without_a_common_time_are_refused(visit, plain):
    later = dict(visit.axis.frame_time) | {"FGS1": visit.axis.frame_time["FGS1"] + 1000.0}
    shifted = dataclasses.replace(visit, axis=dataclasses.replace(visit.axis, frame_time=later))
    with pytest.raises(CompetitionDataError, match="FGS1 1000-1038 s, AIRS-CH0 2-36 s"):
        extract_light_curves(shifted, plain, photometry())


def test_a_visit_shorter_than_a_bin_is_one_bin(visit, plain, starlight):
    curves = extract_light_curves(visit, plain, photometry("bin_seconds=72"))
    assert curves.flux.shape == (1, 283) and curves.bin_seconds == pytest.approx(8 * 4.8)


def test_frames_lost_for_a_while_spoil_their_own_bin(visit, plain):
    """A gap of all-zero frames: no light and no image there, everything else as before."""
    whole = extract_light_curves(visit, plain, photometry())

    def silence(table):
        counts = table.to_numpy().copy()
        counts[48:96] = 0
        return pl.DataFrame(counts, schema=table.columns)

    rewrite(visit.files["FGS1"].signal, silence)
    gap = extract_light_curves(visit, plain, photometry())
    np.testing.assert_allclose(gap.flux[[0, 2, 3]], whole.flux[[0, 2, 3]], rtol=1e-9)
    np.testing.assert_array_equal(gap.regressors[[0, 2, 3]], whole.regressors[[0, 2, 3]])
    assert gap.flux[1, 0] == 0.0
    assert np.isinf(gap.flux_err[1, 0]) and np.isfinite(gap.flux_err[[0, 2, 3]]).all()
    assert gap.flags == {Flag.FGS1_EXPOSURES_LOST: "24 of 96"}


def test_a_lost_second_read_takes_its_bin_along(visit, plain):

    def silence(table):
        counts = table.to_numpy().copy()
        counts[5] = 0
        return pl.DataFrame(counts, schema=table.columns)

    rewrite(visit.files["AIRS-CH0"].signal, silence)
    curves = extract_light_curves(visit, plain, photometry())
    assert np.isinf(curves.flux_err[1, 1:]).all() and np.isfinite(curves.flux_err[[0, 2, 3]]).all()
    assert curves.flags == {Flag.AIRS_EXPOSURES_LOST: "1 of 8"}


@pytest.mark.parametrize("channel", ["FGS1", "AIRS-CH0"])
def test_lost_exposures_leave_all_others_as_they_are(visit, plain, channel):
    """The mean image must not hold them: the foreground under the star is taken from it."""
    settings = photometry("background=true", "extraction=optimal")

    def light_up(table):
        counts = table.to_numpy().copy()
        counts[1::2] += 200
        return pl.DataFrame(counts, schema=table.columns)

    rewrite(visit.files[channel].signal, light_up)
    whole = extract_light_curves(visit, plain, settings)

    def silence(table):
        counts = table.to_numpy().copy()
        counts[len(counts) // 2 : 3 * len(counts) // 4] = 0
        return pl.DataFrame(counts, schema=table.columns)

    rewrite(visit.files[channel].signal, silence)
    gap = extract_light_curves(visit, plain, settings)
    part = slice(0, 1) if channel == "FGS1" else slice(1, None)
    seen = np.isfinite(gap.flux_err[:, part]).all(axis=1)
    assert seen.tolist() == [True, True, False, True]
    np.testing.assert_allclose(gap.flux[seen, part], whole.flux[seen, part], rtol=1e-3)


def test_calibration_that_is_no_number_is_flagged(visit, plain):
    clean = extract_light_curves(visit, plain, photometry())
    path = visit.files["AIRS-CH0"].calibration / "flat.parquet"
    rewrite(path, lambda t: t.with_columns(pl.lit(np.nan).alias("column_100")))
    curves = extract_light_curves(visit, plain, photometry())
    assert curves.flags == {Flag.AIRS_CALIBRATION_LOST: "32 of 11392"}
    lost = 1 + 320 - 100
    assert np.isinf(curves.flux_err[:, lost]).all()
    np.testing.assert_allclose(np.delete(curves.flux, lost, 1), np.delete(clean.flux, lost, 1), rtol=1e-9)


@pytest.mark.parametrize("path", ["fused", "readable"])
def test_a_saturated_pixel_is_flagged_and_dilutes_no_transit(visit, plain, path):
    """The star dims by 1 % in the second half; where its brightest pixel is full, that one cannot show it."""
    full, brightest = GAIN * (83_000 + 1000), 15 * 356 + 100

    def saturate(table):
        light = table.to_numpy().astype(np.float64) / GAIN - 1000.0
        light[:, brightest] *= 9.0
        light[8:] *= 0.99
        counts = np.clip(np.round((light + 1000.0) * GAIN), 0, full)
        return pl.DataFrame(counts.astype(np.uint16), schema=table.columns)

    rewrite(visit.files["AIRS-CH0"].signal, saturate)
    curves = extract_light_curves(visit, plain, photometry(f"path={path}"))
    assert curves.flags.keys() == {Flag.AIRS_SATURATED}
    assert curves.saturated.sum() == curves.saturated[1 + 320 - 100] == 1
    steps = curves.flux[2:, 1:].mean(axis=0) / curves.flux[:2, 1:].mean(axis=0)
    lost = 320 - 100
    assert steps[lost] == pytest.approx(0.99, abs=5e-4)
    full = extract_light_curves(visit, dataclasses.replace(plain, full_well=90_000.0), photometry(f"path={path}"))
    assert full.flags == {} and full.flux[3, 1 + lost] / full.flux[0, 1 + lost] > 0.994
    assert full.saturated.shape == (283,) and not full.saturated.any()


def test_flags_of_the_star_table_travel_along(visit, plain):
    flags = {Flag.STAR_TABLE_MISSING: "no file"}
    flagged = dataclasses.replace(visit, planet=dataclasses.replace(visit.planet, flags=flags))
    assert extract_light_curves(flagged, plain, photometry()).flags == flags


EVERYTHING = ("adc (official)", "saturated pixels masked", "linearity", "dark (since_reset)", "cds", "cosmic rays")
EVERYTHING += ("flat", "foreground", "optimal extraction")


@pytest.mark.parametrize("path", ["fused", "readable"])
def test_light_curves_name_the_corrections_made(visit, config, path):
    curves = extract_light_curves(visit, config.calibration, load_config([f"photometry.path={path}"]).photometry)
    assert curves.applied == EVERYTHING


@pytest.mark.parametrize("path", ["fused", "readable"])
@pytest.mark.parametrize(
    "switch, missing",
    [
        ("calibration.linearity", "linearity"),
        ("calibration.dark", "dark (since_reset)"),
        ("calibration.cosmic_rays", "cosmic rays"),
        ("calibration.flat", "flat"),
        ("photometry.background", "foreground"),
    ],
)
def test_a_correction_that_is_switched_off_is_not_named(visit, path, switch, missing):
    config = load_config([f"{switch}=false", f"photometry.path={path}"])
    curves = extract_light_curves(visit, config.calibration, config.photometry)
    assert curves.applied == tuple(name for name in EVERYTHING if name != missing)


def test_the_real_visit_is_one_bin_of_283_wavelengths(real_data, config):
    visit = open_competition(real_data).observations("train", 342072318)[0]
    curves = extract_light_curves(visit, config.calibration, config.photometry)
    assert curves.flux.shape == (1, 283) and curves.bin_seconds == pytest.approx(72.0)
    # Column 39 is the red end and faint, column 319 bright and two from the blue end.
    assert curves.flux[0, 282] == pytest.approx(5.3e3, rel=0.03)
    assert curves.flux[0, 2] == pytest.approx(113e3, rel=0.03)
    photons = 2186 / 5
    assert photons < 1e6 * curves.flux_err[0, 0] / curves.flux[0, 0] < 1.1 * photons
    plain = extract_light_curves(visit, config.calibration, whole_photometry("auto", "sum"))
    assert 1e6 * plain.flux_err[0, 0] / plain.flux[0, 0] == pytest.approx(2800 / 5, rel=0.05)


@pytest.mark.parametrize("extraction, red_end, fgs1", [("sum", 1.25, 2.1), ("optimal", 1.15, 1.6)])
def test_real_exposures_scatter_as_their_photons_do(real_data, config, extraction, red_end, fgs1):
    """The white scatter of 25 exposures is known to 14 %, the medians to 3 % (red end) and 1 %: read noise shows."""
    visit = open_competition(real_data).observations("train", 342072318)[0]
    chosen = whole_photometry("auto", extraction)
    ratio = {}
    for channel in ("AIRS-CH0", "FGS1"):
        pixels = decode_pixels(visit, channel, *photometric_pixels(channel, chosen))
        between = np.append(pixels.time[::2], np.inf)
        flux = extract(bin_channel(visit, pixels, between, config.calibration, chosen), chosen).flux
        white = flux.sum(axis=0)
        ratio[channel] = (
            white.std(ddof=1) / np.sqrt(white.mean()),
            flux.std(axis=1, ddof=1) / np.sqrt(flux.mean(axis=1)),
        )
    white, columns = ratio["AIRS-CH0"]
    assert white < 1.10
    assert np.median(columns[:30]) < red_end and np.median(columns[30:]) < 1.10
    assert ratio["FGS1"][0] < fgs1  # pointing jitter, which averages out over a bin


def same_light(ours, reference):
    """Fluxes, errors and pointing of both paths agree to 1e-6."""
    np.testing.assert_allclose(ours.flux, reference.flux, rtol=1e-6)
    np.testing.assert_allclose(ours.flux_err, reference.flux_err, rtol=1e-5)
    np.testing.assert_allclose(ours.regressors, reference.regressors, rtol=1e-6)
    np.testing.assert_array_equal(ours.time, reference.time)
    for name in ("flags", "regressor_names", "applied"):
        assert getattr(ours, name) == getattr(reference, name)
    np.testing.assert_array_equal(ours.saturated, reference.saturated)


@pytest.mark.parametrize("extraction", ["sum", "optimal"])
def test_fused_and_readable_path_agree_on_a_simulated_visit(simulated_visit, config, extraction):
    fused, reference = (
        extract_light_curves(simulated_visit, config.calibration, whole_photometry(path, extraction))
        for path in ("fused", "readable")
    )
    same_light(fused, reference)
    assert fused.flux.shape[0] > 100 and np.isfinite(fused.flux_err).all()


@pytest.mark.parametrize("extraction", ["sum", "optimal"])
def test_fused_and_readable_path_agree_on_the_real_frames(real_data, config, extraction):
    visit = open_competition(real_data).observations("train", 342072318)[0]
    fused, reference = (
        extract_light_curves(visit, config.calibration, whole_photometry(path, extraction))
        for path in ("fused", "readable")
    )
    same_light(fused, reference)


def whole_photometry(path, extraction):
    return load_config([f"photometry.path={path}", f"photometry.extraction={extraction}"]).photometry


@pytest.fixture(scope="module", params=["2025", "2024"])
def simulated_visit(request, tmp_path_factory):
    """The last visit of a planet of either edition, with every effect of the detector, small frames."""
    root = tmp_path_factory.mktemp("simulated")
    twice = load_config(["simulation.two_visit_fraction=1"]).simulation
    simulate_folder(root, 1, 0, twice, seed=3, edition=request.param)
    folder = open_competition(root)
    visits = folder.observations("train", folder.planet_ids("train")[0])
    assert len(visits) == (2 if request.param == "2025" else 1)
    return visits[-1]
