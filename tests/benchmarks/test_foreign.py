"""A world that nobody here simulated, its planets answered without their own labels; bounds that only get better."""

from pathlib import Path

import numpy as np
import pytest

from spectramind_kit.products import LightCurves, TransitFit
from spectramind_kit.simulation.starlight import label_wavelengths

WORLD = Path(__file__).resolve().parents[2].parent / "shared" / "worlds" / "pointing_moves_flux.npz"
N_PLANET = 12
SIGMA = 2e-4


@pytest.fixture(scope="module")
def foreign(benchmark):
    """The benchmark as a module."""
    return benchmark("foreign")


def labels_of_planets() -> dict[int, np.ndarray]:
    """Spectra of a band of random strength, by planet."""
    rng, wavelength = np.random.default_rng(1), label_wavelengths()
    band = np.exp(-(((wavelength - 2.7) / 0.2) ** 2))
    levels = rng.uniform(0.005, 0.03, N_PLANET)
    return {100 + i: level * (1.0 + 0.01 * rng.standard_normal() * band) for i, level in enumerate(levels)}


def fits_of(labels: dict[int, np.ndarray]) -> dict[int, list[TransitFit]]:
    """Fits that measure labels with independent errors, one visit each."""
    rng, wavelength = np.random.default_rng(2), label_wavelengths()
    flat = np.ones((3, len(wavelength)))
    return {
        planet: [
            TransitFit(
                planet_id=planet,
                visit=0,
                wavelength=wavelength,
                depth=label + SIGMA * rng.standard_normal(len(label)),
                covariance=SIGMA**2 * np.eye(len(label)),
                parameters={},
                time=np.arange(3.0),
                flux=flat,
                model=flat,
                noise_scale=flat[0],
            )
        ]
        for planet, label in labels.items()
    }


@pytest.fixture(scope="module")
def answers(foreign, config):
    """Planets that are all measured."""
    labels = labels_of_planets()
    return foreign.held_out_score(fits_of(labels), labels, {}, config)


def test_planets_are_answered_as_well_as_they_are_measured(answers):
    assert answers.mean.shape == answers.sigma.shape == (N_PLANET, 283)
    np.testing.assert_array_equal(answers.truth, np.array(list(labels_of_planets().values())))
    figures = answers.figures()
    assert 0.4 < figures["score"] < 0.9
    assert 0.3 < figures["z2_airs"] < 2.0
    assert np.sqrt(np.mean((answers.mean - answers.truth)[:, 1:] ** 2)) < 0.5 * SIGMA


def test_a_planet_is_answered_without_its_own_label_and_without_a_fit_as_the_population(foreign, answers, config):
    labels = labels_of_planets()
    first, last = min(labels), max(labels)
    fold = foreign.assign_folds(list(labels), 5, config.seed)
    changed = foreign.held_out_score(fits_of(labels) | {last: []}, labels | {first: 1.1 * labels[first]}, {}, config)
    np.testing.assert_array_equal(answers.mean[0], changed.mean[0])
    assert not np.array_equal(answers.mean[fold != fold[0]], changed.mean[fold != fold[0]])
    assert changed.sigma[-1].min() > 0.003 and changed.sigma[:-1].max() < 0.001


@pytest.mark.parametrize("noise", [1.0, 3.0])
def test_the_scatter_is_that_of_the_residuals_over_what_errors_promise(foreign, noise):
    rng, n_time = np.random.default_rng(3), 4000
    wavelength, level = label_wavelengths()[:41], 1e4
    model = np.ones((n_time, 41))
    model[1500:2500] = 0.98
    residual = 1e-3 * rng.standard_normal(model.shape)
    residual[:, 1:] *= noise
    residual[1500:2500] *= 10.0  # what is in transit does not count
    flux = model + residual
    flux[::50, 3] = np.nan
    error, nothing = np.full(model.shape, 1e-3 * level), np.empty((n_time, 0))
    curves = LightCurves(1, 0, np.arange(n_time), 1.0, level * model, error, wavelength, nothing)
    fit = TransitFit(1, 0, wavelength, np.zeros(41), np.eye(41), {}, curves.time, flux, model, np.ones(41))
    assert foreign.scatter_over_expected(curves, fit) == pytest.approx((1.0, noise), rel=0.06)


@pytest.mark.skipif(not WORLD.is_file(), reason="no foreign world beside the project")
def test_the_foreign_world_is_answered_as_well_as_it_was(foreign, config):
    found = foreign.measure(WORLD, config, workers=1, n_planet=8)
    assert found["foreign_score"] > 0.45
    assert 0.5 < found["foreign_z2_fgs1"] < 2.0
    assert 0.5 < found["foreign_z2_airs"] < 2.0
    assert found["foreign_scatter_fgs1"] < 1.1
    assert found["foreign_scatter_airs"] < 7.0
