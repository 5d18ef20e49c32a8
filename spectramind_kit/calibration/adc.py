"""Analogue-to-digital conversion, undone: electrons = counts / gain + offset.

The competition's page gives this sign; the 9th place of 2025 argues for ``- offset``. A constant cancels in
correlated double sampling except through the linearity polynomial.
"""

import numpy as np

from spectramind_kit.flags import NOT_LINEAR, Flags

_LARGEST_DIFFERENCE, _LEAST_DIFFERENCE = 0.1, 20.0
"""Of pixels without light from the ADC's zero, relative to it [1] and in counts [ADU]; real visits differ by 2 ADU."""


def counts_to_electrons(counts: np.ndarray, gain: float, offset: float, sign: str = "official") -> np.ndarray:
    """Return electrons (n_pixel, n_frame) float32 from counts (n_pixel, n_frame) [ADU].

    Args:
        counts: uint16 counts.
        gain: [ADU/e-].
        offset: [e-].
        sign: "official" adds the offset, "inverse" subtracts it.
    """
    electrons = counts.astype(np.float32)
    electrons *= np.float32(1.0 / gain)
    electrons += np.float32(offset if sign == "official" else -offset)
    return electrons


def zero_point_flags(channel: str, dark_count: float, gain: float, offset: float) -> Flags:
    """Return a flag where pixels without light are not at the ADC's zero: counts, gain or offset are wrong then.

    Light curves are relative and stand it; the linearity polynomials, which want electrons, do not.

    Args:
        channel: "AIRS-CH0" or "FGS1".
        dark_count: of pixels without light [ADU].
        gain: [ADU/e-].
        offset: [e-].
    """
    zero = -offset * gain
    if abs(dark_count - zero) <= max(_LARGEST_DIFFERENCE * abs(zero), _LEAST_DIFFERENCE):
        return {}
    return {NOT_LINEAR[channel]: f"pixels without light at {dark_count:.0f} ADU, wanted {zero:.0f}"}
