"""The star's light at each wavelength: a sum of pixels with weights that are fixed for the whole visit.

Weights w of the good pixels are those with the least variance that see the star's image P, and its changes P_k
when it moves, as the plain sum over the aperture would, bad pixels included:

    minimise sum_p V_p (w_p - w0)^2  with  sum_good w_p P_kp = sum_all P_kp  for every k

where P_0 = P and V is the variance of a pixel. With w0 = 1 this is the plain sum, in which the light of a bad
pixel is modelled from the good ones; without bad pixels every w is 1. With w0 = 0 it is the optimal extraction of
Horne (1986, PASP 98, 609), which spares the read noise of the wings, kept blind to jitter: the flux does not
react to a small shift more than the sum over all pixels does. ``benchmarks/photometry.py`` shows why it is the
default: it scatters less on both channels, most on FGS1 and at the red end, and is no more biased.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.calibration.pixel_bins import PixelBins
from spectramind_kit.flags import Flag, Flags
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.photometry.background import foreground_per_pixel
from spectramind_kit.photometry.profile import fill_bad_pixels, shift_templates
from spectramind_kit.photometry.window import aperture_window, on_grid
from spectramind_kit.settings.photometry import PhotometryConfig

_REMARKABLE = 0.02
"""Fraction of bad pixels in the aperture from which a visit is flagged; a normal detector has a tenth of it."""
_BAD_APERTURE = {FGS1.name: Flag.FGS1_BAD_APERTURE, AIRS.name: Flag.AIRS_BAD_APERTURE}
_LEAST_VARIANCE = 1e-12
"""What stands for the variance of a pixel that is given none [e-^2]."""


@dataclass(frozen=True)
class ExtractedLight:
    """The star's light of one channel, wavelengths in detector order (AIRS-CH0 red first).

    Attributes:
        flux: (n_wavelength, n_time) [e- per exposure], mean over each time bin.
        variance: (n_wavelength,) [e-^2] of one exposure; infinite, with flux 0, where no pixel is good.
        saturated: (n_wavelength,) saturated pixels in the aperture.
        flags: what is wrong with the aperture.
    """

    flux: np.ndarray
    variance: np.ndarray
    saturated: np.ndarray
    flags: Flags


def extract(bins: PixelBins, config: PhotometryConfig) -> ExtractedLight:
    """Sum the aperture of each wavelength with weights that the visit's mean image gives.

    Args:
        bins: the pixels of ``photometric_pixels``, in time bins.
        config: aperture, background and kind of extraction.
    """
    window = aperture_window(bins.channel, config)
    index = on_grid(np.arange(len(bins.row)), bins.row, bins.column, bins.channel, -1)[window]
    good, variance = bins.good[index], bins.variance[index]
    foreground = foreground_of(bins, config)[window[1]]
    star = fill_bad_pixels(bins.mean[index], good, bins.channel) - foreground
    templates = shift_templates(star, bins.channel)
    # Weights times foreground, as it was summed into the flux: a bad pixel has weight 0 and its foreground none.
    background = np.where(good, foreground, 0.0)
    light, saturated = bins.light[index], bins.saturated[index]
    if bins.channel == FGS1.name:  # one wavelength: all pixels of the window
        n = good.size
        templates, light = templates.reshape(-1, n, 1), light.reshape(n, 1, -1)
        good, variance, background = good.reshape(n, 1), variance.reshape(n, 1), background.reshape(n, 1)
        saturated = saturated.reshape(n, 1)
    weight = aperture_weights(templates, variance, good, 1.0 if config.extraction == "sum" else 0.0)
    flux = np.einsum("pw,pwt->wt", weight, light) - (weight * background).sum(axis=0)[:, None]
    flux_variance = (weight**2 * variance).sum(axis=0)
    flux_variance[~weight.any(axis=0)] = np.inf
    return ExtractedLight(flux, flux_variance, saturated.sum(axis=0), _flags(bins.channel, good))


def aperture_weights(templates: np.ndarray, variance: np.ndarray, good: np.ndarray, start: float) -> np.ndarray:
    """Return the weights of the least variance that see every template as the plain sum does.

    Args:
        templates: (n_template, n_pixel, n_wavelength), the star's image first.
        variance: (n_pixel, n_wavelength) [e-^2].
        good: (n_pixel, n_wavelength) bool; bad pixels get weight zero.
        start: the weight that departures are counted from: 1 for plain sums, 0 for optimal extraction.

    Returns:
        Weights (n_pixel, n_wavelength).
    """
    size = np.abs(templates).sum(axis=1, keepdims=True)
    templates = templates / np.where(size > 0, size, 1.0)
    observed = np.where(good, templates, 0.0)
    precision = np.where(good, 1.0 / np.maximum(variance, _LEAST_VARIANCE), 0.0)
    normal = np.einsum("kpw,pw,lpw->wkl", observed, precision, observed)
    missing = (templates - start * observed).sum(axis=1).T
    # A unit diagonal makes ``rcond`` a measure of how alike the templates look through the good pixels, whatever their
    # sizes. Where too few pixels are good they look the same: the pseudo-inverse then keeps the conditions that it can.
    scale = np.einsum("wkk->wk", normal)
    unit = 1.0 / np.sqrt(np.where(scale > 0, scale, 1.0))
    inverse = np.linalg.pinv(normal * unit[:, :, None] * unit[:, None, :], rcond=1e-9, hermitian=True)
    multiplier = unit * np.einsum("wkl,wl->wk", inverse, unit * missing)
    return np.where(good, start, 0.0) + precision * np.einsum("kpw,wk->pw", observed, multiplier)


def foreground_of(bins: PixelBins, config: PhotometryConfig) -> np.ndarray:
    """Return the foreground of every science column, (n_column,) [e- per pixel and exposure]."""
    place = bins.row, bins.column, bins.channel
    good = on_grid(bins.good, *place, False)
    if not config.background:
        return np.zeros(good.shape[1])
    error = np.sqrt(np.maximum(bins.variance, _LEAST_VARIANCE) / len(bins.mid_time))
    signal, error = (on_grid(values, *place, np.nan) for values in (bins.mean, error))
    return foreground_per_pixel(signal, error, good, bins.channel, config)


def _flags(channel: str, good: np.ndarray) -> Flags:
    bad = 1.0 - good.mean()
    return {_BAD_APERTURE[channel]: f"{bad:.0%}"} if bad > _REMARKABLE else {}
