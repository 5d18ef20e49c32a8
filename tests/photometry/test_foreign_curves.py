"""Light curves from elsewhere: any order and type of the same numbers is the same curve; other units are refused."""

import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectramind_kit.errors import ProductError
from spectramind_kit.photometry.foreign_curves import light_curves

RNG = np.random.default_rng(5)
TIME = np.sort(RNG.choice(400, 120, replace=False)) * 60.0
WAVELENGTH = np.array([0.7, 2.0, 2.5, 3.0, 3.5])
NOISE = np.array([2e-4, 3e-4, 4e-4, 5e-4, 6e-4])
DIP = np.where(np.abs(TIME - 12000.0) < 4000.0, 0.01, 0.0)
FLUX = 1.0 - DIP[:, None] + NOISE * RNG.standard_normal((len(TIME), 5))
FLUX[7, 2] = np.nan


def strided(array):
    return np.repeat(array, 2, axis=0)[::2]


def same(found, wanted):
    for name in ("time", "flux", "flux_err", "wavelength", "regressors"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), err_msg=name)
        assert getattr(found, name).dtype == np.float64 and getattr(found, name).dtype.isnative


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_order_type_and_layout_of_the_same_numbers_is_the_same_curve(data):
    """Numbers that every type can hold: nothing is rounded, so nothing may differ."""
    time, flux = TIME.astype(np.float32), FLUX.astype(np.float32)
    error = (1e-3 * (1.0 + np.arange(flux.size).reshape(flux.shape) % 7)).astype(np.float32)
    wavelength, moved = WAVELENGTH.astype(np.float32), np.arange(len(time), dtype=np.float32)
    plain = light_curves(time, flux, wavelength, error, regressors={"moved": moved})
    rows, columns = (np.array(data.draw(st.permutations(range(n)))) for n in flux.shape)
    kind = data.draw(st.sampled_from(["<f4", ">f4", "<f8", ">f8", "object"]))
    layout = data.draw(st.sampled_from([np.ascontiguousarray, np.asfortranarray, strided]))
    lists = data.draw(st.booleans())

    def changed(array):
        array = layout(array.astype(kind))
        return array.tolist() if lists else array

    found = light_curves(
        changed(time[rows]),
        changed(flux[rows][:, columns]),
        changed(wavelength[columns]),
        changed(error[rows][:, columns]),
        regressors={"moved": changed(moved[rows])},
    )
    same(found, plain)


@pytest.mark.parametrize("errors", ["none", "of each wavelength", "of each point", "of each time"])
def test_errors_follow_their_points(errors):
    error = {
        "none": None,
        "of each wavelength": NOISE,
        "of each point": np.tile(NOISE, (len(TIME), 1)) * (1.0 + TIME[:, None] / TIME.max()),
        "of each time": 1e-4 * (1.0 + TIME[:, None] / TIME.max()),
    }[errors]
    plain = light_curves(TIME, FLUX, WAVELENGTH, error)
    rows = RNG.permutation(len(TIME))
    moved = error[rows] if error is not None and np.ndim(error) > 1 else error
    same(light_curves(TIME[rows], FLUX[rows], WAVELENGTH, moved), plain)
    if error is None:
        assert plain.flux_err[0] == pytest.approx(NOISE, rel=0.35)


