"""Molecular bands inside Ariel's band passes, FGS1 0.60-0.80 um and AIRS-CH0 1.95-3.90 um, and regions between them.

Places are band origins measured in the laboratory; extents are where a band stands out of its surroundings at a
resolving power near 100 and some 1,000 K, rounded to .01 um, which is all that is meaningful at that resolution: an
origin that is wrong by 10 /cm moves a band by a fifth of a resolution element.

- H2O: band origins of Tennyson et al. (2013, JQSRT 117, 29); 3 nu1 + nu3 at 13,831 /cm is the only one within FGS1
  worth naming (Rothman et al. 2013, HITRAN). Of nu2 + nu3 AIRS-CH0 covers the red wing alone.
- CO2: Fermi triad 2.0 um, of which the middle member is the strongest (Miller & Brown 2004, J. Mol. Spectrosc. 228,
  329); Fermi dyad 2.7 um at 3,612.84 and 3,714.78 /cm (Rothman & Young 1981, JQSRT 25, 505), whose middle is taken.
  nu3 at 4.26 um lies beyond the red end.
- CH4: nu3 + nu4, strongest of the octad, and nu3, of the pentad (Albert et al. 2009, Chem. Phys. 356, 131); the bands
  at .62 and .73 um are those of the giant planets (Karkoschka 1994, Icarus 111, 174).
- CO: 2-0 has its origin at 4,260.06 /cm and its head at 2.2935 um (Dunham coefficients of Guelachvili et al. 1983,
  J. Mol. Spectrosc. 98, 64); 1-0 at 4.67 um lies beyond the red end.
- NH3: nu3 + nu4, the 2.2 um group of nu1 + nu2 and nu2 + nu3, and nu1 (Yurchenko, Barber & Tennyson 2011, MNRAS 413,
  1828); the .65 um band is that of Jupiter (Irwin et al. 2019, Icarus 321, 572).
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.instruments import is_fgs1

FGS1_BAND_PASS = (0.60, 0.80)
"""Wavelengths that FGS1's one point sums up [um]."""
RESOLVING_POWER = 100.0
"""Of AIRS-CH0, lambda / delta lambda: nothing in a spectrum changes within a resolution element."""


@dataclass(frozen=True)
class Band:
    """One absorption band.

    Attributes:
        molecule: formula.
        centre: origin of the band, or the middle of a resonant pair [um].
        edges: from where to where it stands out [um].
    """

    molecule: str
    centre: float
    edges: tuple[float, float]

    @property
    def name(self) -> str:
        """Molecule and centre, "CH4 3.31"."""
        return f"{self.molecule} {self.centre:.2f}"


def _at(wavenumber: float) -> float:
    """Return the vacuum wavelength [um] of a wavenumber [1/cm]."""
    return 1e4 / wavenumber


BANDS = (
    Band("H2O", _at(13831.0), (0.71, 0.74)),
    Band("H2O", _at(5331.27), (1.75, 2.00)),
    Band("H2O", _at(3755.93), (2.48, 2.90)),
    Band("H2O", _at(3151.63), (3.05, 3.30)),
    Band("CO2", _at(4977.83), (1.94, 2.09)),
    Band("CO2", _at(0.5 * (3612.84 + 3714.78)), (2.64, 2.84)),
    Band("CH4", 0.62, (0.61, 0.63)),
    Band("CH4", 0.727, (0.71, 0.74)),
    Band("CH4", _at(4319.2), (2.15, 2.50)),
    Band("CH4", _at(3019.49), (3.15, 3.50)),
    Band("CO", _at(4260.06), (2.29, 2.42)),
    Band("NH3", 0.6475, (0.64, 0.66)),
    Band("NH3", _at(5052.0), (1.92, 2.08)),
    Band("NH3", _at(4425.0), (2.17, 2.36)),
    Band("NH3", _at(3336.6), (2.85, 3.15)),
)
MOLECULES = tuple(dict.fromkeys(band.molecule for band in BANDS))

REGIONS = (
    ("2.0 um bands", 2.09),
    ("K window", 2.15),
    ("2.3 um bands", 2.50),
    ("2.7 um bands", 2.90),
    ("3.0 um bands", 3.15),
    ("3.3 um bands", 3.50),
    ("red window", np.inf),
)
"""AIRS-CH0 cut at the edges of the bands: name, red end [um]; every wavelength lies in one."""
WINDOWS = ((2.09, 2.15), (3.60, 3.90))
"""Where the air of all five molecules is clearest: between the 2.0 and 2.3 um bands, and beyond methane's [um]."""


def band_mask(band: Band, wavelength: np.ndarray) -> np.ndarray:
    """Return where a band absorbs, (n_wavelength,) bool; FGS1's wide point is in every band that its band pass meets.

    Args:
        band: of ``BANDS``.
        wavelength: (n_wavelength,) [um].
    """
    wavelength = np.asarray(wavelength)
    low, high = band.edges
    meets_fgs1 = low < FGS1_BAND_PASS[1] and high > FGS1_BAND_PASS[0]
    return np.where(is_fgs1(wavelength), meets_fgs1, (wavelength >= low) & (wavelength <= high))


def window_mask(window: tuple[float, float], wavelength: np.ndarray) -> np.ndarray:
    """Return which AIRS-CH0 wavelengths lie in a clear window, (n_wavelength,) bool."""
    wavelength = np.asarray(wavelength)
    return ~is_fgs1(wavelength) & (wavelength >= window[0]) & (wavelength <= window[1])


def resolved_bands(wavelength: np.ndarray) -> tuple[Band, ...]:
    """Return the bands whose both edges AIRS-CH0 covers, to a resolution element: only those have two flanks."""
    airs = np.asarray(wavelength)[~is_fgs1(wavelength)]
    if not airs.size:
        return ()
    slack = 1.0 / RESOLVING_POWER
    low, high = airs.min() * (1.0 - slack), airs.max() * (1.0 + slack)
    return tuple(band for band in BANDS if low <= band.edges[0] and band.edges[1] <= high)


def region_names(wavelength: np.ndarray) -> np.ndarray:
    """Return the region of every wavelength [um], (n_wavelength,) of str: "FGS1" or a name of ``REGIONS``."""
    names = np.array([name for name, _ in REGIONS])
    ends = np.array([end for _, end in REGIONS[:-1]])
    return np.where(is_fgs1(wavelength), "FGS1", names[np.searchsorted(ends, wavelength, side="right")])
