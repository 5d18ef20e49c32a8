"""What the symbolic terms measure of a spectrum, as matrices: each row is one linear measurement of the relative shape.

A spectrum's shape is s = d / L - 1 with the mean AIRS-CH0 depth L. Distances are in x = ln(lambda), in which a
resolution element of AIRS-CH0 is 1 / R long everywhere and the radius of a haze, R0 + H ln kappa with kappa a power of
lambda, is a straight line (Lecavelier des Etangs et al. 2008, A&A 481, L83). No row but FGS1's own joins FGS1 to
AIRS-CH0: the 1.2 um between them are no neighbourhood. All rows are blind to a constant, so a flat spectrum measures
zero.
"""

import numpy as np

from spectramind_kit.instruments import is_fgs1
from spectramind_kit.symbolic.bands import RESOLVING_POWER, WINDOWS, Band, band_mask, resolved_bands, window_mask

_FLANK_STEPS = 8
"""Distances from a band's centre at which its two flanks are compared."""
_FEWEST_SLOPES = 4
"""Slopes that a local straight line is fitted through at least: two determine it, more judge it."""


def curvature_operator(wavelength: np.ndarray) -> np.ndarray:
    """Return how far each AIRS-CH0 point lies off the chord of its two neighbours, (n_airs - 2, n_wavelength) [1].

    s_i - [(x_{i+1} - x_i) s_{i-1} + (x_i - x_{i-1}) s_{i+1}] / (x_{i+1} - x_{i-1}): minus half the second difference
    where points are evenly spaced, and zero for a straight line wherever they lie.
    """
    airs, x = _airs(wavelength)
    rows = np.zeros((max(0, len(airs) - 2), len(wavelength)))
    for row, i in zip(rows, range(1, len(airs) - 1)):
        left, right = x[i] - x[i - 1], x[i + 1] - x[i]
        row[airs[i - 1 : i + 2]] = -right / (left + right), 1.0, -left / (left + right)
    return rows


def spectrum_operator(wavelength: np.ndarray) -> np.ndarray:
    """Return AIRS-CH0 on as many evenly spaced x, less its straight line, times a Hann window, (n_airs, n_wavelength).

    Ready for a Fourier transform: the line goes because its jump from the last point to the first is power at every
    frequency, and a haze makes one; the window because no spectrum is periodic.
    """
    airs, x = _airs(wavelength)
    even = np.linspace(x[0], x[-1], len(x)) if len(x) else x
    line = np.vander(even, 2)
    residual = np.eye(len(even)) - line @ np.linalg.pinv(line)  # projection onto what no straight line explains
    taper = np.sin(np.pi * (np.arange(len(even)) + 0.5) / max(1, len(even))) ** 2
    return taper[:, None] * (residual @ _interpolate(even, airs, x, len(wavelength)))


def asymmetry_operator(wavelength: np.ndarray) -> np.ndarray:
    """Return the flanks' difference at several distances from each band's centre, (n_band * n_step, n_wavelength) [1].

    o(t) - t o(1) with o(t) = s(c + t h) - s(c - t h), half-width h and 0 < t < 1: zero for a band that is even about
    its centre, on any straight slope.
    """
    airs, x = _airs(wavelength)
    step = np.arange(1, _FLANK_STEPS + 1) / _FLANK_STEPS
    rows = [np.zeros((0, len(wavelength)))]
    for band in resolved_bands(wavelength):
        centre, half = _centre_and_half_width(band, x)
        right, left = (_interpolate(centre + side * half * step, airs, x, len(wavelength)) for side in (1, -1))
        odd = right - left  # o(t)
        rows.append((odd - step[:, None] * odd[-1])[:-1])  # the last row is zero by construction
    return np.concatenate(rows)


def coherence_operator(wavelength: np.ndarray) -> np.ndarray:
    """Return what each slope within a band has over its surroundings', per resolution element, (n_slope, n_wavelength).

    Surroundings are a straight line through the slopes within a resolution element on either side, so that the steady
    turn from a band's rise to its fall is none.
    """
    airs, x = _airs(wavelength)
    rows = [np.zeros((0, len(wavelength)))]
    for band in resolved_bands(wavelength):
        inside = np.flatnonzero(band_mask(band, np.asarray(wavelength)[airs]))
        if len(inside) > _FEWEST_SLOPES:
            place = x[inside]
            # Row k of this matrix is the slope between points k and k + 1 of the band, as a function of the spectrum.
            slope = np.diff(np.eye(len(wavelength))[airs[inside]], axis=0) / np.diff(place)[:, None]
            middle = 0.5 * (place[1:] + place[:-1])
            rows.append((slope - _local_line(middle, np.diff(place)) @ slope) / RESOLVING_POWER)
    return np.concatenate(rows)


