"""Pictures: what is drawn is the product, also where points were rejected."""

import numpy as np

from spectramind_kit.diagnostics.plots import plot_fit
from spectramind_kit.products import Estimate, TransitFit


def fit_with_lost_points() -> TransitFit:
    """Every wavelength has lost a point, one exposure is lost at all of them."""
    rng = np.random.default_rng(5)
    model = np.ones((40, 6))
    model[15:25] = 0.99
    flux = model + 1e-4 * rng.standard_normal(model.shape)
    flux[np.arange(6) + 3, np.arange(6)] = np.nan
    flux[30] = np.nan
    wavelength = np.array([0.7, 2.0, 2.5, 3.0, 3.5, 3.9])
    depth, time = np.full(6, 0.01), 120.0 * np.arange(40)
    parameters = {"mid_time": Estimate(2400.0, 1.0)}
    return TransitFit(1, 0, wavelength, depth, 1e-10 * np.eye(6), parameters, time, flux, model, np.ones(6))


def test_white_light_is_drawn_from_the_points_that_were_kept():
    fit = fit_with_lost_points()
    airs = plot_fit(fit).axes[2].lines[0].get_ydata()
    kept = np.arange(40) != 30
    assert np.isnan(airs[30]) and np.isfinite(airs[kept]).all()
    np.testing.assert_allclose(airs[kept], fit.model[kept, 1], atol=3e-4)
