"""Post-hoc calibration: what held-out planets taught about predictions that are made already.

raw prediction of fit and prior  -> recalibrated sigma -+
raw prediction of the network    -> recalibrated sigma -+-> blended -> conformal factor on sigma -> spectrum
"""

from dataclasses import dataclass, field

import numpy as np

from spectramind_kit.shapes import require_shape
from spectramind_kit.uncertainty.network_limits import NetworkLimits
from spectramind_kit.uncertainty.recalibration import Recalibration, no_recalibration


@dataclass(frozen=True, eq=False)
class PosthocCalibration:
    """How raw predictions become a spectrum.

    Attributes:
        recalibration: of the sigmas of fit and prior.
        blending_weight: (n_wavelength,) of the network beside them, in [0, 1]; zero without one.
        conformal: (n_wavelength,) last factor on sigma; one where none was asked for.
        network_recalibration: of the network's sigmas.
        network_limits: how far the network may go from the fit.
    """

    recalibration: Recalibration
    blending_weight: np.ndarray
    conformal: np.ndarray
    network_recalibration: Recalibration = field(default_factory=no_recalibration)
    network_limits: NetworkLimits = field(default_factory=NetworkLimits)

    def __post_init__(self):
        require_shape("PosthocCalibration", "blending_weight", self.blending_weight, (None,))
        require_shape("PosthocCalibration", "conformal", self.conformal, self.blending_weight.shape)


def fit_calibration(recalibration: Recalibration, n_wavelength: int) -> PosthocCalibration:
    """Return the calibration of fit and prior without a network, and without conformal factors.

    Args:
        recalibration: of their sigmas.
        n_wavelength: points of a spectrum.
    """
    return PosthocCalibration(recalibration, np.zeros(n_wavelength), np.ones(n_wavelength))
