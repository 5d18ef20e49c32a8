"""How often the truth of held-out planets lies within what was promised, as the model's record keeps it.

The record travels with the model: a notebook that has the model alone can still say how far to trust it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spectramind_kit.products import Spectrum

PROMISED = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""Fractions of the intervals that are counted."""
CHANNELS = {"FGS1": slice(0, 1), "AIRS-CH0": slice(1, None)}
"""Wavelengths of each channel, FGS1 first."""


def coverage(errors: np.ndarray, promised: Sequence[float]) -> dict[str, list[float]]:
    """Return which fraction of errors lies within the central intervals of a normal distribution, by channel.

    Args:
        errors: standardised (n_planet, n_wavelength).
        promised: fractions of that distribution within the intervals.
    """
    from scipy.special import ndtri  # who trains nothing does not wait for it

    widths = ndtri(0.5 + np.asarray(promised) / 2)
    found = {name: [(np.abs(errors[:, part]) <= width).mean() for width in widths] for name, part in CHANNELS.items()}
    return {name: [round(float(each), 4) for each in observed] for name, observed in found.items()}


def coverage_record(errors: np.ndarray) -> dict[str, Any]:
    """Return what the model's record keeps of the errors of held-out planets: counts at ``PROMISED`` and at one sigma.

    Args:
        errors: standardised (n_planet, n_wavelength).
    """
    one_sigma = {name: round(float((np.abs(errors[:, part]) < 1).mean()), 4) for name, part in CHANNELS.items()}
    return {
        "planets": len(errors),
        "within_one_sigma": one_sigma,
        "promised": list(PROMISED),
        "observed": coverage(errors, PROMISED),
    }


def held_out_errors(predicted: Sequence[Spectrum], labels: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return the standardised errors (n_planet, n_wavelength) of spectra that have a label.

    Args:
        predicted: spectra of held-out planets.
        labels: planets (n,) and their spectra (n, n_wavelength).
    """
    truth: Mapping[int, np.ndarray] = dict(zip(labels[0].tolist(), labels[1]))
    errors = [(each.mean - truth[each.planet_id]) / each.sigma for each in predicted if each.planet_id in truth]
    return np.array(errors).reshape(-1, labels[1].shape[1])
