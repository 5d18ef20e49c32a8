"""Other spectra in real noise: a fitted transit is taken out of its light curves and another one is put in.

    F'(t, l) = F(t, l) / transit(t; d(l)) * transit(t; d'(l))

Star, drift, jitter, spikes and red noise stay what they were; only the planet changes. The new planet keeps orbit and
limb darkening of the fit, takes the shape of another training spectrum, and a level near its own.
"""

import math
from dataclasses import replace

import numpy as np

from spectramind_kit.fitting.systematics import wavelength_basis
from spectramind_kit.fitting.transit_prior import transit_prior
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.products import LightCurves, Planet, TransitFit
from spectramind_kit.settings.fit import FitConfig
from spectramind_kit.transit.light_curve import exposure_samples
from spectramind_kit.transit.limb_darkening import quadratic_coefficients
from spectramind_kit.transit.spectroscopic import spectroscopic_transit

_LEVEL_SCATTER = 0.15
"""Scatter of ln of the new level around the planet's own."""
_SMALLEST_TRANSIT = 0.05
"""No transit leaves less of the star's light: the quotient stays sane where a fit is absurd."""


def sampled_spectrum(own: np.ndarray, spectra: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the shape of one of the training spectra at a level near a planet's own, (n_wavelength,) [(Rp/Rs)^2].

    Args:
        own: (n_wavelength,) the planet's spectrum [(Rp/Rs)^2].
        spectra: (n_planet, n_wavelength) all training spectra [(Rp/Rs)^2].
        rng: random numbers.
    """
    other = spectra[rng.integers(len(spectra))]
    level = own[1:].mean() * math.exp(rng.normal(0.0, _LEVEL_SCATTER))
    return level * other / other[1:].mean()


def injected_curves(
    curves: LightCurves, fit: TransitFit, planet: Planet, spectrum: np.ndarray, config: FitConfig
) -> LightCurves:
    """Return light curves in which the fitted planet has another spectrum.

    Args:
        curves: that were fitted.
        fit: their fit.
        planet: for period and temperature.
        spectrum: (n_wavelength,) the new depths [(Rp/Rs)^2].
        config: of the fit.
    """
    new = transit_of(fit, planet, spectrum, curves.bin_seconds, config)
    flux = curves.flux * new / np.maximum(fit.model, _SMALLEST_TRANSIT)
    return replace(curves, flux=flux)


def transit_of(fit: TransitFit, planet: Planet, depth: np.ndarray, bin_seconds: float, config: FitConfig) -> np.ndarray:
    """Return the transit (n_time, n_wavelength) of other depths on a fit's orbit and limb darkening.

    Args:
        fit: whose orbit and limb darkening.
        planet: for period and temperature.
        depth: (n_wavelength,) [(Rp/Rs)^2].
        bin_seconds: length of a point of the light curve [s].
        config: of the fit.
    """
    u = limb_darkening_of(fit, planet, config)
    transit = spectroscopic_transit(
        exposure_samples(fit.time, bin_seconds, config.supersample),
        fit.parameters["mid_time"].value,
        transit_prior(planet, config).period,
        fit.parameters["semi_major_axis"].value,
        fit.parameters["impact_parameter"].value ** 2,
        depth,
        u[:, 0],
        u[:, 1],
    )
    return transit.flux.T


def limb_darkening_of(fit: TransitFit, planet: Planet, config: FitConfig) -> np.ndarray:
    """Return the fitted (u1, u2) at every wavelength, (n_wavelength, 2).

    The fit estimates a channel's coefficients at the middle of its wavelengths, and their slope; in between they change
    as those of the model atmosphere do.

    Args:
        fit: whose limb darkening.
        planet: for its star's temperature.
        config: of the fit.
    """
    wavelength, fgs1 = fit.wavelength, is_fgs1(fit.wavelength)
    temperature = transit_prior(planet, config).temperature
    u = quadratic_coefficients(temperature, wavelength)
    basis = wavelength_basis(wavelength, 1)
    for channel, own in (("fgs1", fgs1), ("airs", ~fgs1)):
        for place, name in enumerate(("u1", "u2")):
            fitted = fit.parameters.get(f"{channel}_{name}")
            if fitted is None or not own.any():
                continue
            middle = 0.5 * (wavelength[own].min() + wavelength[own].max())
            u[own, place] += fitted.value - quadratic_coefficients(temperature, np.array([middle]))[0, place]
            slope = fit.parameters.get(f"{channel}_{name}_slope")
            u[own, place] += 0.0 if slope is None else slope.value * basis[own, 1]
    return u
