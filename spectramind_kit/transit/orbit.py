"""Circular orbits seen from far away: where the planet stands before its star, and for how long.

With phase f = 2 pi (t - t0) / P and lengths in stellar radii, the projected separation is

    s^2 = a^2 sin^2 f + b^2 cos^2 f = b^2 + (a^2 - b^2) sin^2 f,

and first and fourth contact are where s = 1 + Rp/Rs (Winn 2010, eqs. 2-5 and 14 with e = 0). An eccentric orbit
is seen, for the hours of a transit, as a circular one of another speed; ``transit_speed`` says how different. The star
tables give e without the argument of periastron, and e = 0 for all planets so far. Everything broadcasts.
"""

import math

import numpy as np

_TINY = 1e-24
"""Smallest difference of a^2 and b^2 that a duration divides by [R_star^2]."""
_LARGEST_ECCENTRICITY = 0.95
_N_PERIASTRON = 360


def sky_separation(
    time: np.ndarray,
    mid_time: np.ndarray | float,
    period: float,
    semi_major_axis: np.ndarray | float,
    impact_parameter: np.ndarray | float,
) -> np.ndarray:
    """Return the projected distance of the planet's centre from the star's centre.

    Args:
        time: [s].
        mid_time: [s].
        period: [s].
        semi_major_axis: [R_star].
        impact_parameter: [R_star].

    Returns:
        The broadcast shape [R_star]; infinite while the planet is behind the star.
    """
    phase = 2.0 * math.pi * (time - mid_time) / period
    along = semi_major_axis * np.sin(phase)
    across = impact_parameter * np.cos(phase)
    separation = np.sqrt(along**2 + across**2)
    return np.where(np.cos(phase) > 0.0, separation, np.inf)


def transit_duration(
    period: np.ndarray | float,
    semi_major_axis: np.ndarray | float,
    impact_parameter: np.ndarray | float,
    radius_ratio: np.ndarray | float,
) -> np.ndarray:
    """Return the time from first to fourth contact.

    Args:
        period: [s].
        semi_major_axis: [R_star].
        impact_parameter: [R_star].
        radius_ratio: Rp/Rs [1].

    Returns:
        T14 [s] in the broadcast shape; 0 where the planet misses the star.
    """
    a, b, k = semi_major_axis, impact_parameter, radius_ratio
    chord = np.maximum((1.0 + k) ** 2 - b**2, 0.0)
    sine = np.sqrt(np.minimum(chord / np.maximum(a**2 - b**2, _TINY), 1.0))
    return period / math.pi * np.arcsin(sine)


def transit_speed(eccentricity: float) -> tuple[float, float]:
    """Return mean and standard deviation of ln(speed at transit over that of a circular orbit), for unknown periastron.

    The speed across the line of sight is (1 + e sin w) / sqrt(1 - e^2) times the circular one (Winn 2010, eq. 16), and
    a circular orbit whose a/Rs is larger by that factor makes the same light curve; w is uniform.

    Args:
        eccentricity: [1]; below 0 or not finite counts as 0, and 0.95 is the largest.
    """
    e = min(max(eccentricity, 0.0), _LARGEST_ECCENTRICITY) if math.isfinite(eccentricity) else 0.0
    periastron = 2.0 * np.pi * (np.arange(_N_PERIASTRON) + 0.5) / _N_PERIASTRON
    log_speed = np.log1p(e * np.sin(periastron)) - 0.5 * math.log1p(-(e**2))
    return float(log_speed.mean()), float(log_speed.std())


def semi_major_axis_from_duration(
    period: np.ndarray | float,
    duration: np.ndarray | float,
    impact_parameter: np.ndarray | float,
    radius_ratio: np.ndarray | float,
) -> np.ndarray:
    """Return the semi-major axis that makes the transit last ``duration``; the inverse of ``transit_duration``.

    Args:
        period: [s].
        duration: first to fourth contact [s], above 0 and at most half a period.
        impact_parameter: [R_star], below 1 + radius_ratio.
        radius_ratio: Rp/Rs [1].

    Returns:
        a [R_star] in the broadcast shape.
    """
    b, k = impact_parameter, radius_ratio
    chord = np.maximum((1.0 + k) ** 2 - b**2, 0.0)
    return np.sqrt(b**2 + chord / np.sin(math.pi * duration / period) ** 2)
