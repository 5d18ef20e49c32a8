"""Noise with a memory that the wavelengths of a channel share, and what residuals say of it.

White noise and a smooth drift are what the fit knows. Beside them here is n(t), the sum of

    a exp(-t / tau)                        the instrument settles, within 10 minutes to an hour
    b cos(2 pi t / P) + c sin(2 pi t / P)  its temperature cycles, in one to four hours
    red noise                              a power spectrum close to 1/f

with Gaussian priors on a, b, c and red noise of a common size f. It leaves residuals r = M (W^1/2 n + white noise), M
the projection beside what was fitted, W the weights. For each way (tau, P, f) the noise may be, the evidence of r, and
mean and variance of l'n for any weights l, are linear algebra in the modes of red noise that the fit has left
(Rasmussen & Williams 2006, ch. 2).
"""

from typing import NamedTuple

import numpy as np

_RAMP, _CYCLE, _RED = 2e-4, 4e-5, 2.5e-5
"""Usual sizes, relative to the star: ramps of 1e-4 to 1e-3 and heater cycles of some 1e-5 are those of HST/WFC3 (Zhou
et al. 2017), JWST/MIRI (Bouwman et al. 2023) and Spitzer (Grillmair et al. 2012); 20 to 100 ppm of red noise are what
photometry from space is left with (Pont, Zucker & Queloz 2006)."""
_RAMP_SECONDS = np.geomspace(600.0, 3600.0, 6)
_CYCLE_SECONDS = np.geomspace(3600.0, 14_400.0, 12)
_RED_SECONDS = (300.0, 1200.0, 4800.0)
_AMPLITUDES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""f that are tried."""


class Ways(NamedTuple):
    """One channel under every way (tau, P, f) its noise may be, and what a pattern of height h in the flux adds to it.

    ln evidence: ln_evidence + h slope - h^2 curvature / 2; expected l'(n + pattern): mean + h move.
    """

    ln_evidence: np.ndarray  # (n_way,)
    mean: np.ndarray  # (n_way, n_lever)
    variance: np.ndarray  # (n_way, n_lever)
    slope: np.ndarray  # (n_way, n_pattern)
    curvature: np.ndarray  # (n_way, n_pattern)
    move: np.ndarray  # (n_way, n_pattern, n_lever)


def red_covariance(time: np.ndarray) -> np.ndarray:
    """Return the covariance of red noise of usual size, (n_time, n_time)."""
    apart = np.abs(time[:, None] - time)
    return _RED**2 * np.mean([np.exp(-apart / memory) for memory in _RED_SECONDS], axis=0)


def ramps_and_cycles(time: np.ndarray) -> np.ndarray:
    """Return ramps, cosines and sines of height 1 at times since the start of a visit [s], (n_shape, n_time)."""
    phase = 2.0 * np.pi * time / _CYCLE_SECONDS[:, None]
    return np.concatenate([np.exp(-time / _RAMP_SECONDS[:, None]), np.cos(phase), np.sin(phase)])


def noise_ways(
    pulls: np.ndarray, root: np.ndarray, fitted: np.ndarray, lever: np.ndarray, time: np.ndarray, patterns: np.ndarray
) -> Ways:
    """Return what a channel's residuals say.

    Args:
        pulls: (n_time,) residuals in standard deviations; root: (n_time,) one over those.
        fitted: (n_time, rank) orthonormal directions that the fit has absorbed; lever: (n_lever, n_time).
        time: (n_time,) since the start of the visit [s]; patterns: (n_pattern, n_time) that the flux may hold besides.
    """
    kernel, shapes = red_covariance(time), ramps_and_cycles(time)
    beside = np.eye(len(root)) - fitted @ fitted.T
    power, modes = np.linalg.eigh(beside @ (root[:, None] * kernel * root) @ beside)
    power, to_modes = np.maximum(power, 0.0), beside @ modes
    y, shape, pattern = pulls @ to_modes, (shapes * root) @ to_modes, (patterns * root) @ to_modes
    felt = (lever @ (kernel * root)) @ to_modes  # (n_lever, n_mode)
    before = np.einsum("ij,jk,ik->i", lever, kernel, lever)
    shape_move, pattern_move = shapes @ lever.T, patterns @ lever.T
    chosen, size = _combinations(), np.array([_RAMP, _CYCLE / np.sqrt(2.0), _CYCLE / np.sqrt(2.0)])
    found = []
    for f in _AMPLITUDES:
        sharp = 1.0 / (1.0 + f**2 * power)
        # Red noise alone, then the three shapes of each combination beside it.
        projected = (sharp * shape) @ np.column_stack([shape.T, y, pattern.T])
        inner = projected[:, : len(shape)][chosen[:, :, None], chosen[:, None, :]]  # (n_way, 3, 3)
        with_data, with_pattern = projected[chosen, len(shape)], projected[chosen, len(shape) + 1 :]
        covariance = np.linalg.inv(inner + np.diag((f * size) ** -2.0))
        height, taken = (covariance @ with_data[:, :, None])[:, :, 0], covariance @ with_pattern
        spread = np.linalg.slogdet(np.eye(3) + inner * (f * size) ** 2.0)[1]
        net = (shape_move - f**2 * (sharp * shape) @ felt.T)[chosen]  # (n_way, 3, n_lever)
        red_mean, red_variance = f**2 * felt @ (sharp * y), f**2 * before - f**4 * (felt**2 @ sharp)
        found.append(
            Ways(
                0.5 * ((np.log(sharp) - y**2 * sharp).sum() + (with_data * height).sum(axis=1) - spread),
                red_mean + np.einsum("wik,wi->wk", net, height),
                red_variance + np.einsum("wik,wij,wjk->wk", net, covariance, net),
                pattern @ (sharp * y) - np.einsum("wip,wi->wp", with_pattern, height),
                pattern**2 @ sharp - np.einsum("wip,wip->wp", with_pattern, taken),
                pattern_move - f**2 * (sharp * pattern) @ felt.T - np.einsum("wik,wip->wpk", net, taken),
            )
        )
    return Ways(*(np.concatenate(parts) for parts in zip(*found)))


def _combinations() -> np.ndarray:
    """Return which of ``ramps_and_cycles`` go together: a ramp, a cosine, its sine, (n_way, 3)."""
    n_ramp, n_cycle = len(_RAMP_SECONDS), len(_CYCLE_SECONDS)
    return np.array([(i, n_ramp + k, n_ramp + n_cycle + k) for i in range(n_ramp) for k in range(n_cycle)])
