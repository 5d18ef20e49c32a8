"""What ramps, cycles, red noise and crossed spots have done to the depths, as far as the residuals tell.

The fit knows white noise and a smooth drift. Noise n(t) that a channel's wavelengths share and that has a memory moves
its mean depth by l'n, l the lever of every time, and leaves r = M (W^1/2 n + white noise), M the projection beside what
was fitted. Here n is the sum of

    a exp(-t / tau)                        the instrument settles, within 10 minutes to an hour
    b cos(2 pi t / P) + c sin(2 pi t / P)  its temperature cycles, in one to four hours
    red noise                              a power spectrum close to 1/f
    h s(t - t_s)                           the planet crosses a spot and hides less light: a bump within the transit

with Gaussian priors on a, b, c and red noise of a common size f, a half-normal one on h >= 0, and the bump's ratio
between the channels, which see the same spot. For given tau, P, f, t_s and h what is expected of l'n after a look at r
is linear algebra (Rasmussen & Williams 2006, ch. 2), in the modes of the red noise that the fit has left; over these
five it is averaged by evidence.

The fit does not use this: how far it is to be believed is learned from planets of known depth (``features``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from torch import Tensor

from spectramind_kit.fitting.curve_model import CurveModel
from spectramind_kit.fitting.gauss_newton import Solution, eliminate
from spectramind_kit.fitting.noise import moved_by_common_noise, white_residual
from spectramind_kit.instruments import CHANNELS

_ROWS = tuple(CHANNELS)
"""FGS1 and AIRS-CH0, in the order of the answer."""
_RAMP, _CYCLE, _RED = 2e-4, 4e-5, 2.5e-5
"""Usual sizes, relative to the star: ramps of 1e-4 to 1e-3 and heater cycles of some 1e-5 are those of HST/WFC3 (Zhou
et al. 2017), JWST/MIRI (Bouwman et al. 2023) and Spitzer (Grillmair et al. 2012); 20 to 100 ppm of red noise are what
photometry from space is left with (Pont, Zucker & Queloz 2006)."""
_RAMP_SECONDS = np.geomspace(600.0, 3600.0, 6)
_CYCLE_SECONDS = np.geomspace(3600.0, 14_400.0, 12)
_RED_SECONDS = (300.0, 1200.0, 4800.0)
_AMPLITUDES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""f that are tried."""

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


class _Ways(NamedTuple):
    """One channel under every way (tau, P, f) its noise may be; what a bump of height h at a place adds to it.

    ln evidence: ln_evidence + h slope - h^2 curvature / 2; expected move of the depths: mean + h move.
    """

    ln_evidence: np.ndarray  # (n_way,)
    mean: np.ndarray  # (n_way, 2)
    variance: np.ndarray  # (n_way, 2)
    slope: np.ndarray  # (n_way, n_place)
    curvature: np.ndarray  # (n_way, n_place)
    move: np.ndarray  # (n_way, n_place, 2)


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
        channels.append(_ways(pulls, root, fitted, lever, time - time[0], colour * bumps))
    return np.column_stack(_averaged(channels))


def red_covariance(time: np.ndarray) -> np.ndarray:
    """Return the covariance of red noise of usual size, (n_time, n_time)."""
    apart = np.abs(time[:, None] - time)
    return _RED**2 * np.mean([np.exp(-apart / memory) for memory in _RED_SECONDS], axis=0)


def ramps_and_cycles(time: np.ndarray) -> np.ndarray:
    """Return ramps, cosines and sines of height 1 at times since the start of a visit [s], (n_shape, n_time)."""
    phase = 2.0 * np.pi * time / _CYCLE_SECONDS[:, None]
    return np.concatenate([np.exp(-time / _RAMP_SECONDS[:, None]), np.cos(phase), np.sin(phase)])


def _ways(
    pulls: np.ndarray, root: np.ndarray, fitted: np.ndarray, lever: np.ndarray, time: np.ndarray, bumps: np.ndarray
) -> _Ways:
    """Return what a channel's residuals say.

    Args:
        pulls: (n_time,) residuals in standard deviations; root: (n_time,) one over those.
        fitted: (n_time, rank) orthonormal directions that the fit has absorbed; lever: (n_lever, n_time).
        time: (n_time,) since the start [s]; bumps: (n_place, n_time).
    """
    kernel, shapes = red_covariance(time), ramps_and_cycles(time)
    beside = np.eye(len(root)) - fitted @ fitted.T
    power, modes = np.linalg.eigh(beside @ (root[:, None] * kernel * root) @ beside)
    power, to_modes = np.maximum(power, 0.0), beside @ modes
    y, shape, bump = pulls @ to_modes, (shapes * root) @ to_modes, (bumps * root) @ to_modes
    felt = (lever @ (kernel * root)) @ to_modes  # (n_lever, n_mode)
    before = np.einsum("ij,jk,ik->i", lever, kernel, lever)
    shape_move, bump_move = shapes @ lever.T, bumps @ lever.T
    chosen, size = _combinations(), np.array([_RAMP, _CYCLE / np.sqrt(2.0), _CYCLE / np.sqrt(2.0)])
    found = []
    for f in _AMPLITUDES:
        sharp = 1.0 / (1.0 + f**2 * power)
        # Red noise alone, then the three shapes of each combination beside it.
        projected = (sharp * shape) @ np.column_stack([shape.T, y, bump.T])
        inner = projected[:, : len(shape)][chosen[:, :, None], chosen[:, None, :]]  # (n_way, 3, 3)
        with_data, with_bump = projected[chosen, len(shape)], projected[chosen, len(shape) + 1 :]
        covariance = np.linalg.inv(inner + np.diag((f * size) ** -2.0))
        height, taken = (covariance @ with_data[:, :, None])[:, :, 0], covariance @ with_bump
        spread = np.linalg.slogdet(np.eye(3) + inner * (f * size) ** 2.0)[1]
        net = (shape_move - f**2 * (sharp * shape) @ felt.T)[chosen]  # (n_way, 3, 2)
        red_mean, red_variance = f**2 * felt @ (sharp * y), f**2 * before - f**4 * (felt**2 @ sharp)
        found.append(
            _Ways(
                0.5 * ((np.log(sharp) - y**2 * sharp).sum() + (with_data * height).sum(axis=1) - spread),
                red_mean + np.einsum("wik,wi->wk", net, height),
                red_variance + np.einsum("wik,wij,wjk->wk", net, covariance, net),
                bump @ (sharp * y) - np.einsum("wip,wi->wp", with_bump, height),
                bump**2 @ sharp - np.einsum("wip,wip->wp", with_bump, taken),
                bump_move - f**2 * (sharp * bump) @ felt.T - np.einsum("wik,wip->wpk", net, taken),
            )
        )
    return _Ways(*(np.concatenate(parts) for parts in zip(*found)))


def _combinations() -> np.ndarray:
    """Return which of ``ramps_and_cycles`` go together: a ramp, a cosine, its sine, (n_way, 3)."""
    n_ramp, n_cycle = len(_RAMP_SECONDS), len(_CYCLE_SECONDS)
    return np.array([(i, n_ramp + k, n_ramp + n_cycle + k) for i in range(n_ramp) for k in range(n_cycle)])


def _averaged(channels: list[_Ways]) -> tuple[np.ndarray, np.ndarray]:
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
