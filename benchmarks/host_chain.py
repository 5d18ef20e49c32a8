"""The public calibration chain as the competition's host describes it, for comparison: all pixels, float64, NumPy.

Counts to electrons, dead and hot pixels masked, linearity by each pixel's polynomial, dark times integration time,
difference of read pairs, sums of 30 (AIRS-CH0) and 360 (FGS1) pairs, flat field. The polynomial is evaluated for
all pixels at once, which is faster than pixel by pixel. Order and numbers are those of the host's public notebook.
"""

import numpy as np
import polars as pl

from spectramind_kit.calibration.bad_pixels import find_hot_pixels
from spectramind_kit.competition.frames import read_calibration_frames
from spectramind_kit.instruments import AIRS, CHANNELS
from spectramind_kit.products import PlanetObservation

PAIRS_PER_BIN = {"AIRS-CH0": 30, "FGS1": 360}
HOT_PIXEL_SIGMA = 5.0


def calibrate_channel(observation: PlanetObservation, name: str) -> np.ndarray:
    """Return binned light (n_bin, n_row, n_column) [e- per bin], NaN in masked pixels."""
    channel, files = CHANNELS[name], observation.files[name]
    frames = read_calibration_frames(observation, name)
    cube = pl.read_parquet(files.signal).to_numpy().astype(np.float64).reshape(-1, *channel.shape)
    cube = cube / files.gain + files.offset
    masked = frames.dead | find_hot_pixels(frames.dark, HOT_PIXEL_SIGMA)
    linear = np.zeros_like(cube)
    for coefficient in frames.linearity[::-1]:
        linear = linear * cube + coefficient
    del cube
    linear -= frames.dark * channel.time_since_reset(len(linear))[:, None, None]
    pairs = linear[1::2] - linear[::2]
    del linear
    n_bin = len(pairs) // PAIRS_PER_BIN[name]
    binned = pairs[: n_bin * PAIRS_PER_BIN[name]].reshape(n_bin, -1, *channel.shape).sum(axis=1)
    return np.where(masked, np.nan, binned / frames.flat)


def white_light(observation: PlanetObservation) -> float:
    """Calibrate both channels; return the mean AIRS-CH0 light of rows 8 to 24 in the science columns [e- per pair]."""
    calibrate_channel(observation, "FGS1")
    binned = calibrate_channel(observation, "AIRS-CH0")
    return (
        float(np.nansum(binned[:, 8:24, slice(*AIRS.science_columns)], axis=(1, 2)).mean()) / PAIRS_PER_BIN["AIRS-CH0"]
    )
