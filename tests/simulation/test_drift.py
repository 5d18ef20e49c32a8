"""Drift of the gain: law, rank, colour, and the size of the real ones."""

import numpy as np
import pytest

from spectramind_kit.config import load_config
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.simulation.drift import Drift, draw_drift

PHASE = (np.arange(300) + 0.5) / 300
REDNESS = np.linspace(0.0, 1.0, 30)


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def test_drift_by_hand():
    gain = Drift((1e-3, 0.0, -2e-3), red=0.5, bend=0.1).gain(np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.5, 1.0]))
    f = np.array([0.0, 1e-3 * 0.5 - 2e-3 * 0.125, -1e-3])
    assert gain == pytest.approx(1.0 + np.outer([1.0, 0.75 + 0.1, 0.5], f))


def test_drift_has_rank_one_and_a_colour_that_is_no_straight_line(rng):
    for _ in range(5):
        drift = draw_drift(AIRS, 1e-3, rng)
        gain = drift.gain(PHASE, REDNESS) - 1.0
        strength = np.linalg.svd(gain, compute_uv=False)
        assert strength[1] < 1e-12 * strength[0]
        assert gain[-1] == pytest.approx(drift.red * gain[0], abs=1e-15)


def test_coefficients_are_uniform_and_every_order_occurs(rng):
    drifts = [draw_drift(AIRS, 1e-3, rng) for _ in range(300)]
    assert {len(d.coefficients) for d in drifts} == {3, 4, 5, 6}
    c = np.concatenate([d.coefficients for d in drifts])
    assert np.abs(c).max() < 1e-3 and c.mean() == pytest.approx(0.0, abs=1e-4)
    assert c.std() == pytest.approx(1e-3 / np.sqrt(3), rel=0.05)
    assert np.mean([d.red for d in drifts]) == pytest.approx(0.5, abs=0.05), "as on the real curves"
    assert np.std([d.red for d in drifts]) > 0.1


@pytest.mark.parametrize("channel, lowest", [(AIRS, 0.3e-3), (FGS1, 0.8e-3)])
def test_the_lowest_legendre_degrees_are_as_large_as_on_the_real_curves(rng, channel, lowest):
    size = load_config().simulation.drift
    curves = np.array([draw_drift(channel, size, rng).gain(PHASE, np.zeros(1))[0] for _ in range(600)]) - 1.0
    fitted = np.polynomial.legendre.legfit(2.0 * PHASE - 1.0, curves.T, 6)[1:3]
    assert np.sqrt((fitted**2).mean()) == pytest.approx(lowest, rel=0.1)
