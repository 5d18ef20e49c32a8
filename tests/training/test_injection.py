"""Other spectra in real noise: the fit finds what was put in, and the noise stays what it was."""

import numpy as np
import pytest

from spectramind_kit.config import load_config
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.products import Planet
from spectramind_kit.training.injection import injected_curves, limb_darkening_of, sampled_spectrum, transit_of
from tests.training.fitted_light_curves import fitted


@pytest.fixture(scope="module")
def config():
    return load_config().fit


def test_the_fits_own_depths_give_its_own_transit(config):
    curves, fit, planet, _ = fitted()
    again = transit_of(fit, planet, fit.depth, curves.bin_seconds, config)
    # Orbit and depths are the posterior's, with noise beside the drift; the model is where the fit itself ended.
    np.testing.assert_allclose(again, fit.model, atol=6e-5)


def test_the_injected_spectrum_is_found(config):
    curves, fit, planet, true = fitted()
    spectrum = 1.2 * true * (1.0 + 0.03 * np.sin(np.linspace(0.0, 6.0, len(true))))
    new = injected_curves(curves, fit, planet, spectrum, config)
    found = fit_transit(new, planet, config)
    residual = (found.depth - spectrum) / found.sigma
    assert np.mean(residual[1:] ** 2) < 1.6 and abs(residual[0]) < 4.0
    assert abs(found.depth[1:].mean() / true[1:].mean() - 1.2) < 0.02


def test_noise_and_drift_stay_what_they_were(config):
    curves, fit, planet, true = fitted()
    new = injected_curves(curves, fit, planet, 1.1 * true, config)
    larger = transit_of(fit, planet, 1.1 * true, curves.bin_seconds, config)
    out = ((fit.model == 1.0) & (larger == 1.0)).all(axis=1)  # a larger planet touches the star earlier
    assert out.sum() > 20
    np.testing.assert_array_equal(new.flux[out], curves.flux[out])
    star = new.flux / larger
    np.testing.assert_allclose(star, curves.flux / fit.model, rtol=1e-12)


def test_a_sampled_spectrum_has_anothers_shape_at_a_level_near_its_own():
    rng = np.random.default_rng(0)
    spectra = np.random.default_rng(1).uniform(0.5, 1.5, (6, 283)) * np.linspace(0.004, 0.03, 6)[:, None]
    shapes = spectra / spectra[:, 1:].mean(axis=1, keepdims=True)
    for _ in range(20):
        sampled = sampled_spectrum(spectra[2], spectra, rng)
        level = sampled[1:].mean()
        assert 0.5 < level / spectra[2, 1:].mean() < 2.0
        assert np.abs(shapes - sampled / level).max(axis=1).min() < 1e-12


def test_limb_darkening_of_a_planet_without_star_is_a_typical_ones(config):
    _, fit, _, _ = fitted()
    u = limb_darkening_of(fit, Planet(1), config)
    assert u.shape == (283, 2) and (np.abs(u) < 1.0).all()
