"""Bias of the depths from correlated noise and spot crossings, as far as the residuals reveal it.

Noise n(t) that a channel's wavelengths share moves its mean depth by l'n, l the sensitivity d depth / d flux at every
time. What the residuals make of l'n is averaged, by evidence, over the hyperparameters of the noise
(``correlated_noise``) and over spot crossings h s(t - t_s) in the transit, h >= 0: where the planet crosses a spot it
hides less light, and both channels observe the same spot.

The fit does not use this: how much of it to correct is learned from planets of known depth (``features``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spectramind_kit.fitting.correlated_noise import NoiseGrid, noise_grid
from spectramind_kit.fitting.curve_model import CurveModel
from spectramind_kit.fitting.gauss_newton import Solution, eliminate
from spectramind_kit.fitting.noise import flux_sensitivity, white_residual
from spectramind_kit.instruments import CHANNELS

_ROWS = tuple(CHANNELS)
"""FGS1 and AIRS-CH0, in the order of the result."""
_CROSSING_HEIGHT, _CROSSING_COLOUR = 4e-4, (1.0, 0.5)
"""Usual height of a crossing at FGS1, relative to the star, and heights in the channels relative to that: spots that
were crossed are 100 to 1,000 K cooler than the star (Mancini et al. 2017), which shows half as much at 3 um."""
_CROSSING_PROBABILITY = 0.3
"""Prior probability that a visit has a spot crossing."""
_SPOT_RADIUS = 0.06
"""[R_star]"""
_SPOT_PLACES = np.linspace(-0.8, 0.8, 17)
"""Places of a spot on the planet's chord, ingress -1, egress 1."""
_HEIGHTS = np.array([0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0])
"""Heights that are tried, over the usual one."""


@dataclass(frozen=True)
class Chord:
    """The planet's path across the star.

    Attributes:
        mid_time: [s].
        duration: first to fourth contact [s].
        impact: impact parameter [R_star].
        radius: of the planet [R_star].
    """

    mid_time: float
    duration: float
    impact: float
    radius: float

    def spot_crossings(self, time: np.ndarray) -> np.ndarray:
        """Return the light that a spot at each of the ``_SPOT_PLACES`` gives back, of height 1, (n_place, n_time)."""
        along = (time - self.mid_time) / max(self.duration / 2.0, 1.0)
        half_chord = np.sqrt(max((1.0 + self.radius) ** 2 - self.impact**2, 0.05))
        apart = np.abs(along - _SPOT_PLACES[:, None]) * half_chord
        # Two discs: nothing while they do not touch, all of the smaller one once it is covered, a ramp between.
        touching, covered = self.radius + _SPOT_RADIUS, abs(self.radius - _SPOT_RADIUS)
        return np.clip((touching - apart) / (touching - covered), 0.0, 1.0) * (np.abs(along) < 1.0)


def depth_bias(
    model: CurveModel, solution: Solution, groups: Mapping[str, np.ndarray], time: np.ndarray, chord: Chord
) -> np.ndarray:
    """Return by how much correlated noise and spot crossings are expected to have raised each channel's mean depth.

    Args:
        model: of all wavelengths.
        solution: its fit.
        groups: boolean (n_curve,) of the valid curves by channel.
        time: (n_time,) [s].
        chord: of the planet.

    Returns:
        (2, 2): FGS1 and AIRS-CH0; expected bias [(Rp/Rs)^2] and its variance. Zeros for a channel without light.
    """
    eliminated, crossings, channels = eliminate(solution.normal), chord.spot_crossings(time), []
    for name, group in groups.items():
        # Orbit and drift are shared: noise of one channel moves the depths of the other as well.
        depth_slope, _ = flux_sensitivity(model, solution.at, eliminated, group)
        sensitivity = np.zeros((len(_ROWS), len(time)))
        for affected, curves in groups.items():
            sensitivity[_ROWS.index(affected)] = depth_slope[curves].mean(axis=0)
        standardised, inverse_sigma, fitted = (part for part in white_residual(model, solution.at, group))
        patterns = _CROSSING_COLOUR[_ROWS.index(name)] * crossings
        channels.append(noise_grid(standardised, inverse_sigma, fitted, sensitivity, time - time[0], patterns))
    return np.column_stack(_marginalised(channels))


def _marginalised(channels: list[NoiseGrid]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of the bias over each channel's noise and the crossings that both share, (2,) each."""
    # Half a Gaussian of heights on an uneven grid: density times the width of each cell.
    prior = np.exp(-0.5 * _HEIGHTS**2) * np.gradient(_HEIGHTS)
    prior *= _CROSSING_PROBABILITY / prior.sum() / len(_SPOT_PLACES)
    height = np.append(0.0, np.repeat(_CROSSING_HEIGHT * _HEIGHTS, len(_SPOT_PLACES)))  # (n_crossing,), first none
    place = np.append(0, np.tile(np.arange(len(_SPOT_PLACES)), len(_HEIGHTS)))
    ln_probability = np.log(np.append(1.0 - _CROSSING_PROBABILITY, np.repeat(prior, len(_SPOT_PLACES))))
    mean, square = np.zeros((2, len(height), len(_ROWS)))
    # Given the crossing, the channels' noises are independent: biases and variances add, evidences multiply.
    for grid in channels:
        evidence = grid.ln_evidence[:, None] + height * grid.score[:, place]
        evidence -= 0.5 * height**2 * grid.information[:, place]  # (n_grid, n_crossing)
        total = np.logaddexp.reduce(evidence, axis=0)
        weight = np.exp(evidence - total)
        ln_probability += total
        biases = grid.mean[:, None] + height[:, None] * grid.response[:, place]  # (n_grid, n_crossing, 2)
        bias = np.einsum("wb,wbk->bk", weight, biases)
        mean += bias
        square += np.einsum("wb,wbk->bk", weight, grid.variance[:, None] + biases**2) - bias**2
    probability = np.exp(ln_probability - np.logaddexp.reduce(ln_probability))
    average = probability @ mean
    return average, probability @ (square + mean**2) - average**2