def height_operator(wavelength: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[tuple[int, ...], ...]]:
    """Return how high each resolved band stands over the clear windows, and which bands each molecule has.

    Height is the mean over the middle half of the band less the straight line through the windows' means, which a haze
    may tilt.

    Returns:
        (n_band, n_wavelength) [1]; by how much each line goes up where the red window does (n_band,) [1]; the rows of
        each molecule. Nothing on a grid without both windows.
    """
    airs, x = _airs(wavelength)
    windows = [window_mask(window, wavelength) for window in WINDOWS]
    if not all(window.any() for window in windows):
        return np.zeros((0, len(wavelength))), np.zeros(0), ()
    blue, red = (window / window.sum() for window in windows)
    place = np.log(np.asarray(wavelength, dtype=np.float64))
    bands = resolved_bands(wavelength)
    rows, red_share = np.zeros((len(bands), len(wavelength))), np.zeros(len(bands))
    for i, (row, band) in enumerate(zip(rows, bands)):
        low, high = np.clip(np.log(band.edges), x[0], x[-1])
        # The middle half only: the edges are rounded, and neighbouring bands reach over them.
        core = np.linspace(0.75 * low + 0.25 * high, 0.25 * low + 0.75 * high, 2 * _FLANK_STEPS + 1)
        fraction = (core.mean() - blue @ place) / (red @ place - blue @ place)
        row += _interpolate(core, airs, x, len(wavelength)).mean(axis=0) - (1.0 - fraction) * blue - fraction * red
        red_share[i] = max(0.0, fraction)
    molecules = dict.fromkeys(band.molecule for band in bands)
    return (
        rows,
        red_share,
        tuple(tuple(i for i, band in enumerate(bands) if band.molecule == name) for name in molecules),
    )


def continuity_operator(wavelength: np.ndarray) -> np.ndarray:
    """Return FGS1 over AIRS-CH0's blue window, (1, n_wavelength) [1]; no row where either is missing."""
    fgs1, window = is_fgs1(wavelength), window_mask(WINDOWS[0], wavelength)
    if not (fgs1.any() and window.any()):
        return np.zeros((0, len(wavelength)))
    return (fgs1 / fgs1.sum() - window / window.sum())[None]


def neighbour_edges(wavelength: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the plainest graph of a spectrum: AIRS-CH0 neighbours, and pairs a resolution element apart.

    Returns:
        edge_index (2, n_edge) and weight (n_edge,): exp(-(R dx)^2 / 2).
    """
    airs, x = _airs(wavelength)
    distance = np.abs(x[:, None] - x) * RESOLVING_POWER
    neighbours = np.eye(len(airs), k=1, dtype=bool) | (distance <= 1.0)
    source, target = np.nonzero(np.triu(neighbours, k=1))
    return np.stack([airs[source], airs[target]]), np.exp(-0.5 * distance[source, target] ** 2)


def _airs(wavelength: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of AIRS-CH0 on the wavelength axis and their ln(lambda), both (n_airs,)."""
    airs = np.flatnonzero(~is_fgs1(wavelength))
    return airs, np.log(np.asarray(wavelength, dtype=np.float64)[airs])


def _interpolate(at: np.ndarray, airs: np.ndarray, x: np.ndarray, n_wavelength: int) -> np.ndarray:
    """Return rows (n, n_wavelength) that interpolate AIRS-CH0 linearly at some x (n,)."""
    rows = np.zeros((len(at), n_wavelength))
    rows[:, airs] = np.array([np.interp(at, x, unit) for unit in np.eye(len(x))]).T.reshape(len(at), len(x))
    return rows


def _centre_and_half_width(band: Band, x: np.ndarray) -> tuple[float, float]:
    """Return a band's centre and the distance to its nearer visible edge, both in ln(lambda)."""
    centre = np.log(band.centre)
    low, high = np.clip(np.log(band.edges), x[0], x[-1])
    return centre, min(centre - low, high - centre)


def _local_line(place: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the matrix (n, n) that puts, at each place, the weighted straight line through what lies around it."""
    fit = np.zeros((len(place), len(place)))
    for row, here in zip(fit, place):
        distance = np.abs(place - here)
        # A resolution element, or as far as the fewest slopes that judge a line lie on a coarse grid.
        radius = max(1.0 / RESOLVING_POWER, np.sort(distance)[_FEWEST_SLOPES - 1])
        near = np.flatnonzero(distance <= radius * (1.0 + 1e-9))
        line = np.stack([np.ones(len(near)), place[near] - here], axis=1)
        row[near] = np.linalg.solve(line.T @ (weight[near, None] * line), (weight[near, None] * line).T)[0]
    return fit
