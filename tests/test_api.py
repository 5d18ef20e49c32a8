"""The kit from Python: light curves from anywhere give the depth that is in them, or are refused in words."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spectramind_kit as sm
from spectramind_kit.errors import ProductError
from tests.fitting.transit_light_curves import light_curves


@pytest.fixture(scope="module")
def foreign():
    """Times, flux, wavelengths, planet, true spectrum: batman's, every eighth wavelength of AIRS-CH0."""
    curves, planet, true = light_curves(seed=3)
    some = np.r_[0, 1:283:8]
    return curves.time, curves.flux[:, some], curves.wavelength[some], planet, true[some]


@pytest.fixture(scope="module")
def plain(foreign):
    """The fit of the light curves as they are."""
    time, flux, wavelength, planet, _ = foreign
    return sm.fit(sm.light_curves(time, flux, wavelength), planet)


def test_every_word_is_there_and_nothing_is_loaded_before_it_is_said():
    assert {"open", "fit", "train", "predict", "submit", "score", "Planet"} <= set(dir(sm))
    assert all(callable(getattr(sm, name)) for name in dir(sm) if name != "__version__")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sm.nothing  # noqa: B018


def test_a_foreign_light_curve_gives_the_depths_that_are_in_it(plain, foreign):
    true = foreign[-1]
    z = (plain.depth - true) / plain.sigma
    assert np.abs(z).max() < 4.5
    assert abs((plain.depth - true).mean()) < 3.0 * np.sqrt(plain.covariance.mean())
    shown = sm.table(plain)
    assert shown.columns == ["wavelength", "depth", "sigma"] and len(shown) == len(true)


@pytest.mark.parametrize("how", ["shuffled", "reversed colours", "big-endian", "strided", "days of float32"])
def test_the_order_and_layout_of_arrays_change_no_depth(plain, foreign, how):
    time, flux, wavelength, planet, _ = foreign
    if how == "shuffled":
        order = np.random.default_rng(0).permutation(len(time))
        time, flux = time[order], flux[order]
    elif how == "reversed colours":
        flux, wavelength = flux[:, ::-1], wavelength[::-1]
    elif how == "big-endian":
        time, flux, wavelength = time.astype(">f8"), flux.astype(">f8"), wavelength.astype(">f8")
    elif how == "strided":
        time, flux = np.repeat(time, 2)[::2], np.repeat(flux, 2, axis=0)[::2]
    else:
        time = time.astype(np.float32)
    again = sm.fit(sm.light_curves(time, flux, wavelength), planet)
    assert np.array_equal(again.wavelength, plain.wavelength)
    assert again.depth == pytest.approx(plain.depth, abs=1e-7)


def test_points_that_are_no_numbers_are_left_out_and_cost_no_more_than_they_held(plain, foreign):
    time, flux, wavelength, planet, _ = foreign
    rng, flux = np.random.default_rng(1), flux.copy()
    flux[rng.random(flux.shape) < 0.03] = np.nan
    flux[rng.random(flux.shape) < 0.01] = np.inf
    holed = sm.fit(sm.light_curves(time, flux, wavelength), planet)
    assert (np.abs(holed.depth - plain.depth) < 1.5 * plain.sigma).all()
    assert np.median(holed.sigma / plain.sigma) < 1.1


@pytest.mark.parametrize(
    "change, said",
    [
        ({"flux": lambda flux: flux.T}, "transpose it"),
        ({"time": lambda time: time / 86400.0}, "multiply days by 86400"),
        ({"time": lambda time: np.where(np.arange(len(time)) == 5, time[4], time)}, "average repeats"),
        ({"time": lambda time: np.where(np.arange(len(time)) == 5, np.nan, time)}, "wanted finite"),
        ({"wavelength": lambda wavelength: -wavelength}, "wavelengths above 0"),
        ({"flux": lambda flux: flux * np.nan}, "missing in the best wavelength"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_words(foreign, change, said):
    parts = dict(zip(("time", "flux", "wavelength"), foreign))
    parts |= {name: edit(parts[name]) for name, edit in change.items()}
    with pytest.raises(ProductError, match=said):
        sm.light_curves(**parts)


@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from([">f8", "<f4", ">f4"]), unit=st.sampled_from([1.0, 3e4]))
def test_any_order_and_layout_of_the_same_curve_gives_the_same_depth(plain, foreign, seed, kind, unit):
    time, flux, wavelength, planet, _ = foreign
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(time)), rng.permutation(len(wavelength))
    laid_out = np.asfortranarray((flux / flux.max() * unit)[rows][:, columns].astype(kind))
    again = sm.fit(sm.light_curves(time[rows].astype(kind), laid_out, wavelength[columns].astype(kind)), planet)
    assert again.depth == pytest.approx(plain.depth, abs=0.02 * plain.sigma.min())
    assert again.flags == plain.flags


def test_the_whole_way_in_four_words(competition, trained_work, tmp_path):
    folder = sm.open(competition.data)
    assert folder.planet_ids("test")
    truth = competition.data / "truth" / "test.csv"
    assert sm.score(truth, trained_work / "submission.csv") == pytest.approx(
        sm.score(str(truth), str(trained_work / "submission.csv"))
    )
    assert isinstance(pl.read_csv(trained_work / "submission.csv"), pl.DataFrame)
