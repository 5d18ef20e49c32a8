"""Star spots: those the planet passes by make transits deeper, one that it crosses makes transits briefly shallower.

A disc of which a fraction f is covered with spots shines 1 - f (1 - c), c(lambda) = B(T_spot) / B(T_star), while the
planet hides unspotted light, so the transit light source effect (Rackham et al. 2018) deepens a transit by

    epsilon(lambda) = 1 / (1 - f (1 - c)),

more at FGS1 than in the infrared, where spots are hardly darker than the star. Where the planet covers part of a
spot it hides only c of the light there. Inactive FGK stars have about 1 % covered (Rackham et al. 2019); spots that
planets were observed to cross are 100 to 1,000 K cooler than the star and up to 0.2 stellar radii large (Beky et al.
2014; Mancini et al. 2017).
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.simulation.starlight import planck_quotient

_LN_COVERING_SCATTER = 0.7
_LARGEST_COVERING = 0.09
_TEMPERATURE_RATIO = (0.81, 0.97)
_CROSSED = 0.35
"""Fraction of the visits to spotted stars in which the planet crosses a spot."""
_CROSSED_RADIUS = (0.25, 0.9)
"""Radius of a crossed spot over that of one spot as large as all of them, and its limits [R_star]."""
_RADIUS_LIMITS = (0.025, 0.22)
_ALONG_CHORD = 0.92
_FARTHEST = 0.96
"""A spot's centre lies within that distance of the star's [R_star]."""


@dataclass(frozen=True)
class StarSpots:
    """Spots of a star: fraction of the disc they cover [1], and their temperature [K]."""

    covering: float
    temperature: float

    def contrast(self, star_temperature: float, wavelength: np.ndarray) -> np.ndarray:
        """Return the light of a spot over that of as much photosphere, (n_wavelength,) [1]."""
        return np.asarray(planck_quotient(self.temperature, star_temperature, np.asarray(wavelength)))

    def deepening(self, star_temperature: float, wavelength: np.ndarray) -> np.ndarray:
        """Return by how much transits look deeper, (n_wavelength,) [1]."""
        return 1.0 / (1.0 - self.covering * (1.0 - self.contrast(star_temperature, wavelength)))


@dataclass(frozen=True)
class CrossedSpot:
    """A spot on the planet's way in one visit.

    Attributes:
        along: place of its centre on the planet's chord, -1 (ingress) to 1 (egress) [half a chord].
        beside: distance of the centre from the chord [planet radii].
        radius: [R_star].
    """

    along: float
    beside: float
    radius: float


def draw_spots(star_temperature: float, typical_covering: float, rng: np.random.Generator) -> StarSpots | None:
    """Draw the spots of a star; None where ``typical_covering``, the median fraction covered, is zero."""
    scatter, ratio = rng.normal(0.0, _LN_COVERING_SCATTER), rng.uniform(*_TEMPERATURE_RATIO)
    if typical_covering == 0.0:
        return None
    return StarSpots(min(typical_covering * float(np.exp(scatter)), _LARGEST_COVERING), ratio * star_temperature)


def draw_crossed_spot(spots: StarSpots | None, rng: np.random.Generator) -> CrossedSpot | None:
    """Draw the spot that the planet crosses in a visit, if it crosses one."""
    crosses, along, beside = rng.random(), rng.uniform(-_ALONG_CHORD, _ALONG_CHORD), rng.uniform(-1.0, 1.0)
    size = rng.uniform(*_CROSSED_RADIUS)
    if spots is None or crosses > _CROSSED:
        return None
    return CrossedSpot(along, beside, float(np.clip(size * np.sqrt(spots.covering), *_RADIUS_LIMITS)))


def spotted(flux: np.ndarray, deepening: np.ndarray, contrast: np.ndarray, crossed: np.ndarray) -> np.ndarray:
    """Return the transit before a spotted star, (n_wavelength, n_time) [1].

    Args:
        flux: the transit before the star without spots (n_wavelength, n_time) [1].
        deepening: (n_wavelength,) of ``StarSpots``.
        contrast: (n_wavelength,) of ``StarSpots``.
        crossed: fraction of the photosphere's light that the planet hides within the crossed spot, as ``flux``.
    """
    hidden = (1.0 - flux) - (1.0 - contrast)[:, None] * crossed
    return 1.0 - deepening[:, None] * hidden


def crossed_area(
    spot: CrossedSpot, along: np.ndarray, across: np.ndarray, impact_parameter: float, radius_ratio: float
) -> tuple[np.ndarray, float]:
    """Return the area that planet and spot share (n_time,) [R_star^2], averaged over instants, and mu at the spot.

    Args:
        spot: of the visit.
        along: place of the planet's centre along its way (n_time, n_instant) [R_star], infinite behind the star.
        across: likewise, across its way.
        impact_parameter: of the planet [R_star].
        radius_ratio: of planet and star [1].
    """
    half_chord = np.sqrt(max(0.0, 1.0 - impact_parameter**2))
    x, y = spot.along * half_chord, impact_parameter + spot.beside * radius_ratio
    scale = min(1.0, _FARTHEST / max(np.hypot(x, y), 1e-9))
    x, y = scale * x, scale * y
    area = lens_area(np.hypot(along - x, across - y), radius_ratio, spot.radius)
    return area.mean(axis=1), float(np.sqrt(1.0 - x**2 - y**2))


def lens_area(distance: np.ndarray, first: float, second: float) -> np.ndarray:
    """Return the area that two discs share, in the shape of the distance of their centres."""
    d = np.clip(distance, 1e-9, first + second)
    large, small = max(first, second), min(first, second)
    with np.errstate(invalid="ignore"):
        one = np.arccos(np.clip((d**2 + first**2 - second**2) / (2.0 * d * first), -1.0, 1.0))
        two = np.arccos(np.clip((d**2 + second**2 - first**2) / (2.0 * d * second), -1.0, 1.0))
    heron = (first + second - d) * (d + first - second) * (d - first + second) * (first + second + d)
    lens = first**2 * one + second**2 * two - 0.5 * np.sqrt(np.maximum(heron, 0.0))
    return np.where(d <= large - small, np.pi * small**2, lens)
