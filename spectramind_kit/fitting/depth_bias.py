"""What ramps, cycles, red noise and crossed spots have done to the depths, as far as the residuals tell.

Noise n(t) that a channel's wavelengths share moves its mean depth by l'n, l the lever of every time; what is expected
of that after a look at the residuals is averaged, by evidence, over ways the noise may be (``correlated_noise``) and
over bumps h s(t - t_s) in the transit, h >= 0: where the planet crosses a spot it hides less light, and both channels
see the same spot.

The fit does not use this: how far it is to be believed is learned from planets of known depth (``features``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from spectramind_kit.fitting.correlated_noise import Ways, noise_ways
from spectramind_kit.fitting.curve_model import CurveModel
from spectramind_kit.fitting.gauss_newton import Solution, eliminate
from spectramind_kit.fitting.noise import moved_by_common_noise, white_residual
from spectramind_kit.instruments import CHANNELS

_ROWS = tuple(CHANNELS)
"""FGS1 and AIRS-CH0, in the order of the answer."""
_SPOT, _SPOT_COLOUR = 4e-4, (1.0, 0.5)
"""Usual height of a bump at FGS1, relative to the star, and heights in the channels relative to that: spots that were
seen crossed are 100 to 1,000 K cooler than the star (Mancini et al. 2017), which shows half as much at 3 um."""
_CROSSED = 0.3
"""Share of the visits that are thought to have a bump, before a look."""
_SPOT_RADIUS = 0.06
"""[R_star]"""
_PLACES = np.linspace(-0.8, 0.8, 17)
"""Places of a spot on the planet's chord, ingress -1, egress 1."""
_HEIGHTS = np.array([0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0])
"""Heights that are tried, over the usual one."""


@dataclass(frozen=True)
class Chord:
    """The planet's way across the star: mid-time and duration [s], impact parameter and planet's radius [R_star]."""

    mid_time: float
    duration: float
    impact: float
    radius: float

    def bumps(self, time: np.ndarray) -> np.ndarray:
        """Return the light that a spot at each of the ``_PLACES`` gives back, of height 1, (n_place, n_time)."""
        along = (time - self.mid_time) / max(self.duration / 2.0, 1.0)
        half_chord = np.sqrt(max((1.0 + self.radius) ** 2 - self.impact**2, 0.05))
        apart = np.abs(along - _PLACES[:, None]) * half_chord
        touching, covered = self.radius + _SPOT_RADIUS, abs(self.radius - _SPOT_RADIUS)
        return np.clip((touching - apart) / (touching - covered), 0.0, 1.0) * (np.abs(along) < 1.0)


def stray_noise(
    model: CurveModel, solution: Solution, groups: Mapping[str, Tensor], time: np.ndarray, chord: Chord
) -> np.ndarray:
    """Return by how much stray noise is expected to have raised the mean depth of each channel, and the variance.

    Args:
        groups: boolean (n_curve,) of the living curves by channel; time: (n_time,) [s]; chord: of the planet.

    Returns:
        (2, 2): FGS1 and AIRS-CH0; expected error and its variance [(Rp/Rs)^2]. Zeros for a channel without light.
    """
    at, eliminated, bumps, channels = solution.at, eliminate(solution.arrow), chord.bumps(time), []
    for own, group in groups.items():
        move, _ = moved_by_common_noise(model, at, eliminated, group)
        lever = np.zeros((len(_ROWS), len(time)))
        for name, seen in groups.items():
            lever[_ROWS.index(name)] = move[seen].mean(dim=0).numpy()
        pulls, root, fitted = (part.numpy() for part in white_residual(model, at, group))
        colour = _SPOT_COLOUR[_ROWS.index(own)]
        channels.append(noise_ways(pulls, root, fitted, lever, time - time[0], colour * bumps))
    return np.column_stack(_averaged(channels))


def _averaged(channels: list[Ways]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of the moves over all ways of each channel and all bumps that they share, (2,) each."""
    believed = np.exp(-0.5 * _HEIGHTS**2) * np.gradient(_HEIGHTS)
    believed *= _CROSSED / believed.sum() / len(_PLACES)
    height = np.append(0.0, np.repeat(_SPOT * _HEIGHTS, len(_PLACES)))  # (n_bump,), the first one is none
    place = np.append(0, np.tile(np.arange(len(_PLACES)), len(_HEIGHTS)))
    ln_share = np.log(np.append(1.0 - _CROSSED, np.repeat(believed, len(_PLACES))))
    mean, square = np.zeros((2, len(height), len(_ROWS)))
    for ways in channels:
        evidence = ways.ln_evidence[:, None] + height * ways.slope[:, place]
        evidence -= 0.5 * height**2 * ways.curvature[:, place]  # (n_way, n_bump)
        total = np.logaddexp.reduce(evidence, axis=0)
        share = np.exp(evidence - total)
        ln_share += total
        moves = ways.mean[:, None] + height[:, None] * ways.move[:, place]  # (n_way, n_bump, 2)
        own = np.einsum("wb,wbk->bk", share, moves)
        mean += own
        square += np.einsum("wb,wbk->bk", share, ways.variance[:, None] + moves**2) - own**2
    share = np.exp(ln_share - np.logaddexp.reduce(ln_share))
    average = share @ mean
    return average, share @ (square + mean**2) - average**2
