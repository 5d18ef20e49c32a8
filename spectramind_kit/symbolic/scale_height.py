"""The scale height of a planet's air from what a star table says: how far depths of one atmosphere may differ.

    H / Rp = k T Rp / (mu G Mp),   T = T_star / sqrt(2 a),   Rp = sqrt(d) R_star

with the semi-major axis a in stellar radii, the temperature of a black planet that spreads its heat (Seager 2010,
Exoplanet Atmospheres, section 3.1), and air of hydrogen and helium. Heavier air is lower: what this allows is the most.
"""

from scipy import constants
from torch import Tensor

MOLECULAR_MASS = 2.3
"""Of hydrogen with a solar share of helium [atomic masses]."""
_SUN_RADIUS, _JUPITER_MASS = 6.957e8, 1.898e27
"""[m], [kg] (IAU 2015 Resolution B3)."""
_UNIT = constants.k * _SUN_RADIUS / (MOLECULAR_MASS * constants.atomic_mass * constants.G * _JUPITER_MASS)
LOWEST, HIGHEST = 5e-4, 0.02
"""A table may be wrong about the mass; no air that absorbs is known beyond these [planetary radii]."""


def scale_height(radius: Tensor, temperature: Tensor, axis: Tensor, mass: Tensor, depth: Tensor) -> Tensor:
    """Return the scale heights of planets, (n_planet,) as are the arguments [planetary radii].

    Args:
        radius: of the star [R_sun].
        temperature: of the star [K].
        axis: semi-major axis [R_star].
        mass: of the planet [M_Jupiter].
        depth: of the planet [(Rp/Rs)^2].
    """
    found = _UNIT * temperature * (depth**0.5 * radius) / ((2.0 * axis) ** 0.5 * mass)
    return found.clip(LOWEST, HIGHEST)
