"""Circular orbits seen from far away: where the planet stands before its star, and for how long.

With phase f = 2 pi (t - t0) / P and lengths in stellar radii, the projected separation is

    s^2 = a^2 sin^2 f + b^2 cos^2 f = b^2 + (a^2 - b^2) sin^2 f,

and first and fourth contact are where s = 1 + Rp/Rs (Winn 2010, eqs. 2-5 and 14 with e = 0). An eccentric orbit
is seen, for the hours of a transit, as a circular one of another speed; ``transit_speed`` says how different. The star
tables give e without the argument of periastron, and e = 0 for all planets so far. Everything broadcasts and is
differentiable.
"""

import math

import numpy as np
import torch
from torch import Tensor

_TINY = 1e-24
"""Added under the square root: the slope of the separation stays finite at s = 0 [R_star^2]."""
_LARGEST_ECCENTRICITY = 0.95
_N_PERIASTRON = 360


def sky_separation(
    time: Tensor, mid_time: Tensor, period: Tensor | float, semi_major_axis: Tensor, impact_parameter: Tensor
) -> Tensor:
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
    along = semi_major_axis * torch.sin(phase)
    across = impact_parameter * torch.cos(phase)
    separation = torch.sqrt(along**2 + across**2 + _TINY)
    return torch.where(torch.cos(phase) > 0.0, separation, torch.inf)


def transit_duration(
    period: Tensor | float,
    semi_major_axis: Tensor | float,
    impact_parameter: Tensor | float,
    radius_ratio: Tensor | float,
) -> Tensor:
    """Return the time from first to fourth contact.

    Args:
        period: [s].
        semi_major_axis: [R_star].
        impact_parameter: [R_star].
        radius_ratio: Rp/Rs [1].

    Returns:
        T14 [s] in the broadcast shape; 0 where the planet misses the star.
    """
    period, a, b, k = _tensors(period, semi_major_axis, impact_parameter, radius_ratio)
    chord = torch.clamp((1.0 + k) ** 2 - b**2, min=0.0)
    sine = torch.sqrt(torch.clamp(chord / torch.clamp(a**2 - b**2, min=_TINY), max=1.0))
    return period / math.pi * torch.asin(sine)


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
    period: Tensor | float, duration: Tensor | float, impact_parameter: Tensor | float, radius_ratio: Tensor | float
) -> Tensor:
    """Return the semi-major axis that makes the transit last ``duration``; the inverse of ``transit_duration``.

    Args:
        period: [s].
        duration: first to fourth contact [s], above 0 and at most half a period.
        impact_parameter: [R_star], below 1 + radius_ratio.
        radius_ratio: Rp/Rs [1].

    Returns:
        a [R_star] in the broadcast shape.
    """
    period, duration, b, k = _tensors(period, duration, impact_parameter, radius_ratio)
    chord = torch.clamp((1.0 + k) ** 2 - b**2, min=0.0)
    return torch.sqrt(b**2 + chord / torch.sin(math.pi * duration / period) ** 2)


def _tensors(*values: Tensor | float) -> list[Tensor]:
    return [v if isinstance(v, Tensor) else torch.as_tensor(v, dtype=torch.float64) for v in values]
