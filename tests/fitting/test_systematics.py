"""Drift, jumps and pointing: what reaches which wavelength."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.fitting.noise_modes import N_MODE
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.systematics import (
    JUMP_SCATTER,
    drift_terms,
    jump_terms,
    kind_of,
    moving,
    pointing_terms,
    polynomial_basis,
    systematics,
)
from spectramind_kit.fitting.visit_likelihood import further_terms
from spectramind_kit.instruments import is_fgs1
from tests.fitting.transit_light_curves import N_TIME, light_curves, standardised_level_error

WAVELENGTH = np.array([0.7, 2.0, 2.5, 3.0, 3.5, 3.9])
TIME = np.linspace(0.0, 27000.0, 100)
NAMES = ("fgs1_row_centroid", "fgs1_column_centroid", "fgs1_row_width", "airs_row_centroid")


def drift(order=3, wavelength_order=2, wavelength=WAVELENGTH):
    return systematics(TIME, wavelength, drift_terms(TIME, wavelength, order, wavelength_order))


def series(made, coefficients):
    """Return the systematics (n_wavelength, n_time) of some coefficients."""
    return 1.0 + ((made.mixing @ coefficients) @ made.functions)


def motions():
    """Centroids and widths that move by a tenth of a pixel."""
    return 15.0 + 0.1 * np.random.default_rng(0).standard_normal((100, 4))


def test_channels_are_distinguished_by_wavelength():
    assert is_fgs1(np.array([0.7, 0.705, 1.95])).tolist() == [True, True, False]


def test_drift_of_fgs1_is_its_own():
    made = drift()
    n_coefficient = made.mixing.shape[2]
    assert n_coefficient == 3 * (3 + 1)  # three powers of time; three degrees in wavelength for AIRS-CH0, one for FGS1
    moved = [series(made, unit) - 1.0 for unit in np.eye(n_coefficient)]
    acts_on_fgs1 = [np.abs(m[0]).max() > 0 for m in moved]
    acts_on_airs = [np.abs(m[1:]).max() > 0 for m in moved]
    assert sum(acts_on_fgs1) == 3 and sum(acts_on_airs) == 9
    assert not any(f and a for f, a in zip(acts_on_fgs1, acts_on_airs))
    assert len(made.functions) == 3  # terms that follow the same function share its row


def test_no_function_is_kept_twice():
    names = (*NAMES, "airs_row_width")
    moved = np.random.default_rng(0).standard_normal((N_TIME, len(names)))
    curves = replace(light_curves()[0], regressors=moved, regressor_names=names)
    terms = further_terms(curves, WAVELENGTH)
    made = systematics(curves.time, WAVELENGTH, terms)
    # A step of a fit costs the square of how many there are.
    assert (
        len(made.functions) == len(np.unique(made.functions, axis=0)) == N_MODE + 4 + 3 + 2
    )  # cosines, ramps, bends, widths
    assert made.mixing.shape == (len(WAVELENGTH), len(made.functions), len(terms))
    for term, mixing in zip(terms, np.moveaxis(made.mixing, 2, 0)):
        np.testing.assert_array_equal(mixing @ made.functions, np.outer(term.strength, term.function), term.name)


def test_any_polynomial_drift_can_be_represented():
    made = drift()
    x, colour = np.linspace(-1, 1, 100), np.linspace(1.0, 0.5, 5)
    wanted = (0.3 * x - 0.2 * x**3)[None] * colour[:, None] ** 2
    basis = np.stack([(series(made, unit) - 1.0)[1:].ravel() for unit in np.eye(12)], axis=1)
    levels = np.repeat(np.eye(5), 100, axis=0)  # the star's level takes up what is constant in time
    fitted, *_ = np.linalg.lstsq(np.hstack([basis, levels]), wanted.ravel(), rcond=None)
    left = wanted.ravel() - np.hstack([basis, levels]) @ fitted
    assert np.abs(left).max() < 0.02 * np.abs(wanted).max()  # wavelengths of the test are not evenly spaced


def test_nothing_moves_the_level_of_the_star():
    terms = drift_terms(TIME, WAVELENGTH, 5, 2) + pointing_terms(WAVELENGTH, motions(), NAMES)
    assert np.abs([term.function.mean() for term in terms]).max() < 1e-2 * min(np.ptp(t.function) for t in terms)
    (jump,) = {id(t.function): t.function for t in jump_terms(TIME, WAVELENGTH, 0, [13500.0])}.values()
    assert jump.mean() == pytest.approx(0.0, abs=1e-12) and np.ptp(jump) == 1.0


def test_every_way_of_following_jumps_by_a_size_of_its_own():
    terms = jump_terms(TIME, WAVELENGTH, 1, [6000.0, 13500.0])
    assert len(terms) == 2 * 3 and {term.scatter for term in terms} == {JUMP_SCATTER}
    made = systematics(TIME, WAVELENGTH, terms)
    after = series(made, np.ones(6))[:, -1] - series(made, np.ones(6))[:, 0]
    assert after[0] == pytest.approx(2.0) and np.abs(np.diff(after[1:])).min() > 0.0


def test_every_centroid_acts_on_both_channels_and_no_width_does():
    made = systematics(TIME, WAVELENGTH, pointing_terms(WAVELENGTH, motions(), NAMES))
    moved = np.array([series(made, unit) - 1.0 for unit in np.eye(len(made.names))])
    for place, name in ((0, "fgs1_row_centroid"), (1, "fgs1_column_centroid"), (3, "airs_row_centroid")):
        of_it = np.array([each.endswith(f"/{name}") for each in made.names])
        assert np.abs(moved[of_it, 0]).max() > 0.0 and (np.abs(moved[of_it, 1:]).max(axis=(0, 2)) > 0.0).all()
        alone = moved[of_it][np.abs(moved[of_it, 0]).max(axis=1) > 0.0][0, 0]
        assert np.corrcoef(alone, motions()[:, place])[0, 1] == pytest.approx(1.0)
    assert not any("width" in name for name in made.names)


def test_what_a_pixel_of_motion_does_does_not_depend_on_the_visit():
    """The function is in tenths of a pixel; the prior scatter is that of the effect, whatever the motion."""
    one, two = (dict(moving(15.0 + size * (motions() - 15.0), NAMES)) for size in (1.0, 3.0))
    for name in NAMES:
        np.testing.assert_allclose(two[name], 3.0 * one[name], rtol=1e-9)
    assert np.ptp(one[NAMES[0]]) == pytest.approx(10.0 * np.ptp(motions()[:, 0]), rel=0.05)
    calm, wild = (pointing_terms(WAVELENGTH, 15.0 + size * (motions() - 15.0), NAMES) for size in (1.0, 3.0))
    effects = [[term.scatter * term.function.std() for term in terms] for terms in (calm, wild)]
    np.testing.assert_allclose(effects, 1.0)


def test_one_wild_centroid_does_not_set_the_slope():
    regressors = motions()
    regressors[50, 0] += 1e3
    (_, motion), *_ = moving(regressors, NAMES)
    assert np.abs(motion).max() <= 4.0 * (regressors[:, 0] - regressors[:, 0].mean()).std() / 0.1 * (1.0 + 1e-9)


@pytest.mark.parametrize("value", [np.nan, np.inf, 15.0])
def test_useless_regressors_are_left_out(value):
    assert pointing_terms(WAVELENGTH, np.full((100, 1), value), ("fgs1_row_centroid",)) == []


def test_names_are_unique_and_say_their_kind():
    terms = drift_terms(TIME, WAVELENGTH, 5, 2) + jump_terms(TIME, WAVELENGTH, 2, [3000.0, 9000.0])
    terms += pointing_terms(WAVELENGTH, motions(), NAMES)
    names = systematics(TIME, WAVELENGTH, terms).names
    assert len(set(names)) == len(names)
    assert {kind_of(name).partition("_")[0] for name in names} == {"drift", "jump", "pointing"}


def test_one_channel_alone():
    assert drift(wavelength=WAVELENGTH[:1]).mixing.shape[2] == 3
    assert drift(wavelength=WAVELENGTH[1:]).mixing.shape[2] == 9


def test_without_terms_there_are_no_systematics():
    made = systematics(TIME, WAVELENGTH, [])
    assert made.names == () and (series(made, np.zeros(0)) == 1.0).all()


def test_a_range_without_extent_is_its_middle():
    assert polynomial_basis(np.array([2.9]), 2)[:, 0].tolist() == [1.0, 0.0, -0.5]


def test_pointing_that_moves_the_flux_of_airs_is_regressed_out(config):
    """A slow excursion during the transit looks like depth, unless the centroid says where it comes from."""
    curves, planet, true = light_curves(seed=5)
    walk = np.cumsum(np.random.default_rng(6).standard_normal(N_TIME))
    motion = (walk - walk.mean()) / walk.std() + 2.0 * np.exp(-0.5 * ((curves.time - 13500.0) / 2500.0) ** 2)
    strength = np.r_[4e-4, np.linspace(6e-4, 3e-4, 282)]
    shaken = replace(curves, flux=curves.flux * (1.0 + motion[:, None] * strength))
    known = replace(shaken, regressors=0.05 * motion[:, None], regressor_names=("airs_row_centroid",))
    whole, with_it, without = (fit_transit(c, planet, config.fit) for c in (curves, known, shaken))
    level_sigma = [np.sqrt(fit.covariance[1:, 1:].mean()) for fit in (with_it, without)]
    assert level_sigma[0] < 0.3 * level_sigma[1]  # without the centroid it may be noise
    assert abs((with_it.depth - true)[1:].mean()) < 3e-5
    assert abs(standardised_level_error(with_it.depth, with_it.covariance, true)) < 3.0
    assert abs(with_it.depth[0] - true[0]) < 3.0 * with_it.sigma[0]
    assert np.median(with_it.sigma / whole.sigma) < 1.3
