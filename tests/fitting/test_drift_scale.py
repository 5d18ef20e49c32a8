"""The size of the drift by empirical Bayes: small where the visit is quiet, as large as it is where it is not."""

import numpy as np
import pytest

from spectramind_kit.fitting import posterior
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.systematics import kind_of
from tests.fitting.transit_light_curves import N_TIME, light_curves


@pytest.fixture
def sizes(config, monkeypatch):
    """Fit a visit with a drift of some size; return the prior scatter of AIRS-CH0's grey drift over the configured."""

    def found(drift_size):
        ratios = []
        original = posterior.empirical_bayes_scatter

        def spy(model, solution):
            scatter = original(model, solution)
            grey = np.array([kind_of(name) == "drift_airs_0" for name in model.names])
            ratios.append(float((scatter / model.prior_scatter)[grey].mean()))
            others = np.array([not name.startswith(("drift", "pointing", "noise")) for name in model.names])
            assert np.array_equal(scatter[others], model.prior_scatter[others])
            return scatter

        monkeypatch.setattr(posterior, "empirical_bayes_scatter", spy)
        curves, planet, _ = light_curves(seed=3, drift_size=drift_size)
        fit = fit_transit(curves, planet, config.fit)
        monkeypatch.setattr(posterior, "empirical_bayes_scatter", original)
        return ratios[0], np.sqrt(fit.covariance[0, 0])

    return found


def test_the_prior_follows_the_drift(sizes):
    assert len(light_curves(seed=3)[0].time) == N_TIME
    (quiet, sigma_quiet), (loud, sigma_loud) = sizes(1e-5), sizes(1e-2)
    assert quiet < 0.6 and loud > 1.0
    assert sigma_quiet < sigma_loud
