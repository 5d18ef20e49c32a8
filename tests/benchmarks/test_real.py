"""The fit against real labels and light curves: bounds that may get better, never worse."""

import sys
from pathlib import Path

import numpy as np
import pytest

PROJECT = Path(__file__).resolve().parents[2]
REAL = PROJECT.parent / "shared" / "real_2024"
pytestmark = pytest.mark.skipif(
    not (REAL / "white_673.npz").is_file(), reason="no real curves of 2024 beside the project"
)


@pytest.fixture(scope="module")
def real():
    """The benchmark of real data as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROJECT / "benchmarks"))
        import real

        yield real
    sys.modules.pop("real", None)


@pytest.fixture(scope="module")
def fits(real):
    return real.white_fits(REAL / "white_673.npz", 24, workers=1)


def test_levels_of_real_white_curves_are_as_right_as_they_were(real, fits):
    found = real.white_figures(fits)
    assert found["white_rms_ppm"] < 48.0
    assert found["white_rms_ppm"] < found["white_cubic_rms_ppm"]
    assert 0.6 < found["white_z2"] < 1.5
    assert found["white_outliers"] == 0


def test_three_quarters_of_the_curves_judge_whatever_their_order(real):
    judged = [real.WhiteFit(place, 0.0, 1.0, 0.0, 0.0).judged for place in range(673)]
    assert np.mean(judged) == pytest.approx(0.75, abs=0.04)
    assert judged[:12] == [real.WhiteFit(place, 0.1, 2.0, 0.0, 0.0).judged for place in range(12)]


def test_the_labelled_planet_is_where_its_label_is(real):
    found = real.planet_of_2024(REAL / "light_curves_724899303.npz")
    assert abs(found["planet2024_z"]) < 2.5
    assert abs(found["planet2024_fgs1_z"]) < 3.0
    assert 0.5 < found["planet2024_shape_z2"] < 1.3
