"""Times of real and averaged reads."""

import numpy as np
import pytest

from spectramind_kit.errors import ConfigurationError
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.simulation.cadence import OBSERVATION_TIME, Cadence


def test_full_size_times_are_those_of_the_real_axis_file():
    airs, fgs1 = Cadence(AIRS, 1), Cadence(FGS1, 1)
    assert (2 * airs.n_pair, 2 * fgs1.n_pair) == (11_250, 135_000)
    assert airs.frame_times()[:4] == pytest.approx([0.1, 0.2, 4.9, 5.0])
    assert fgs1.frame_times()[:4] == pytest.approx([0.1, 0.2, 0.5, 0.6])
    assert airs.frame_times()[-1] == pytest.approx(26_995.4)
    assert fgs1.frame_times()[-1] == pytest.approx(26_999.8)


def test_stored_times_are_means_over_whole_windows():
    real, stored = Cadence(AIRS, 1), Cadence(AIRS, 25)
    assert stored.n_pair == 225
    assert stored.resets()[3] == pytest.approx(real.resets()[75:100].mean())
    assert stored.mid_times() - stored.resets() == pytest.approx(np.mean(AIRS.read_times))
    uneven = Cadence(AIRS, 1000)
    assert uneven.n_pair == 5, "the last 625 pairs do not fill a window"
    assert uneven.average(np.arange(5625.0))[-1] == pytest.approx(np.arange(4000, 5000).mean())


def test_both_channels_cover_the_same_visit():
    for cadence in (Cadence(AIRS, 25), Cadence(FGS1, 100)):
        spacing = np.diff(cadence.mid_times())
        assert spacing == pytest.approx(cadence.n_average * cadence.channel.pair_period)
        assert cadence.n_pair * spacing[0] == pytest.approx(OBSERVATION_TIME)


@pytest.mark.parametrize("average", [0, 5000])
def test_refuses_averages_that_leave_no_series(average):
    with pytest.raises(ConfigurationError, match="AIRS-CH0.*simulation.airs_average"):
        Cadence(AIRS, average)