def test_one_wavelength_may_be_flat():
    same(light_curves(TIME, FLUX[:, 1], 2.0, np.full(len(TIME), 3e-4)), light_curves(TIME, FLUX[:, 1:2], [2.0], [3e-4]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_points_that_are_no_numbers_have_an_infinite_error(bad):
    flux, error = FLUX.copy(), np.tile(NOISE, (len(TIME), 1))
    flux[3, 1], error[4, 2], error[5, 3], error[6, 4] = bad, bad, 0.0, -1.0
    found = light_curves(TIME, flux, WAVELENGTH, error)
    out = [(3, 1), (4, 2), (5, 3), (6, 4), (7, 2)]
    assert np.argwhere(np.isinf(found.flux_err)).tolist() == sorted(map(list, out))


def test_what_a_mask_hides_is_not_looked_at():
    flux = np.ma.masked_invalid(FLUX)
    flux.data[5, :] = 1e20
    flux.mask[5, :] = True
    found = light_curves(TIME, flux, WAVELENGTH)
    assert np.isinf(found.flux_err[5]).all() and np.nanmax(found.flux) < 1.01


def test_spikes_make_no_point_beside_them_unsure():
    """As a few points in another unit do, or cosmic rays: the scatter is that of the others."""
    spiked = FLUX.copy()
    spiked[::40] *= 1e4
    assert light_curves(TIME, spiked, WAVELENGTH).flux_err[1] == pytest.approx(
        light_curves(TIME, FLUX, WAVELENGTH).flux_err[1], rel=0.3
    )


def test_rounded_and_perfect_flux_have_some_error_or_none():
    assert (light_curves(TIME, np.round(FLUX, 2), WAVELENGTH).flux_err[0] > 0).all()
    with pytest.raises(ProductError, match="errors above 0"):
        light_curves(TIME, np.ones_like(FLUX), WAVELENGTH)


def test_quantities_are_converted_and_series_are_read():
    units = pytest.importorskip("astropy.units")
    plain = light_curves(TIME, FLUX, WAVELENGTH, NOISE)
    found = light_curves(
        (TIME / 86400.0) * units.day, FLUX * units.electron, 1000.0 * WAVELENGTH * units.nm, NOISE * units.electron
    )
    assert found.time == pytest.approx(plain.time) and found.wavelength == pytest.approx(plain.wavelength)
    assert np.array_equal(found.flux, plain.flux, equal_nan=True)
    with pytest.raises(ProductError, match="wavelengths of light curves: wanted real numbers .um."):
        light_curves(TIME, FLUX, WAVELENGTH * units.s)


def test_series_are_read():
    same(light_curves(pl.Series(TIME), FLUX, pl.Series(WAVELENGTH)), light_curves(TIME, FLUX, WAVELENGTH))


def half(flux):
    return np.where(np.arange(len(TIME))[:, None] < 50, 3e4, 1.0) * flux


def one_wavelength(flux):
    return np.where(np.arange(5) == 3, half(flux), flux)


DATE = np.datetime64(datetime.date(2026, 1, 1)) + np.arange(len(TIME)).astype("m8[m]")
REFUSED = {
    "deviations from one": ({"flux": FLUX - 1.0}, "add 1 to deviations from 1"),
    "magnitudes": ({"flux": -2.5 * np.log10(FLUX)}, "make flux of magnitudes"),
    "negative": ({"flux": -FLUX}, "levels above zero"),
    "half in electrons": ({"flux": half(FLUX)}, "one unit all along, got levels of .*bring all to one unit"),
    "half of one wavelength in electrons": ({"flux": one_wavelength(FLUX)}, "one unit all along.* at 3 um"),
    "every other in electrons": ({"flux": np.where(np.arange(120)[:, None] % 2, 1.0, 3e4) * FLUX}, "unit"),
    "errors in ppm": ({"flux_err": 1e6 * NOISE}, "errors in the unit of the flux"),
    "errors in electrons": ({"flux_err": 3e4 * NOISE}, "errors in the unit of the flux"),
    "wavelengths in nm": ({"wavelength": 1000 * WAVELENGTH}, "divide nm by 1000"),
    "wavelengths in m": ({"wavelength": 1e-6 * WAVELENGTH}, "multiply m by 1e6"),
    "times in days": ({"time": TIME / 86400}, "multiply days by 86400"),
    "times in hours": ({"time": TIME / 3600}, "hours by 3600"),
    "times in ms": ({"time": 1e3 * TIME}, "cut out one transit"),
    "times in single precision": ({"time": (2.2e11 + TIME).astype("f4")}, "that repeat; average repeats"),
    "dates": ({"time": DATE}, "times of light curves: wanted real numbers"),
    "text": ({"flux": FLUX.astype(str)}, "flux of light curves: wanted real numbers"),
    "complex": ({"flux": FLUX.astype(complex)}, "flux of light curves: wanted real numbers"),
    "times in a column": ({"time": TIME[:, None]}, "times of light curves: wanted one dimension"),
    "wavelengths of each time": ({"wavelength": np.tile(WAVELENGTH, (120, 1))}, "wavelengths .* one dimension"),
    "flux the wrong way round": ({"flux": FLUX.T}, "transpose it"),
    "flux of other times": ({"flux": FLUX[1:]}, "take arrays that belong together"),
    "a cube": ({"flux": FLUX[None]}, "take arrays that belong together"),
    "errors of each time": ({"flux_err": np.full(120, 1e-3)}, r"one a wavelength, got \(120,\)"),
    "errors the wrong way round": ({"flux_err": np.full((5, 120), 1e-3)}, r"got \(5, 120\)"),
    "a regressor of other times": ({"regressors": {"row": np.zeros(3)}}, r"regressor row .*\(120,\), got \(3,\)"),
    "hardly a point": ({"flux": np.where(np.arange(120)[:, None] % 3, np.nan, FLUX)}, "% missing"),
    "a time that is none": ({"time": np.where(TIME[3] == TIME, np.nan, TIME)}, "wanted finite"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_fitted_is_refused_in_words(kind):
    change, said = REFUSED[kind]
    with pytest.raises(ProductError, match=said):
        light_curves(**{"time": TIME, "flux": FLUX, "wavelength": WAVELENGTH, **change})


def test_a_faint_wavelength_and_a_deep_eclipse_are_no_mixture_of_units():
    flux = FLUX.copy()
    flux[:, 4] = 1.0 + 2.0 * RNG.standard_normal(len(TIME))  # a detector's edge: noise alone
    flux[:, 3] *= 1.0 - 40.0 * DIP
    assert light_curves(TIME, flux, WAVELENGTH).flux.shape == FLUX.shape
