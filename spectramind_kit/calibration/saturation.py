"""Saturated pixels: more electrons than a pixel holds, or more counts than the converter has.

Such a read tells no more than "at least so many", and no polynomial brings the rest back: a transit seen by the
pixel comes out too shallow. A cosmic ray fills a pixel once in a visit; a pixel that is full again and again cannot
be trusted, and the photometry models its light as that of any bad pixel.
"""

import numpy as np

from spectramind_kit.products import CalibrationFrames
from spectramind_kit.settings.detector import CalibrationConfig

_CONVERTER_TOP = 65_535
"""Highest number that a count can be [ADU]."""
_RAYS = 1
"""Full reads that a cosmic ray may explain in one pixel and visit."""
_SHARE = 0.01
"""Share of the exposures that may be full besides; light lost in so few of them is below the noise."""


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
    seen = np.flatnonzero(counts.max(axis=1) >= full)
    n_exposure = counts.shape[1] // 2
    allowed = min(_RAYS + _SHARE * n_exposure, n_exposure - 1)
    saturated[seen] = (counts[seen] >= full).sum(axis=1) > allowed
    return saturated


def told(channel: str, saturated: np.ndarray) -> tuple[str, ...]:
    """Return what a light curve's flags say of saturated pixels (n_pixel,) bool; nothing where there are none."""
    n = int(saturated.sum())
    return (f"{channel}: {n} pixels saturated in many exposures, their light is modelled",) if n else ()
