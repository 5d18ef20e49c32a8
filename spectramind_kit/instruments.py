"""The two detectors of the challenge as numbers: shapes, science columns, read times.

Read times since reset are those of real frames: the second reads of bright pixels are 46.0 times the first ones on
AIRS-CH0 (0.1 s and 4.6 s) and 2.0 times on FGS1 (0.1 s and 0.2 s). The axis file gives when the light of each frame
begins to count: a pair is reset at the time of its first frame and read for the first time at that of its second one.
"""

from dataclasses import dataclass

import numpy as np

N_WAVELENGTH = 283
FGS1_WAVELENGTH = 0.7
"""Label of the FGS1 point [um]; its band is 0.60-0.80 um."""
FGS1_LONGEST_WAVELENGTH = 1.2
"""Points of shorter wavelength belong to FGS1, all others to AIRS-CH0 [um]."""


@dataclass(frozen=True)
class Channel:
    """One detector.

    Attributes:
        name: as in the file names of the competition.
        n_row: detector rows, the spatial axis.
        n_column: detector columns, the spectral axis of AIRS-CH0.
        science_columns: half-open range of columns that carry scored wavelengths.
        read_times: time since reset of the two reads of a CDS pair [s], measured.
        integration_times: how long light counts before the first read and between the two [s], see the axis file.
        pair_period: time from one CDS pair to the next on the detector [s]; stored pairs that are spaced
            wider are means of several.
    """

    name: str
    n_row: int
    n_column: int
    science_columns: tuple[int, int]
    read_times: tuple[float, float]
    integration_times: tuple[float, float]
    pair_period: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.n_row, self.n_column

    @property
    def n_pixel(self) -> int:
        """Pixels of the detector, columns of its signal file."""
        return self.n_row * self.n_column

    @property
    def exposure_time(self) -> float:
        """Light-collecting time between the two reads of a pair [s]."""
        return self.read_times[1] - self.read_times[0]

    def time_since_reset(self, n_frame: int, base: str = "since_reset") -> np.ndarray:
        """Return the time since reset of every frame, shape (n_frame,) [s].

        Args:
            n_frame: frames in read order; even frames are the first read of a pair.
            base: "since_reset", or "integration": the axis file's integration times, read as if they were that.
        """
        pair = self.read_times if base == "since_reset" else self.integration_times
        return np.resize(np.asarray(pair, dtype=np.float64), n_frame)


AIRS = Channel("AIRS-CH0", 32, 356, (39, 321), (0.1, 4.6), (0.1, 4.5), 4.8)
FGS1 = Channel("FGS1", 32, 32, (0, 32), (0.1, 0.2), (0.1, 0.1), 0.4)
CHANNELS = {channel.name: channel for channel in (FGS1, AIRS)}


def is_fgs1(wavelength: np.ndarray) -> np.ndarray:
    """True where a wavelength [um] belongs to FGS1."""
    return np.asarray(wavelength) < FGS1_LONGEST_WAVELENGTH
