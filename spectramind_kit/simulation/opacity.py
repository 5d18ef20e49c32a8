"""What a planet's limb absorbs: molecules, haze and cloud.

    depth = D (1 + h (ln kappa - mean of ln kappa over AIRS-CH0))^2

Where the air is opaque lies higher by h planet radii for every e-fold of opacity (Lecavelier des Etangs et al. 2008).
Each planet draws abundances, haze and cloud; h, its scale height, has no upper limit but that of light air.
"""

from dataclasses import dataclass

import numpy as np

KINDS = ("mixed", "cloudy", "clear")
_CLOUD = {"mixed": (1.0, 1.8), "cloudy": (2.5, 1.5), "clear": (-0.5, 1.5)}
"""Mean and spread of the cloud's ln opacity, by kind."""
_HAZE_WAVELENGTH = 0.7
_ABUNDANCE = (-8.0, 0.5)
_HAZE = (-1.0, 8.5)
"""ln of the haze's opacity at FGS1."""
_HAZE_SLOPE = (1.0, 6.0)


@dataclass(frozen=True)
class Molecule:
    """Bands of one molecule: centres [um], widths [um] and strengths [e-folds], (n_band,) each."""

    centre: tuple[float, ...]
    width: tuple[float, ...]
    strength: tuple[float, ...]

    def log_opacity(self, wavelength: np.ndarray, broader: float) -> np.ndarray:
        """Return ln of the opacity over the continuum's, (n_wavelength,); ``broader`` scales the widths."""
        x = (wavelength[:, None] - np.array(self.centre)) / (broader * np.array(self.width))
        return np.exp(-0.5 * x**2) @ np.array(self.strength)


@dataclass(frozen=True)
class Air:
    """One planet's air.

    Attributes:
        abundance: ln of each molecule's opacity between its bands, (n_molecule,).
        haze: ln of the haze's opacity at FGS1.
        haze_slope: power by which it falls with wavelength.
        cloud: ln of the grey opacity.
        broader: width of bands over the molecule's.
        scale_height: over the planet's radius [1].
    """

    abundance: tuple[float, ...]
    haze: float
    haze_slope: float
    cloud: float
    broader: float
    scale_height: float


@dataclass(frozen=True)
class Airs:
    """The airs of a population.

    Attributes:
        kind: one of ``KINDS``.
        molecules: that exist.
    """

    kind: str
    molecules: tuple[Molecule, ...]

    def draw_air(self, scale_height: float, rng: np.random.Generator) -> Air:
        """Draw a planet's air."""
        mean, spread = _CLOUD[self.kind]
        return Air(
            abundance=tuple(float(a) for a in rng.uniform(*_ABUNDANCE, len(self.molecules))),
            haze=float(rng.uniform(*_HAZE)),
            haze_slope=float(rng.uniform(*_HAZE_SLOPE)),
            cloud=float(rng.normal(mean, spread)),
            broader=float(np.exp(rng.normal(0.0, 0.25))),
            scale_height=scale_height,
        )

    def depths(self, air: Air, depth: float, wavelength: np.ndarray, anchor: np.ndarray) -> np.ndarray:
        """Return (Rp/Rs)^2 at wavelengths (n_wavelength,).

        Args:
            air: the planet's.
            depth: at the mean radius over the anchor wavelengths.
            wavelength: where the depth is wanted [um].
            anchor: where the mean is taken [um].
        """
        height = self._log_opacity(air, wavelength) - self._log_opacity(air, anchor).mean()
        return depth * np.maximum(1.0 + air.scale_height * height, 0.3) ** 2

    def _log_opacity(self, air: Air, wavelength: np.ndarray) -> np.ndarray:
        opacity = np.exp(air.cloud) + np.exp(air.haze) * (_HAZE_WAVELENGTH / wavelength) ** air.haze_slope
        for abundance, molecule in zip(air.abundance, self.molecules):
            opacity = opacity + np.exp(abundance + molecule.log_opacity(wavelength, air.broader))
        return np.log(opacity)
