"""Light curves without star and instrument, where the instrument does what only the posterior knows."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.fitting.posterior import fit_transit
from tests.fitting.transit_light_curves import light_curves, relative_noise

AIRS = slice(1, None)
WHITE_NOISE = float((relative_noise()[AIRS] ** -2.0).sum() ** -0.5)
MOVED = 4e-4
"""What a usual change of the widths, and the ramp, do to the light: ten times the noise of the white light."""


def width(n_time):
    """Widths of the image, (n_time,) [pixel]."""
    return 1.5 + 0.02 * np.sin(np.arange(n_time) / 7.0) + 0.01 * np.random.default_rng(8).standard_normal(n_time)


def disturbed(curves, change):
    """Light curves whose AIRS-CH0 changes by (n_time,) and whose widths are known."""
    flux = curves.flux.copy()
    flux[:, AIRS] *= 1.0 + change[:, None]
    observed = width(len(curves.time))[:, None]
    return replace(curves, flux=flux, regressors=observed, regressor_names=("fgs1_row_width",))


@pytest.fixture(scope="module", params=["width", "ramp", "nothing"])
def fit(request, config):
    curves, planet, _ = light_curves(drift_size=3e-4)
    moved, ramp = width(len(curves.time)), np.exp(-(curves.time - curves.time[0]) / 1800.0)
    change = {"width": (moved - moved.mean()) / moved.std(), "ramp": ramp - ramp.mean(), "nothing": 0.0 * ramp}
    return fit_transit(disturbed(curves, MOVED * change[request.param]), planet, config.fit)


def white_residual(fit):
    """The AIRS-CH0 residuals of all wavelengths together, (n_time,), over their noise."""
    weight = np.where(np.isfinite(fit.residual), relative_noise() ** -2.0, 0.0)[:, AIRS]
    return np.nansum(weight * fit.residual[:, AIRS], axis=1) / weight.sum(axis=1) / WHITE_NOISE


def test_residuals_are_those_of_the_noise(fit):
    residual, observed = white_residual(fit), width(len(fit.time))
    assert residual.std() < 1.2
    assert abs(np.corrcoef(residual, observed)[0, 1]) < 0.25


def test_star_alone_is_one_outside_the_transit(fit):
    outside = (fit.time < 6000.0) | (fit.time > 21000.0)
    assert fit.model[outside] == pytest.approx(1.0, abs=1e-12)


def test_transit_has_the_depths_that_are_answered(fit):
    dip = 1.0 - fit.model[np.argmin(np.abs(fit.time - 13500.0))]
    ratio = dip / fit.depth  # a constant of limb darkening, one for a channel and a line in wavelength at most
    line = np.polynomial.Polynomial.fit(fit.wavelength[AIRS], ratio[AIRS], 1)(fit.wavelength[AIRS])
    assert ratio[AIRS] == pytest.approx(line, rel=0.005)
