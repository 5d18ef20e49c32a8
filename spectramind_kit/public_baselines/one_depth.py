"""The public method of the 2025 notebooks: one depth for all wavelengths, from the white light curve.

The answer is the depth of the white dip times a constant at every wavelength, with a constant sigma. Here it is given
this package's own light curves; ``front_end`` has the public ones.
"""

from collections.abc import Sequence

import numpy as np

from spectramind_kit.products import LightCurves
from spectramind_kit.public_baselines.white_dip import dip_depth, find_flanks

SCALE, SIGMA = 0.95, 9e-4
"""The constants of a public notebook that reached .331 on the leaderboard."""
_SHALLOWEST = 1e-5
"""Where the dip of noise points upwards [(Rp/Rs)^2]: a depth is above zero."""


def one_depth(curves: LightCurves) -> float:
    """Return the depth of the white dip, without the constant; NaN where there is none to measure."""
    airs = curves.flux[:, 1:]
    white = np.nanmean(airs / np.nanmedian(airs, axis=0), axis=1)
    flanks = find_flanks(white)
    return np.nan if flanks is None else dip_depth(white, flanks)


def one_depth_of_visits(visits: Sequence[LightCurves]) -> float:
    """Return the mean depth of the visits of a planet; NaN where one cannot be measured."""
    return float(np.mean([one_depth(visit) for visit in visits]))


def one_depth_answer(
    depths: np.ndarray, n_wavelength: int, scale: float = SCALE, sigma: float = SIGMA
) -> tuple[np.ndarray, np.ndarray]:
    """Return the means and sigmas that the method answers with, (n_planet, n_wavelength) each [(Rp/Rs)^2].

    Args:
        depths: (n_planet,) of the white dips; a planet with NaN gets the median of the others.
        n_wavelength: of the spectra.
        scale: what depths are multiplied by [1].
        sigma: of every wavelength [(Rp/Rs)^2].
    """
    depths = np.where(np.isfinite(depths), depths, np.nanmedian(depths))
    mean = np.maximum(scale * depths, _SHALLOWEST)
    return np.repeat(mean[:, None], n_wavelength, axis=1), np.full((len(mean), n_wavelength), sigma)
