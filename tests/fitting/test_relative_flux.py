"""Light curves made relative: what is used, what is masked, what is a spike."""

import numpy as np
import pytest

from spectramind_kit.errors import FitError
from spectramind_kit.fitting.relative_flux import relative_flux
from spectramind_kit.products import LightCurves

N_TIME, N_WAVELENGTH = 100, 6


def curves(change=None):
    rng = np.random.default_rng(0)
    flux = np.linspace(1e4, 6e4, N_WAVELENGTH) * (1.0 + 1e-3 * rng.standard_normal((N_TIME, N_WAVELENGTH)))
    error = 1e-3 * np.tile(np.linspace(1e4, 6e4, N_WAVELENGTH), (N_TIME, 1))
    if change is not None:
        change(flux, error)
    time = np.arange(N_TIME) * 72.0
    return LightCurves(1, 0, time, 72.0, flux, error, np.linspace(2, 3, N_WAVELENGTH), np.zeros((N_TIME, 0)))


def test_flux_is_one_and_weight_the_relative_inverse_variance():
    data = relative_flux(curves(), 5.0)
    assert np.median(data.flux, axis=1) == pytest.approx(1.0, abs=1e-12)
    assert data.weight == pytest.approx(1e6, rel=0.01)
    assert data.valid.all() and not data.spike.any()


def test_masked_wavelengths_have_no_weight_and_harmless_flux():
    def kill(flux, error):
        flux[:, 0], flux[:, 1], flux[:, 2] = 0.0, np.nan, -5.0
        error[:, 3], flux[:60, 4] = np.inf, np.nan

    data = relative_flux(curves(kill), 5.0)
    assert data.valid.tolist() == [False] * 5 + [True]
    assert (data.weight[:5] == 0).all() and (data.flux[:5] == 1).all()


def test_single_bad_points_are_skipped():
    def hurt(flux, error):
        flux[10, 0], error[11, 0], error[12, 0] = np.nan, 0.0, np.nan

    data = relative_flux(curves(hurt), 5.0)
    assert data.valid.all()
    assert np.flatnonzero(data.weight[0] == 0).tolist() == [10, 11, 12]


@pytest.mark.parametrize("place", [0, 1, 50, -2, -1])
def test_a_spike_stands_out_wherever_it_is(place):
    def hit(flux, error):
        flux[place] *= 1.1

    spike = relative_flux(curves(hit), 5.0).spike
    assert spike[:, place].all() and spike.sum() == N_WAVELENGTH


def test_spikes_stand_out_but_steep_flanks_do_not():
    def hit(flux, error):
        flux[30, 2] *= 1.05
        flux[60:63, :] *= np.array([0.99, 0.98, 0.97])[:, None]
        flux[63:80, :] *= 0.96

    data = relative_flux(curves(hit), 5.0)
    assert data.spike[2, 30] and int(data.spike.sum()) == 1


@pytest.mark.parametrize("value, words", [(np.nan, "NaN"), (0.0, "zero flux"), (-1.0, "negative")])
def test_visits_without_light_are_refused_with_the_reason(value, words):
    def spoil(flux, error):
        flux[:] = value

    with pytest.raises(FitError, match=words):
        relative_flux(curves(spoil), 5.0)
