"""When a channel is read: the detector's own pairs of reads, and the stored frames that are means of them.

The detector is reset and read twice every ``pair_period``; the axis file tells when the light of each of the two frames
begins to count: at the reset, and at the first read. A stored pair is the mean of ``n_average``
consecutive real ones (whole windows only), so what a stored frame holds has the mean's time, signal and noise.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.errors import ConfigurationError
from spectramind_kit.instruments import Channel

OBSERVATION_TIME = 27_000.0
"""Length of a visit [s]."""

FIRST_RESET = 0.1
"""When the light of a visit's first frame begins to count, as the axis file gives it [s]."""


@dataclass(frozen=True)
class Cadence:
    """The reads of one channel over a visit.

    Attributes:
        channel: the detector.
        n_average: real pairs that one stored pair is the mean of; 1 is the full size.
    """

    channel: Channel
    n_average: int

    def __post_init__(self):
        if not 1 <= self.n_average <= self.n_real // 2:
            raise ConfigurationError(
                f"pairs of {self.channel.name} averaged into one stored pair",
                wanted=f"1 to {self.n_real // 2}",
                got=self.n_average,
                remedy="set simulation.airs_average and simulation.fgs1_average",
            )

    @property
    def n_real(self) -> int:
        """Pairs the detector takes."""
        return round(OBSERVATION_TIME / self.channel.pair_period)

    @property
    def n_pair(self) -> int:
        """Pairs that are stored."""
        return self.n_real // self.n_average

    @property
    def stored_exposure(self) -> float:
        """Time from the first to the last light of a stored exposure [s]."""
        return (self.n_average - 1) * self.channel.pair_period + self.channel.exposure_time

    def average(self, series: np.ndarray) -> np.ndarray:
        """Return the means over whole windows: (..., n_real) becomes (..., n_pair)."""
        whole = series[..., : self.n_pair * self.n_average]
        return whole.reshape(*series.shape[:-1], self.n_pair, self.n_average).mean(axis=-1)

    def resets(self) -> np.ndarray:
        """Return when each stored pair was reset, (n_pair,) [s]."""
        return self.average(FIRST_RESET + self.channel.pair_period * np.arange(self.n_real))

    def frame_times(self) -> np.ndarray:
        """Return the time of each stored frame, (2 n_pair,) [s], as the axis file gives it."""
        reset = self.resets()
        return np.column_stack([reset, reset + self.channel.read_times[0]]).ravel()

    def mid_times(self) -> np.ndarray:
        """Return the middle of each stored exposure's light, from the first read to the second, (n_pair,) [s]."""
        return self.resets() + self.channel.read_times[0] + self.channel.exposure_time / 2


def exposure_instants(middle: np.ndarray, length: float, n: int) -> np.ndarray:
    """Return moments spread evenly over exposures of a length about their middle, (n_time, n) [s]."""
    return middle[:, None] + length * ((np.arange(n) + 0.5) / n - 0.5)
