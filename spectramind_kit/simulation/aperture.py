"""What photometry measures of a channel's light, without drawing a single pixel: flux, its noise, centroids and widths.

Everything the aperture measures is a weighted sum of pixels, and so are its mean and its noise:

- flux: sum of the star's image and of its changes with pointing. Its noise is that of the extraction's weights: 1, or
  those of least variance that see the templates T (image and changes) as the plain sum n does,
  w = V^-1 T' (T V^-1 T')^-1 n.
- moments M_k = sum x^k s: their noise is drawn with the covariance that it has with the flux's, sum w x^k V, and with
  each other, sum x^(k+l) V, before ratios are taken.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.instruments import AIRS
from spectramind_kit.settings.photometry import PhotometryConfig
from spectramind_kit.simulation.cadence import Cadence
from spectramind_kit.simulation.visit import ChannelLight

_NAMES = {"AIRS-CH0": ("airs_row",), "FGS1": ("fgs1_row", "fgs1_column")}
_READS = 2
"""An exposure is the difference of so many reads."""


@dataclass(frozen=True)
class Aperture:
    """The part of a detector that is summed, pixels first.

    Attributes:
        image: (n_pixel, n_wavelength), fraction of the star's light.
        changes: (n_change, n_pixel, n_wavelength), first the slopes by shift along each axis [1/pixel], then other
            changes that the extraction keeps blind to.
        foreground: (n_wavelength,) [e- per pixel and exposure].
        star: (n_wavelength, n_time) [e- per exposure].
        shift: (n_axis, n_time) [pixel].
        place: (n_axis, n_pixel), detector position of the pixels [pixel].
    """

    image: np.ndarray
    changes: np.ndarray
    foreground: np.ndarray
    star: np.ndarray
    shift: np.ndarray
    place: np.ndarray

    def variance(self, read_noise: float) -> np.ndarray:
        """Return the variance of a pixel in one exposure, photons and reads, (n_pixel, n_wavelength) [e-^2]."""
        return self.star.mean(axis=1) * self.image + self.foreground + _READS * read_noise**2


def channel_aperture(light: ChannelLight, cadence: Cadence, photometry: PhotometryConfig) -> Aperture:
    """Cut the aperture out of a channel's light; wavelengths in detector order."""
    if cadence.channel == AIRS:
        rows, columns = slice(*photometry.airs_rows), slice(*AIRS.science_columns)
        n_axis, changes = 1, light.slopes
    else:
        rows, columns = slice(*photometry.fgs1_rows), slice(*photometry.fgs1_columns)
        n_axis, changes = 2, np.concatenate([light.slopes, _curvatures(light.slopes)])
    image, changes = light.image[rows, columns], changes[:, rows, columns]
    place = np.indices(light.image.shape)[:n_axis, rows, columns]
    if cadence.channel == AIRS:
        return Aperture(image, changes, light.foreground[columns], light.star[columns], light.shift, place[:, :, 0])
    image, changes = image.reshape(-1, 1), changes.reshape(len(changes), -1, 1)
    return Aperture(image, changes, light.foreground[:1], light.star, light.shift, place.reshape(n_axis, -1))


def aperture_flux(aperture: Aperture) -> np.ndarray:
    """Return the light in the aperture without noise, (n_wavelength, n_time) [e- per exposure]."""
    n_axis = len(aperture.shift)
    response = aperture.image.sum(axis=0)[:, None] + aperture.changes[:n_axis].sum(axis=1).T @ aperture.shift
    return aperture.star * response


def extraction_weights(aperture: Aperture, variance: np.ndarray, extraction: str) -> np.ndarray:
    """Return the weight of every pixel in the flux, (n_pixel, n_wavelength).

    Args:
        aperture: of a channel.
        variance: (n_pixel, n_wavelength) of one exposure [e-^2].
        extraction: "sum" or "optimal".
    """
    if extraction == "sum":
        return np.ones_like(variance)
    templates = np.concatenate([aperture.image[None], aperture.changes])
    templates = templates / np.abs(templates).sum(axis=1, keepdims=True)
    precise = templates / variance
    normal = np.einsum("kpw,lpw->wkl", templates, precise)
    multiplier = np.linalg.solve(normal, templates.sum(axis=1).T[:, :, None])[:, :, 0]
    return np.einsum("kpw,wk->pw", precise, multiplier)


def measured(
    aperture: Aperture, channel: str, weights: np.ndarray, variance: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return flux (n_wavelength, n_time) [e-] and pointing series by name (n_time,) [pixel], with noise.

    Args:
        aperture: of a channel.
        channel: its name.
        weights: (n_pixel, n_wavelength) of the flux.
        variance: (n_pixel, n_wavelength) of a pixel in a time bin [e-^2].
        rng: source of every random draw.
    """
    flux = aperture_flux(aperture)
    flux_variance = (weights**2 * variance).sum(axis=0)
    noise = np.sqrt(flux_variance)[:, None] * rng.standard_normal(flux.shape)
    # Coordinates are counted from the middle, where powers of them are small numbers.
    middle = aperture.place.mean(axis=1, keepdims=True)
    powers = _powers(aperture.place - middle)
    together = powers @ (weights * variance) / flux_variance
    alone = (powers * variance.sum(axis=1)) @ powers.T - (together * flux_variance) @ together.T
    moments = _moments(aperture, powers) + together @ noise
    moments += _square_root(alone) @ rng.standard_normal(moments.shape)
    series = {}
    for i, name in enumerate(_NAMES[channel]):
        centre = moments[2 * i + 1] / moments[0]
        width = np.sqrt(np.clip(moments[2 * i + 2] / moments[0] - centre**2, 0.0, None))
        series |= {f"{name}_centroid": centre + middle[i], f"{name}_width": width}
    return flux + noise, series


def _powers(place: np.ndarray) -> np.ndarray:
    """Return 1 and the first and second power of every coordinate, (1 + 2 n_axis, n_pixel)."""
    return np.vstack([np.ones_like(place[:1]), *(np.stack([axis, axis**2]) for axis in place)])


def _square_root(covariance: np.ndarray) -> np.ndarray:
    """Return a matrix whose product with its transpose is a covariance that may be singular."""
    value, vector = np.linalg.eigh(covariance)
    return vector * np.sqrt(np.maximum(value, 0.0))


def _moments(aperture: Aperture, powers: np.ndarray) -> np.ndarray:
    """Return the sums over all pixels of light times each power, (n_power, n_time) [e-], foreground included."""
    steady = (powers @ aperture.image) @ aperture.star
    moved = sum((powers @ slope) @ aperture.star * shift for slope, shift in zip(aperture.changes, aperture.shift))
    return steady + moved + powers.sum(axis=1, keepdims=True) * aperture.foreground.sum()


def _curvatures(slopes: np.ndarray) -> np.ndarray:
    """Return how the image's slopes along rows and columns change with shift, (3, n_row, n_column) [1/pixel^2]."""
    by_row, by_column = slopes
    return np.stack([np.gradient(by_row, axis=0), np.gradient(by_row, axis=1), np.gradient(by_column, axis=1)])
