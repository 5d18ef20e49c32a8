"""How much the network may say: a share per channel, proven on held-out planets.

    mean = (1 - w) m_fit + w m_net,   ln sigma = (1 - w) ln s_fit + w ln s_net

The share w is the one whose gain over the fit alone is largest after its standard error is taken off; where no share
gains more than its error, the fit answers alone. So a network that learned nothing is not heard.
"""

import numpy as np

from spectramind_kit.metric import element_scores
from spectramind_kit.uncertainty.recalibration import GROUPS

SHARES = (0.25, 0.5, 0.75, 1.0)
_LEAST_GAIN = 1e-4
"""Score below which a gain is none."""
_FEWEST = 8
"""Held-out planets below which nothing is proven."""
Answers = tuple[np.ndarray, np.ndarray]
"""Means and sigmas, (n_planet, n_wavelength) each [(Rp/Rs)^2]."""


def blended(fit: Answers, network: Answers, share: np.ndarray) -> Answers:
    """Return the answer between fit and network; ``share`` (n_wavelength,) is the network's."""
    mean = (1.0 - share) * fit[0] + share * network[0]
    return mean, np.exp((1.0 - share) * np.log(fit[1]) + share * np.log(network[1]))


def learn_share(truth: np.ndarray, fit: Answers, network: Answers, naive: tuple[float, float]) -> np.ndarray:
    """Return the network's share for every wavelength, (n_wavelength,).

    Args:
        truth: (n_planet, n_wavelength) of held-out planets; fit, network: their answers, sigmas scaled.
        naive: mean and spread of the labels.
    """
    share = np.zeros(truth.shape[1])
    if len(truth) < _FEWEST:
        return share
    alone = element_scores(truth, *fit, naive)
    for group in GROUPS:
        best = _LEAST_GAIN
        for candidate in SHARES:
            mean, sigma = blended(fit, network, np.full(truth.shape[1], candidate))
            gain = (element_scores(truth, np.maximum(mean, 0.0), sigma, naive) - alone)[:, group].mean(axis=1)
            proven = gain.mean() - gain.std(ddof=1) / np.sqrt(len(gain))
            if proven > best:
                best, share[group] = proven, candidate
    return share
