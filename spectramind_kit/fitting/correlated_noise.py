"""Time-correlated noise that the wavelengths of a channel share, and what residuals reveal of it.

White noise and a smooth drift are what the fit models. Beside them here is n(t), the sum of

    a exp(-t / tau)                        the instrument settles, within 10 minutes to an hour
    b cos(2 pi t / P) + c sin(2 pi t / P)  its temperature cycles, in one to four hours
    red noise                              a power spectrum close to 1/f

with Gaussian priors on a, b, c and red noise of a common scale f. It leaves residuals r = M (W^1/2 n + white noise), M
the projection beside what was fitted, W the weights. For each hyperparameter (tau, P, f) of the noise the evidence of
r, and mean and variance of l'n for any weights l, are linear algebra in the modes of red noise that the fit has left
(Rasmussen & Williams 2006, ch. 2).
"""

from typing import NamedTuple

import numpy as np

_RAMP, _CYCLE, _RED = 2e-4, 4e-5, 2.5e-5
"""Usual amplitudes, relative to the star: ramps of 1e-4 to 1e-3 and heater cycles of some 1e-5 are those of HST/WFC3
(Zhou et al. 2017), JWST/MIRI (Bouwman et al. 2023) and Spitzer (Grillmair et al. 2012); 20 to 100 ppm of red noise are
what photometry from space is left with (Pont, Zucker & Queloz 2006)."""
_RAMP_SECONDS = np.geomspace(600.0, 3600.0, 6)
_CYCLE_SECONDS = np.geomspace(3600.0, 14_400.0, 12)
_RED_SECONDS = (300.0, 1200.0, 4800.0)
_SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""f that are tried."""


class NoiseGrid(NamedTuple):
    """One channel at every hyperparameter (tau, P, f) of its noise, and what a pattern of height h in the flux changes.

    The log evidence becomes ln_evidence + h score - h^2 information / 2, and the expectation of l'(n + h pattern)
    becomes mean + h response.

    Attributes:
        ln_evidence: (n_grid,).
        mean: (n_grid, n_sensitivity), of l'n.
        variance: (n_grid, n_sensitivity), of l'n.
        score: (n_grid, n_pattern), slope of the log evidence by h at h = 0.
        information: (n_grid, n_pattern), of h.
        response: (n_grid, n_pattern, n_sensitivity).
    """

    ln_evidence: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    score: np.ndarray
    information: np.ndarray
    response: np.ndarray


def red_covariance(time: np.ndarray) -> np.ndarray:
    """Return the covariance of red noise of usual amplitude, (n_time, n_time)."""
    # Exponential kernels whose memories are a factor of four apart: their power spectra add up to nearly 1/f.
    apart = np.abs(time[:, None] - time)
    return _RED**2 * np.mean([np.exp(-apart / memory) for memory in _RED_SECONDS], axis=0)


def ramps_and_cycles(time: np.ndarray) -> np.ndarray:
    """Return ramps, cosines and sines of height 1 at times since the start of a visit [s], (n_shape, n_time)."""
    phase = 2.0 * np.pi * time / _CYCLE_SECONDS[:, None]
    return np.concatenate([np.exp(-time / _RAMP_SECONDS[:, None]), np.cos(phase), np.sin(phase)])


def noise_grid(
    standardised: np.ndarray,
    inverse_sigma: np.ndarray,
    fitted: np.ndarray,
    sensitivity: np.ndarray,
    time: np.ndarray,
    patterns: np.ndarray,
) -> NoiseGrid:
    """Return evidence and expectations of a channel's noise at every hyperparameter.

    Args:
        standardised: (n_time,) residuals in expected standard deviations.
        inverse_sigma: (n_time,) inverse of those standard deviations.
        fitted: (n_time, rank) orthonormal directions that the fit has absorbed.
        sensitivity: (n_sensitivity, n_time), the weights l, d depth / d flux.
        time: (n_time,) since the start of the visit [s].
        patterns: (n_pattern, n_time) that the flux may hold besides.
    """
    kernel, shapes = red_covariance(time), ramps_and_cycles(time)
    beside = np.eye(len(inverse_sigma)) - fitted @ fitted.T
    # In the modes of the projected red noise its covariance is diagonal, f^2 power, and white noise is the identity:
    # one decomposition serves every f, and all that follows are sums over modes.
    power, modes = np.linalg.eigh(beside @ (inverse_sigma[:, None] * kernel * inverse_sigma) @ beside)
    power, to_modes = np.maximum(power, 0.0), beside @ modes
    data, shape_modes, pattern_modes = (
        standardised @ to_modes,
        (shapes * inverse_sigma) @ to_modes,
        (patterns * inverse_sigma) @ to_modes,
    )
    with_red = (sensitivity @ (kernel * inverse_sigma)) @ to_modes  # cov(l'n, data) at f = 1, (n_sensitivity, n_mode)
    before = np.einsum("ij,jk,ik->i", sensitivity, kernel, sensitivity)  # var(l'n) before a look at the data
    shape_bias, pattern_bias = shapes @ sensitivity.T, patterns @ sensitivity.T
    chosen, size = _combinations(), np.array([_RAMP, _CYCLE / np.sqrt(2.0), _CYCLE / np.sqrt(2.0)])
    grid = []
    for f in _SCALES:
        inverse = 1.0 / (1.0 + f**2 * power)  # of the data's variance in each mode, red and white noise together
        # First with red noise alone, for all shapes at once; then three shapes are added to it by the formula for a
        # low-rank update (Woodbury): each ramp with each cycle then costs a 3 x 3 inverse instead of a new problem.
        projected = (inverse * shape_modes) @ np.column_stack([shape_modes.T, data, pattern_modes.T])
        inner = projected[:, : len(shapes)][chosen[:, :, None], chosen[:, None, :]]  # (n_combination, 3, 3)
        with_data, with_pattern = projected[chosen, len(shapes)], projected[chosen, len(shapes) + 1 :]
        covariance = np.linalg.inv(inner + np.diag((f * size) ** -2.0))  # of a, b, c after the look
        height, absorbed = (covariance @ with_data[:, :, None])[:, :, 0], covariance @ with_pattern
        # Occam's factor of the three heights, ln |1 + inner prior|; that of red noise is in ln(inverse).
        occam = np.linalg.slogdet(np.eye(3) + inner * (f * size) ** 2.0)[1]
        # What a shape does to l'n beyond the red noise that would have been read into it.
        net = (shape_bias - f**2 * (inverse * shape_modes) @ with_red.T)[chosen]  # (n_combination, 3, n_sensitivity)
        red_mean = f**2 * with_red @ (inverse * data)
        red_variance = f**2 * before - f**4 * (with_red**2 @ inverse)
        grid.append(
            NoiseGrid(
                ln_evidence=0.5
                * ((np.log(inverse) - data**2 * inverse).sum() + (with_data * height).sum(axis=1) - occam),
                mean=red_mean + np.einsum("wik,wi->wk", net, height),
                variance=red_variance + np.einsum("wik,wij,wjk->wk", net, covariance, net),
                score=pattern_modes @ (inverse * data) - np.einsum("wip,wi->wp", with_pattern, height),
                information=pattern_modes**2 @ inverse - np.einsum("wip,wip->wp", with_pattern, absorbed),
                response=pattern_bias
                - f**2 * (inverse * pattern_modes) @ with_red.T
                - np.einsum("wik,wip->wpk", net, absorbed),
            )
        )
    return NoiseGrid(*(np.concatenate(parts) for parts in zip(*grid)))


def _combinations() -> np.ndarray:
    """Return which of ``ramps_and_cycles`` go together: a ramp, a cosine, its sine, (n_combination, 3)."""
    n_ramp, n_cycle = len(_RAMP_SECONDS), len(_CYCLE_SECONDS)
    return np.array([(i, n_ramp + k, n_ramp + n_cycle + k) for i in range(n_ramp) for k in range(n_cycle)])
