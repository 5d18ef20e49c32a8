"""The white light of a long transit beside what imitates one."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.fitting.curve_model import MID_TIME
from spectramind_kit.fitting.posterior import white_light
from tests.fitting.transit_light_curves import light_curves

TWO_THIRDS = {"depth": 0.004, "semi_major_axis": 5.66, "period": 3.4625, "impact_parameter": 0.05, "mid_time": 15_911.0}
"""Of the window is how long the transit of this orbit takes."""
FGS1_DRIFT = (0.0007, 0.0068, -0.0868, 0.1552, -0.0761)
AIRS_DRIFT = (0.0001, 0.0047, -0.0319, 0.0501, -0.0243)
"""Of the powers of the place in the visit: a drift that falls while the transit ends."""


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_a_long_transit_in_a_strong_drift_is_not_taken_for_a_longer_one_that_is_cut(config, seed):
    """Searched for without the star table its end was missed by half an hour, and two spots explained the rest."""
    curves, planet, _ = light_curves(seed=seed, drift_size=1e-9, **TWO_THIRDS)
    powers = (curves.time / curves.time[-1]) ** np.arange(1, 6)[:, None]
    fgs1, airs = 1.0 + np.array([FGS1_DRIFT, AIRS_DRIFT]) @ powers
    white, _, _ = white_light(
        replace(curves, flux=curves.flux * np.column_stack([fgs1] + [airs] * 282)), planet, config.fit
    )
    assert abs(white.solution.state.shared[MID_TIME] - 15_911.0) < 60.0
    assert white.crossings == () and white.jumps == ()
