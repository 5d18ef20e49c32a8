"""What correlated noise has done to the depths, as far as the residuals tell.

The fit knows white noise and a smooth drift. Noise n(t) that a channel's wavelengths share and that has a memory moves
its mean depth by l'n, l the lever of every time, and leaves r = M (W^1/2 n + white noise), M the projection beside what
was fitted. If n is Gaussian with covariance f^2 K, what is expected of l'n after a look at r, and its variance, are

    f^2 l'K W^1/2 G^-1 r    and    f^2 l'K l - f^4 l'K W^1/2 G^-1 W^1/2 K l,    G = 1 + f^2 M W^1/2 K W^1/2 M

(Rasmussen & Williams 2006, ch. 2), averaged over the amplitude f by evidence. K is the sum of what instruments and
stars are known for: a ramp at the start of a visit that dies out within 10 minutes to an hour, cycles of one to four
hours, and noise with a power spectrum close to 1/f.

The fit does not use this: how far it is to be believed is learned from planets of known depth (``features``).
"""

from collections.abc import Mapping

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


def stray_noise(model: CurveModel, solution: Solution, groups: Mapping[str, Tensor], time: np.ndarray) -> np.ndarray:
    """Return by how much stray noise is expected to have raised the mean depth of each channel, and the variance.

    Args:
        groups: boolean (n_curve,) of the living curves by channel; time: (n_time,) [s].

    Returns:
        (2, 2): FGS1 and AIRS-CH0; expected error and its variance [(Rp/Rs)^2]. Zeros for a channel without light.
    """
    kernel, at, eliminated = stray_covariance(time - time[0]), solution.at, eliminate(solution.arrow)
    found = np.zeros((len(_ROWS), 2))
    for group in groups.values():
        move, _ = moved_by_common_noise(model, at, eliminated, group)
        lever = np.zeros((len(_ROWS), len(time)))
        for name, seen in groups.items():
            lever[_ROWS.index(name)] = move[seen].mean(dim=0).numpy()
        pulls, root, fitted = (part.numpy() for part in white_residual(model, at, group))
        found += np.column_stack(_expected(pulls, root, fitted, lever, kernel))
    return found


def stray_covariance(time: np.ndarray) -> np.ndarray:
    """Return the covariance of stray noise of usual size at times since the start of a visit [s], (n_time, n_time)."""
    apart = np.abs(time[:, None] - time)
    fading = np.exp(-time / _RAMP_SECONDS[:, None])
    ramp = fading.T @ fading / len(_RAMP_SECONDS)
    cycle = np.mean([np.cos(2.0 * np.pi * apart / period) for period in _CYCLE_SECONDS], axis=0)
    red = np.mean([np.exp(-apart / memory) for memory in _RED_SECONDS], axis=0)
    return _RAMP**2 * ramp + 0.5 * _CYCLE**2 * cycle + _RED**2 * red


def _expected(
    pulls: np.ndarray, root: np.ndarray, fitted: np.ndarray, lever: np.ndarray, kernel: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of lever @ noise, (n_lever,) each.

    Args:
        pulls: (n_time,) residuals in standard deviations; root: (n_time,) one over those.
        fitted: (n_time, rank) orthonormal directions that the fit has absorbed; lever: (n_lever, n_time).
    """
    beside = np.eye(len(root)) - fitted @ fitted.T
    power, modes = np.linalg.eigh(beside @ (root[:, None] * kernel * root) @ beside)
    power = np.maximum(power, 0.0)
    seen = modes.T @ (beside @ pulls)
    felt = (lever @ (kernel * root)) @ beside @ modes  # (n_lever, n_mode)
    before = np.einsum("ij,jk,ik->i", lever, kernel, lever)
    evidence, means, variances = [], [], []
    for amplitude in np.square(_AMPLITUDES):
        sharpness = 1.0 / (1.0 + amplitude * power)
        evidence.append(0.5 * (np.log(sharpness) - seen**2 * sharpness).sum())
        means.append(amplitude * felt @ (seen * sharpness))
        variances.append(amplitude * before - amplitude**2 * (felt**2 @ sharpness))
    share = np.exp(np.array(evidence) - max(evidence))
    share /= share.sum()
    mean = share @ np.array(means)
    return mean, share @ (np.array(variances) + np.square(means)) - mean**2
