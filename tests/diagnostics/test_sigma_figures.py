"""Are sigmas calibrated? The verdict follows the errors, and says how far off."""

import numpy as np
import pytest

from spectramind_kit.diagnostics import sigma_figures
from spectramind_kit.diagnostics.predictions import Predictions


def test_right_sigmas_are_calibrated_and_wrong_ones_say_by_how_much(predicted):
    right = sigma_figures.coverages(predicted())
    assert all(each.is_calibrated and each.verdict.startswith("calibrated: ") for each in right)
    assert right[1].scale == pytest.approx(1.0, abs=0.03)
    small, large = (sigma_figures.coverages(predicted(error=error))[1] for error in (2.0, 0.5))
    assert small.verdict.startswith("too small by about 2.0") and not small.is_calibrated
    assert large.verdict.startswith("too large by about 2.0")


def test_planets_are_what_is_independent():
    """One common error a planet: 283 wavelengths prove no more than one."""
    rng = np.random.default_rng(0)
    truth = np.full((40, 283), 0.01)
    mean = truth + 1e-4 * rng.standard_normal((40, 1))
    common = sigma_figures.coverages(Predictions("test", np.arange(40), mean, np.full(truth.shape, 1e-4), truth))[1]
    assert 0.05 < common.standard_error < 0.1 and common.is_calibrated


def test_one_planet_proves_nothing(predicted):
    one = sigma_figures.coverages(predicted(1))
    assert all(np.isnan(each.standard_error) and not each.is_calibrated for each in one)


def test_transform_of_right_errors_is_flat(predicted):
    density = sigma_figures.pit_figure(predicted(200)).traces[1]["y"]
    np.testing.assert_allclose(density, 1.0, atol=0.05)


def test_reliability_puts_errors_beside_their_sigmas(predicted):
    airs = sigma_figures.reliability_figure(predicted(200, error=3.0)).traces[1]
    np.testing.assert_allclose(np.array(airs["y"]) / np.array(airs["x"]), 3.0, rtol=0.05)


@pytest.mark.parametrize("draw", ["coverage", "pit", "reliability", "z_by_wavelength", "z_by_depth"])
def test_every_figure_can_be_drawn_of_one_planet(predicted, draw):
    figure = getattr(sigma_figures, f"{draw}_figure")(predicted(1))
    assert figure.traces and figure.note
