"""How far a network may go from the fit: as far as held-out planets bear out, and no planet farther.

A network that meets what it never saw may answer anything. On held-out planets the largest shift of a mean and the
range of factors on sigma are known; beyond them, with some room, an answer is held at the limit.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.uncertainty.blending import Prediction, Predictions

_ROOM = 1.5
"""Of the most extreme held-out planet's shift."""
_FACTOR_ROOM = 1.25
_FEWEST = 8
"""Held-out planets below which their extremes say little, and what is usual stands in for them."""
_USUAL_SHIFT, _USUAL_FACTOR = 5.0, 3.0


@dataclass(frozen=True)
class NetworkLimits:
    """Limits of a network's predictions beside those of the fit.

    Attributes:
        shift: largest difference of the means, in sigmas of the fit [1].
        smallest_factor: on the fit's sigma [1].
        largest_factor: on the fit's sigma [1].
    """

    shift: float = _USUAL_SHIFT
    smallest_factor: float = 1.0 / _USUAL_FACTOR
    largest_factor: float = _USUAL_FACTOR

    def held(self, network: Prediction, fit: Prediction) -> Prediction:
        """Return mean and sigma of the network (n_wavelength,), held within the limits.

        Args:
            network: mean and sigma of the network.
            fit: mean and sigma of the fit.
        """
        (mean, sigma), (fit_mean, fit_sigma) = network, fit
        furthest = self.shift * fit_sigma
        return (
            np.clip(mean, fit_mean - furthest, fit_mean + furthest),
            np.clip(sigma, self.smallest_factor * fit_sigma, self.largest_factor * fit_sigma),
        )


def learn_network_limits(network: Predictions, fit: Predictions) -> NetworkLimits:
    """Return the limits that held-out planets bear out.

    Args:
        network: means and sigmas (n_planet, n_wavelength) of the network.
        fit: the same of the fit.
    """
    if len(fit[0]) < _FEWEST:
        return NetworkLimits()
    factor = network[1] / fit[1]
    return NetworkLimits(
        shift=max(1.0, _ROOM * float(np.abs((network[0] - fit[0]) / fit[1]).max())),
        smallest_factor=min(1.0, float(factor.min()) / _FACTOR_ROOM),
        largest_factor=max(1.0, float(factor.max()) * _FACTOR_ROOM),
    )
