"""Centres, scales and typical values: what goes in comes out, and planets with gaps spoil nothing."""

import numpy as np

from spectramind_kit.public_baselines.scaling import learn_scaling
from spectramind_kit.public_baselines.sigma_rule import CONSTANT

RNG = np.random.default_rng(0)
INPUTS = np.column_stack([RNG.uniform(50, 300, 40), RNG.uniform(0.6, 1.6, 40), np.full(40, 88.0)])
NOISE = RNG.uniform(0.5, 1.5, (40, 2)) * [6e-4, 7e-5]
SPECTRA = RNG.uniform(0.005, 0.03, (40, 1)) * (1 + 0.02 * np.sin(np.linspace(0, 6, 283)))


def test_standardised_numbers_have_mean_zero_and_spread_one():
    scaling = learn_scaling(INPUTS, NOISE, SPECTRA, standardised=True)
    inputs, targets = scaling.inputs(INPUTS).numpy(), scaling.targets(SPECTRA).numpy()
    np.testing.assert_allclose(inputs.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(inputs[:, :2].std(axis=0), 1.0, rtol=1e-5)
    assert (inputs[:, 2] == 0).all(), "a feature that is the same for all is left in its unit"
    np.testing.assert_allclose(targets.std(), 1.0, rtol=1e-5)


def test_public_numbers_are_features_as_they_come_and_depths_in_units_of_1e_4():
    scaling = learn_scaling(INPUTS, NOISE, SPECTRA, standardised=False)
    np.testing.assert_allclose(scaling.inputs(INPUTS).numpy(), INPUTS, rtol=1e-6)
    np.testing.assert_allclose(scaling.targets(SPECTRA).numpy(), 1e4 * SPECTRA, rtol=1e-6)


def test_spectra_survive_the_way_there_and_back():
    for standardised in (True, False):
        scaling = learn_scaling(INPUTS, NOISE, SPECTRA, standardised)
        np.testing.assert_allclose(scaling.spectra(scaling.targets(SPECTRA)), SPECTRA, rtol=1e-5)


def test_a_planet_with_a_gap_counts_for_the_population_only():
    gap = INPUTS.copy()
    gap[0, 0] = np.nan
    with_gap = learn_scaling(gap, NOISE, SPECTRA, standardised=True)
    without = learn_scaling(INPUTS[1:], NOISE[1:], SPECTRA[1:], standardised=True)
    for name in ("input_centre", "input_scale", "target_centre", "target_scale"):
        np.testing.assert_array_equal(getattr(with_gap, name), getattr(without, name))
    np.testing.assert_allclose(with_gap.population_mean, SPECTRA.mean(axis=0))


def test_typical_noise_is_the_median_of_what_was_measured():
    noise = np.column_stack([NOISE[:, 0], np.full(40, np.nan)])
    noise[:3, 0] = np.nan
    typical = learn_scaling(INPUTS, noise, SPECTRA, standardised=False).typical_noise
    assert typical[0] == np.median(NOISE[3:, 0]) and np.isnan(typical[1])


def test_planets_that_are_all_alike_still_leave_a_sigma():
    alike = np.full((40, 283), 0.01)
    scaling = learn_scaling(INPUTS, NOISE, alike, standardised=True)
    np.testing.assert_array_equal(scaling.population_spread, CONSTANT)
    assert np.isfinite(scaling.targets(alike).numpy()).all()
