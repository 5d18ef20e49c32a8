"""The detector, one effect a function, in the order of ExoSim 2 (Mugnai et al. 2025): light to counts.

response -> dark current -> photon noise -> cosmic rays -> full well -> non-linearity -> read noise -> ADC

Arrays are pixel-major, (n_pixel, n_exposure); per-pixel tables are (n_pixel,). Read backwards this is the
calibration chain. ``n_average`` is how many real pairs a stored one is the mean of.
"""

import numpy as np

from spectramind_kit.instruments import Channel
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.simulation.calibration_frames import FULL_WELL

_GAUSSIAN_FROM = 25.0
"""Photon counts from which a normal distribution stands for the Poisson one."""

_NEWTON_STEPS = 6
_CONVERGED = 20.0
"""After a Newton step this small [e-] the next would be below float32's resolution."""


def apply_response(electrons: np.ndarray, flat: np.ndarray, dead: np.ndarray) -> np.ndarray:
    """Return the light that pixels turn into electrons: flat times light, none in dead pixels."""
    return electrons * np.where(dead, 0.0, flat).astype(electrons.dtype)[:, None]


def expected_reads(exposure: np.ndarray, dark: np.ndarray, channel: Channel) -> tuple[np.ndarray, np.ndarray]:
    """Return the expected electrons at the first read and those gathered between the reads.

    Args:
        exposure: light between the two reads (n_pixel, n_exposure) [e-].
        dark: (n_pixel,) [e-/s].
        channel: gives the times of the reads.

    Returns:
        Two arrays (n_pixel, n_exposure) [e-]; the second read holds the sum of both.
    """
    first = channel.read_times[0]
    rate = exposure / np.float32(channel.exposure_time) + dark.astype(exposure.dtype)[:, None]
    return rate * np.float32(first), rate * np.float32(channel.exposure_time)


def draw_photons(expected: np.ndarray, n_average: int, rng: np.random.Generator) -> np.ndarray:
    """Return electrons with photon noise, the mean of ``n_average`` Poisson draws, (n_pixel, n_exposure) float32."""
    bright = expected.min(axis=1) * n_average > _GAUSSIAN_FROM
    drawn = np.empty(expected.shape, dtype=np.float32)
    if not bright.all():
        mean = np.maximum(expected[~bright], 0.0) * n_average
        drawn[~bright] = rng.poisson(mean) / n_average
    if bright.any():
        mean = expected[bright]
        noise = rng.standard_normal(mean.shape, dtype=np.float32)
        noise *= np.sqrt(mean / n_average)
        drawn[bright] = mean + noise
    return drawn


