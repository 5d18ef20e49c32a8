"""Calibration tables of a simulated detector: dark, dead, flat, read noise and linearity.

The simulator's detector obeys its own tables, so they are exact; their medians, scatter and outliers are those
of the real tables of planet 342072318.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.instruments import AIRS, FGS1, Channel
from spectramind_kit.products import CalibrationFrames

FULL_WELL = 86_500.0
"""Electrons a pixel can hold [e-]; it then reads about 83,000 because of its non-linearity."""

_UNIT = np.array([1e-9, 1e-12, 1e-17, 1e-22])
"""Scale of the linearity coefficients of powers 2 to 5."""


@dataclass(frozen=True)
class _Statistics:
    """What the real tables of a channel look like: (centre, standard deviation) pairs and fractions of pixels.

    ``noise_tail`` sets the few noisy pixels: read noise exceeds its floor by tail (1/u - 1) with u uniform [e-].
    ``bend`` and ``bend_scatter`` are those of the linearity coefficients of powers 2 to 5 in ``_UNIT``.
    """

    dark: tuple[float, float]
    flat: tuple[float, float]
    dead: float
    hot: float
    noise_tail: float
    constant: tuple[float, float]
    bend: tuple[float, ...]
    bend_scatter: tuple[float, ...]
    bend_correlation: tuple[tuple[float, ...], ...]


_STATISTICS = {
    AIRS.name: _Statistics(
        dark=(6.3e-3, 1.4e-3),
        flat=(1.014, 0.0125),
        dead=1e-3,
        hot=2e-3,
        noise_tail=0.19,
        constant=(0.14, 0.15),
        bend=(-5.0, 11.8, -6.05, 1.345),
        bend_scatter=(60.0, 1.32, 1.04, 0.262),
        bend_correlation=(
            (1, -0.782, 0.555, -0.074),
            (-0.782, 1, -0.894, 0.415),
            (0.555, -0.894, 1, -0.739),
            (-0.074, 0.415, -0.739, 1),
        ),
    ),
    FGS1.name: _Statistics(
        dark=(6.9e-3, 1.4e-3),
        flat=(1.008, 0.0136),
        dead=3e-3,
        hot=3e-3,
        noise_tail=0.19,
        constant=(0.27, 0.10),
        bend=(7.0, 8.45, -3.617, 0.664),
        bend_scatter=(51.7, 0.966, 0.571, 0.081),
        bend_correlation=(
            (1, -0.831, 0.653, -0.007),
            (-0.831, 1, -0.900, 0.217),
            (0.653, -0.900, 1, -0.567),
            (-0.007, 0.217, -0.567, 1),
        ),
    ),
}
_SLOPE_SCATTER = 0.005
_HOT_DARK = (0.1, 25.0)
_DEAD_READ_NOISE = (12.0, 130.0)
_NOISE_SCATTER = 0.02
_MOST_READ_NOISE = 75.0


def draw_calibration_frames(
    channel: Channel, gain: float, offset: float, read_noise: float, rng: np.random.Generator
) -> CalibrationFrames:
    """Draw the tables of one detector.

    Args:
        channel: the detector.
        gain: [ADU/e-].
        offset: [e-].
        read_noise: of an ordinary pixel, per read [e-].
        rng: source of every random draw.
    """
    statistics = _STATISTICS[channel.name]
    dead = rng.random(channel.shape) < statistics.dead
    return CalibrationFrames(
        dark=_draw_dark(channel, statistics, rng),
        dead=dead,
        flat=_draw_flat(dead, statistics, rng),
        read_noise=_draw_read_noise(dead, read_noise, statistics, rng),
        linearity=draw_linearity(channel, rng),
        gain=gain,
        offset=offset,
    )


def draw_linearity(channel: Channel, rng: np.random.Generator) -> np.ndarray:
    """Return polynomials measured e- -> linear e-, ascending powers, (6, n_row, n_column).

    Every polynomial rises over the whole range a pixel can hold: one that would not gets the median's bend.
    """
    statistics = _STATISTICS[channel.name]
    scatter = np.diag(statistics.bend_scatter)
    covariance = scatter @ np.array(statistics.bend_correlation) @ scatter
    bend = rng.multivariate_normal(statistics.bend, covariance, channel.n_pixel, method="cholesky").T
    constant = rng.normal(*statistics.constant, channel.n_pixel)
    slope = rng.normal(1.0, _SLOPE_SCATTER, channel.n_pixel)
    bend[:, ~_rises(slope, bend)] = np.array(statistics.bend)[:, None]
    return np.vstack([constant, slope, bend * _UNIT[:, None]]).reshape(6, *channel.shape)


def _rises(slope: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """True where the polynomial's slope stays above one half from zero to the full well, (n_pixel,)."""
    measured = np.linspace(0.0, FULL_WELL, 30)[:, None]
    derivative = slope + sum(p * b * u * measured ** (p - 1) for p, b, u in zip((2, 3, 4, 5), bend, _UNIT))
    return np.all(derivative > 0.5, axis=0)


def _draw_dark(channel: Channel, statistics: _Statistics, rng: np.random.Generator) -> np.ndarray:
    dark = np.maximum(rng.normal(*statistics.dark, channel.shape), 1e-3)
    hot = rng.random(channel.shape) < statistics.hot
    return np.where(hot, np.exp(rng.uniform(np.log(_HOT_DARK[0]), np.log(_HOT_DARK[1]), channel.shape)), dark)


def _draw_flat(dead: np.ndarray, statistics: _Statistics, rng: np.random.Generator) -> np.ndarray:
    """Draw responses; the table shows half of the dead pixels as unlit, the others as if nothing were wrong."""
    flat = rng.normal(*statistics.flat, dead.shape)
    shows = rng.random(dead.shape) < 0.5
    return np.where(dead & shows, rng.normal(-0.005, 0.015, dead.shape), flat)


def _draw_read_noise(dead: np.ndarray, floor: float, statistics: _Statistics, rng: np.random.Generator) -> np.ndarray:
    """Draw read noise: near the floor, a tail of noisy pixels, dead ones erratic."""
    uniform = rng.uniform(1e-4, 1.0, dead.shape)
    noise = floor * rng.normal(1.0, _NOISE_SCATTER, dead.shape)
    noise += np.minimum(statistics.noise_tail * (1.0 / uniform - 1.0), _MOST_READ_NOISE) * floor / 13.0
    return np.where(
        dead, np.exp(rng.uniform(np.log(_DEAD_READ_NOISE[0]), np.log(_DEAD_READ_NOISE[1]), dead.shape)), noise
    )
