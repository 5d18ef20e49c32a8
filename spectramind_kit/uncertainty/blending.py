"""How much the network counts beside the fit: a blending weight per channel, proven on held-out planets.

    mean = (1 - w) m_fit + w m_net,   ln sigma = (1 - w) ln s_fit + w ln s_net

The weight w is the one whose gain over the fit alone is largest after its standard error is taken off; where no weight
gains more than its error, the fit predicts alone. So a network that learned nothing does not count.
"""

import numpy as np

from spectramind_kit.metric import element_scores
from spectramind_kit.uncertainty.recalibration import GROUPS

WEIGHTS = (0.25, 0.5, 0.75, 1.0)
"""Weights that are tried beside zero."""
_LEAST_GAIN = 1e-4
"""Score below which a gain is none."""
FEWEST = 8
"""Held-out planets below which nothing is proven."""
Prediction = tuple[np.ndarray, np.ndarray]
"""Mean and sigma (n_wavelength,) of one planet [(Rp/Rs)^2]."""
Predictions = tuple[np.ndarray, np.ndarray]
"""Means and sigmas, (n_planet, n_wavelength) or (n_wavelength,) each [(Rp/Rs)^2]."""


def blended(fit: Predictions, network: Predictions, weight: np.ndarray) -> Predictions:
    """Return the prediction between fit and network.

    Args:
        fit: mean and sigma of fit and prior.
        network: mean and sigma of the network, of the same shape.
        weight: (n_wavelength,) of the network, in [0, 1].
    """
    mean = (1.0 - weight) * fit[0] + weight * network[0]
    return mean, np.exp((1.0 - weight) * np.log(fit[1]) + weight * np.log(network[1]))


def learn_blending_weight(
    truth: np.ndarray, fit: Predictions, network: Predictions, naive: tuple[float, float], edition: str = "2025"
) -> np.ndarray:
    """Return the network's weight for every wavelength, (n_wavelength,).

    Args:
        truth: (n_planet, n_wavelength) of held-out planets [(Rp/Rs)^2].
        fit: their predictions by fit and prior, sigmas recalibrated.
        network: their predictions by the network, sigmas recalibrated.
        naive: mean and spread of the labels, the score's zero point [(Rp/Rs)^2].
        edition: whose score must gain, "2025" or "2024".
    """
    weight = np.zeros(truth.shape[1])
    if len(truth) < FEWEST:
        return weight
    alone = element_scores(truth, *fit, naive, edition)
    for group in GROUPS:
        best = _LEAST_GAIN
        for candidate in WEIGHTS:
            mean, sigma = blended(fit, network, np.full(truth.shape[1], candidate))
            blended_scores = element_scores(truth, np.maximum(mean, 0.0), sigma, naive, edition)
            # Wavelengths of one planet err together, so planets are the sample that the standard error counts.
            gain = (blended_scores - alone)[:, group].mean(axis=1)
            proven = gain.mean() - gain.std(ddof=1) / np.sqrt(len(gain))
            if proven > best:
                best, weight[group] = proven, candidate
    return weight