def draw_cosmic_rays(
    n_pixel: int, n_exposure: int, rate: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixel and exposure (n_hit,) of a visit's hits; ``rate`` is the expected number of them."""
    n_hit = rng.poisson(rate)
    return rng.integers(0, n_pixel, n_hit), rng.integers(0, n_exposure, n_hit)


def add_cosmic_rays(
    electrons: np.ndarray, pixel: np.ndarray, exposure: np.ndarray, n_average: int, full_well: float = FULL_WELL
) -> np.ndarray:
    """Return second reads in which every hit filled its pixel, in one of the ``n_average`` exposures averaged."""
    struck = electrons.copy()
    struck[pixel, exposure] += np.maximum(full_well - electrons[pixel, exposure], 0.0) / n_average
    return struck


def saturate(electrons: np.ndarray, full_well: float = FULL_WELL) -> np.ndarray:
    """Return electrons that a pixel can hold."""
    return np.minimum(electrons, np.asarray(full_well, dtype=electrons.dtype))


def invert_linearity(electrons: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Return the measured electrons that each pixel's polynomial turns into these linear ones.

    Newton's method from the tangent at the pixel's mean, which is solved first and in double precision; one step
    then reaches float32's resolution, or two in pixels that a cosmic ray hit.

    Args:
        electrons: linear electrons (n_pixel, n_exposure) [e-].
        coefficients: ascending powers, (n_coefficient, n_pixel), measured -> linear.
    """
    mean = electrons.mean(axis=1, dtype=np.float64)[:, None]
    centre = mean
    for _ in range(8):
        value, slope = _polynomial(centre, coefficients)
        centre = centre - (value - mean) / slope
    value, slope = _polynomial(centre, coefficients)
    kind = electrons.dtype
    measured = (electrons - value.astype(kind)) / slope.astype(kind) + centre.astype(kind)
    single = coefficients.astype(kind)
    for _ in range(_NEWTON_STEPS):
        value, slope = _polynomial(measured, single)
        value -= electrons
        value /= slope
        measured -= value
        if np.abs(value, out=value).max() < _CONVERGED:
            break
    return measured


def _polynomial(x: np.ndarray, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the value and slope of each pixel's polynomial by Horner's rule, (n_pixel, n_exposure) each."""
    value = np.repeat(coefficients[-1][:, None], x.shape[1], axis=1)
    slope = np.zeros_like(value)
    for lower in coefficients[-2::-1]:
        slope *= x
        slope += value
        value *= x
        value += lower[:, None]
    return value, slope


def add_read_noise(
    electrons: np.ndarray, read_noise: np.ndarray, n_average: int, gain: float, rng: np.random.Generator
) -> np.ndarray:
    """Return reads with noise, the mean of ``n_average`` independent reads.

    A mean of many reads is stored with the same coarse step as one read. The step's own noise (step^2 / 12,
    step = 1 / gain) is therefore left out here as far as the stored mean gains it later, so that the sum of both
    is what ``n_average`` digitised reads would leave.

    Args:
        electrons: (n_pixel, n_exposure) [e-].
        read_noise: (n_pixel,) [e-] of one read.
        n_average: reads that a stored one is the mean of.
        gain: [ADU/e-].
        rng: source of every random draw.
    """
    rounding = 1.0 / (12.0 * gain**2)
    variance = (np.asarray(read_noise, dtype=np.float64) ** 2 + rounding) / n_average - rounding
    sigma = np.sqrt(np.maximum(variance, 0.0)).astype(np.float32)
    noise = rng.standard_normal(electrons.shape, dtype=np.float32)
    noise *= sigma[:, None]
    noise += electrons
    return noise


def to_counts(electrons: np.ndarray, gain: float, offset: float) -> np.ndarray:
    """Return uint16 counts [ADU] = floor((e- - offset) gain), as a truncating converter gives them."""
    counts = (electrons - np.float32(offset)) * np.float32(gain)
    return np.clip(counts, 0.0, 65535.0).astype(np.uint16)


def read_out(
    light: np.ndarray,
    frames: CalibrationFrames,
    channel: Channel,
    hits: tuple[np.ndarray, np.ndarray],
    n_average: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Expose, read twice and digitise some pixels: the list of effects, in order.

    Args:
        light: expected light per exposure (n_pixel, n_exposure) [e-] at unit response, float32.
        frames: their calibration tables, (n_pixel,) each.
        channel: gives the times of the reads.
        hits: pixel and exposure (n_hit,) of cosmic rays.
        n_average: real pairs averaged into a stored one.
        rng: source of every random draw.

    Returns:
        Counts (n_pixel, 2 n_exposure) uint16; even frames are the first reads.
    """
    responded = apply_response(light, frames.flat, frames.dead)
    first, added = expected_reads(responded, frames.dark, channel)
    first = draw_photons(first, n_average, rng)
    second = first + draw_photons(added, n_average, rng)
    second = add_cosmic_rays(second, *hits, n_average)
    counts = np.empty((light.shape[0], 2 * light.shape[1]), dtype=np.uint16)
    for read, electrons in enumerate((first, second)):
        measured = invert_linearity(saturate(electrons), frames.linearity)
        measured = add_read_noise(measured, frames.read_noise, n_average, frames.gain, rng)
        counts[:, read::2] = to_counts(measured, frames.gain, frames.offset)
    return counts
