"""Spots: none, spots that the planet passes by (transits look deeper), and spots that it crosses as well.

A disc with a share f of its area in spots of contrast c(lambda) shines 1 - f (1 - c); the planet hides unspotted
light, except for the lens it shares with a spot that it crosses.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.random_world.kinds import draw_kind
from spectramind_kit.simulation.darkening_law import DarkeningLaw
from spectramind_kit.simulation.distributions import log_uniform
from spectramind_kit.simulation.star_spots import lens_area

KINDS = ("none", "passed", "crossed")
_COVERING = (0.002, 0.02)
_COOLER = (0.80, 0.96)
_LARGEST_COVERING = 0.08
_CROSSED_SHARE = 0.3
_RADIUS = (0.03, 0.2)
_SECOND_RADIATION = 14_388.0


@dataclass(frozen=True)
class Spots:
    """The spots of a world's stars.

    Attributes:
        kind: one of ``KINDS``.
        covering: median share of a disc in spots.
        scatter: of its logarithm.
        cooler: spot temperature over the star's.
        crossed: share of visits in which the planet crosses a spot.
    """

    kind: str
    covering: float
    scatter: float
    cooler: float
    crossed: float

    def draw_covering(self, rng: np.random.Generator) -> float:
        """Return the share of a star's disc in spots."""
        covering = self.covering * float(np.exp(self.scatter * rng.standard_normal()))
        return 0.0 if self.kind == "none" else min(covering, _LARGEST_COVERING)

    def draw_crossing(self, impact: float, radius: float, rng: np.random.Generator) -> "Crossing | None":
        """Return the spot that is crossed in a visit, if one is.

        Args:
            impact: impact parameter [R_star].
            radius: of the planet [R_star].
            rng: source of every random draw.
        """
        happens, along, beside, size = rng.random(4)
        if self.kind != "crossed" or happens > self.crossed:
            return None
        x = (1.6 * along - 0.8) * np.sqrt(max(0.0, 1.0 - impact**2))
        y = impact + (2.0 * beside - 1.0) * radius
        inside = min(1.0, 0.95 / max(float(np.hypot(x, y)), 1e-9))
        return Crossing(inside * x, inside * y, _RADIUS[0] * (_RADIUS[1] / _RADIUS[0]) ** size)

    def contrast(self, temperature: float, wavelength: np.ndarray) -> np.ndarray:
        """Return a spot's light over that of as much undisturbed disc, (n_wavelength,) [1]."""
        cool = np.expm1(_SECOND_RADIATION / (wavelength * self.cooler * temperature))
        return np.expm1(_SECOND_RADIATION / (wavelength * temperature)) / cool

    def dimmed(self, flux: np.ndarray, covering: float, temperature: float, wavelength: np.ndarray) -> np.ndarray:
        """Return the transit of a spotted star from that of an unspotted one, (n_wavelength, n_time) [1]."""
        share = covering * (1.0 - self.contrast(temperature, wavelength))
        return 1.0 - (1.0 - flux) / (1.0 - share[:, None])


@dataclass(frozen=True)
class Crossing:
    """A spot on the planet's way.

    Attributes:
        x: place of its centre along the way [R_star].
        y: place across [R_star].
        radius: [R_star].
    """

    x: float
    y: float
    radius: float

    def hidden_share(self, x: np.ndarray, y: np.ndarray, radius: float, law: DarkeningLaw) -> np.ndarray:
        """Return the undisturbed light of the lens that planet and spot share, over the disc's.

        Args:
            x: the planet's place along its way (n_time, n_instant) [R_star], infinite while behind.
            y: its place across.
            radius: of the planet [R_star].
            law: of the wavelengths.

        Returns:
            (n_wavelength, n_time) [1].
        """
        area = lens_area(np.hypot(x - self.x, y - self.y), radius, self.radius).mean(axis=1)
        mu = np.array([[np.sqrt(1.0 - self.x**2 - self.y**2)]])
        return law.intensity(mu) / law.disc_light[:, None] * area


def draw_spot_family(wanted: str | None, rng: np.random.Generator) -> Spots:
    """Draw the spots of a world.

    Args:
        wanted: kind asked for, if any.
        rng: source of every random draw.
    """
    return Spots(
        kind=draw_kind("spots", KINDS, wanted, rng),
        covering=log_uniform(*_COVERING, rng),
        scatter=float(rng.uniform(0.2, 0.8)),
        cooler=float(rng.uniform(*_COOLER)),
        crossed=float(rng.uniform(0.1, 2.0 * _CROSSED_SHARE)),
    )
