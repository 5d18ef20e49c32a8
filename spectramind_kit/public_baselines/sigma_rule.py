"""Sigmas of the public notebooks, whose networks predict none.

"constant" gives every depth the same. "per_planet" scales a constant, for FGS1 and AIRS-CH0 each, by how noisy the
planet's light curve is among others', square-rooted and clipped:

    sigma = sigma_0 clip(sqrt(noise / median noise), lowest, highest)

Source: sngraam/NeurIPS-Ariel-Data, 0-400-pvlb-score-bronze-medal.ipynb. There the median is that of the planets to be
predicted; here it is that of the training planets, so that no planet's sigma depends on what else is predicted.
"""

from typing import Literal

import numpy as np

SigmaRule = Literal["constant", "per_planet"]

CONSTANT = 5.5e-4
PER_PLANET = 5.6e-4 * 1.04
FGS1_LIMITS, AIRS_LIMITS = (0.85, 1.30), (0.92, 1.22)


def public_sigma(rule: SigmaRule, noise: np.ndarray, typical_noise: np.ndarray, n_wavelength: int) -> np.ndarray:
    """Return sigma (n_planet, n_wavelength) [(Rp/Rs)^2].

    Args:
        rule: "constant" or "per_planet".
        noise: (n_planet, 2) relative noise of FGS1 and of white AIRS-CH0; no positive number: factor 1.
        typical_noise: (2,) their medians.
        n_wavelength: FGS1 and the bins of AIRS-CH0.
    """
    if rule == "constant":
        return np.full((len(noise), n_wavelength), CONSTANT)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = noise / typical_noise
    lowest, highest = np.transpose([FGS1_LIMITS, AIRS_LIMITS])
    usable = np.isfinite(ratio) & (ratio > 0)
    factor = np.where(usable, np.clip(np.sqrt(np.where(usable, ratio, 1.0)), lowest, highest), 1.0)
    return PER_PLANET * np.repeat(factor, [1, n_wavelength - 1], axis=1)
