"""Saturated pixels: more electrons than a pixel holds, or more counts than the converter has.

Such a read means no more than "at least so many", and no polynomial brings the rest back: a transit observed by the
pixel comes out too shallow. A cosmic ray fills a pixel once in a visit; a pixel that is full again and again cannot
be trusted, and the photometry models its light as that of any bad pixel.
"""

import numpy as np

from spectramind_kit.flags import Flag, Flags
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.settings.calibration import CalibrationConfig

_CONVERTER_TOP = 65_535
"""Highest number that a count can be [ADU]."""
_RAYS = 1
"""Full reads that a cosmic ray may explain in one pixel and visit."""
_FRACTION = 0.01
"""Fraction of the exposures that may be full besides; light lost in so few of them is below the noise."""
_SATURATED = {FGS1.name: Flag.FGS1_SATURATED, AIRS.name: Flag.AIRS_SATURATED}


def full_count(frames: CalibrationFrames, config: CalibrationConfig) -> int:
    """Return the count from which a read is that of a full pixel or of the converter's end [ADU]."""
    offset = frames.offset if config.adc_sign == "official" else -frames.offset
    return min(_CONVERTER_TOP, int((config.full_well - offset) * frames.gain))


def saturated_pixels(counts: np.ndarray, full: int) -> np.ndarray:
    """Return which pixels are full too often to be trusted, (n_pixel,) bool.

    Args:
        counts: (n_pixel, n_frame) uint16 [ADU].
        full: count from which a read is full [ADU].
    """
    saturated = np.zeros(len(counts), dtype=bool)
    # Counting full reads is done for the few pixels that have any: it passes over their counts a second time.
    candidates = np.flatnonzero(counts.max(axis=1) >= full)
    n_exposure = counts.shape[1] // 2
    # A visit so short that the allowance covers all of it must still be able to show a pixel full throughout.
    allowed = min(_RAYS + _FRACTION * n_exposure, n_exposure - 1)
    saturated[candidates] = (counts[candidates] >= full).sum(axis=1) > allowed
    return saturated


def saturation_flags(channel: str, saturated: np.ndarray) -> Flags:
    """Return the flag of saturated pixels (n_pixel,) bool; none where no pixel is."""
    n = int(saturated.sum())
    return {_SATURATED[channel]: f"{n} of {len(saturated)}"} if n else {}
