"""Drift and jitter: what reaches which wavelength."""

import numpy as np
import pytest

from spectramind_kit.fitting.systematics import drift_and_jitter, polynomial_basis
from spectramind_kit.instruments import is_fgs1

WAVELENGTH = np.array([0.7, 2.0, 2.5, 3.0, 3.5, 3.9])
TIME = np.linspace(0.0, 27000.0, 100)


def build(regressors=None, names=(), order=3, wavelength_order=2, wavelength=WAVELENGTH):
    regressors = np.zeros((100, 0)) if regressors is None else regressors
    return drift_and_jitter(TIME, wavelength, order, wavelength_order, regressors, names)


def series(systematics, coefficients):
    """Return the systematics (n_wavelength, n_time) of some coefficients."""
    return 1.0 + ((systematics.mixing @ coefficients) @ systematics.functions)


def test_channels_are_distinguished_by_wavelength():
    assert is_fgs1(np.array([0.7, 0.705, 1.95])).tolist() == [True, True, False]


def test_drift_of_fgs1_is_its_own():
    systematics = build()
    n_coefficient = systematics.mixing.shape[2]
    assert n_coefficient == 3 * (3 + 1)  # three degrees in time; three in wavelength for AIRS-CH0, one for FGS1
    moved = [series(systematics, unit) - 1.0 for unit in np.eye(n_coefficient)]
    acts_on_fgs1 = [np.abs(m[0]).max() > 0 for m in moved]
    acts_on_airs = [np.abs(m[1:]).max() > 0 for m in moved]
    assert sum(acts_on_fgs1) == 3 and sum(acts_on_airs) == 9
    assert not any(f and a for f, a in zip(acts_on_fgs1, acts_on_airs))


def test_any_polynomial_drift_can_be_represented():
    systematics = build()
    x, colour = np.linspace(-1, 1, 100), np.linspace(1.0, 0.5, 5)
    wanted = (0.3 * x - 0.2 * x**3)[None] * colour[:, None] ** 2
    basis = np.stack([(series(systematics, unit) - 1.0)[1:].ravel() for unit in np.eye(12)], axis=1)
    levels = np.repeat(np.eye(5), 100, axis=0)  # the star's level takes up what is constant in time
    fitted, *_ = np.linalg.lstsq(np.hstack([basis, levels]), wanted.ravel(), rcond=None)
    left = wanted.ravel() - np.hstack([basis, levels]) @ fitted
    assert np.abs(left).max() < 0.02 * np.abs(wanted).max()  # wavelengths of the test are not evenly spaced


def test_only_centroids_of_fgs1_are_regressed_on():
    rng = np.random.default_rng(0)
    names = ("fgs1_row_centroid", "fgs1_column_centroid", "fgs1_row_width", "airs_row_centroid")
    regressors = 15.0 + 0.1 * rng.standard_normal((100, 4))
    with_all, without = build(regressors, names), build()
    assert with_all.mixing.shape[2] == without.mixing.shape[2] + 2
    moved = series(with_all, np.eye(with_all.mixing.shape[2])[-1]) - 1.0
    assert np.corrcoef(moved[0], regressors[:, 1])[0, 1] == pytest.approx(1.0)
    assert moved[0].std() == pytest.approx(1.0, abs=0.02) and (moved[1:] == 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, 15.0])
def test_useless_regressors_are_left_out(value):
    regressors = np.full((100, 1), value)
    assert build(regressors, ("fgs1_row_centroid",)).mixing.shape == build().mixing.shape


def test_one_channel_alone():
    assert build(wavelength=WAVELENGTH[:1]).mixing.shape[2] == 3
    assert build(wavelength=WAVELENGTH[1:]).mixing.shape[2] == 9


def test_higher_degrees_are_expected_to_be_smaller():
    scatter = build(wavelength=WAVELENGTH[:1], order=4).scatter
    assert scatter[0] == 1.0 and (np.diff(scatter) < 0).all()


def test_a_range_without_extent_is_its_middle():
    assert polynomial_basis(np.array([2.9]), 2)[:, 0].tolist() == [1.0, 0.0, -0.5]
