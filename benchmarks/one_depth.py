"""The public method of the 2025 notebooks: one depth for all wavelengths, from the white light curve.

The answer is the depth of the white dip times a constant at every wavelength, with a constant sigma. Here it is given
this package's own light curves; ``networks/public_baselines/front_end.py`` has the public ones.
"""

import numpy as np

from spectramind_kit.products import LightCurves
from spectramind_kit.public_baselines.white_dip import dip_depth, find_flanks

SCALE, SIGMA = 0.95, 9e-4
"""The constants of a public notebook that reached .331 on the leaderboard."""


def one_depth(curves: LightCurves) -> float:
    """Return the depth of the white dip, without the constant; NaN where there is none to measure."""
    airs = curves.flux[:, 1:]
    white = np.nanmean(airs / np.nanmedian(airs, axis=0), axis=1)
    flanks = find_flanks(white)
    return np.nan if flanks is None else dip_depth(white, flanks)
