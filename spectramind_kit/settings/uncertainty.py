"""Final sigmas."""

from dataclasses import dataclass

from spectramind_kit.settings.quantities import Fraction, Positive


@dataclass(frozen=True)
class UncertaintyConfig:
    """Final sigmas.

    Attributes:
        scale_sigma: recalibrate sigmas on held-out training planets.
        minimum_scale: the factor of a usual planet is never smaller, however many planets ask for it.
        prior_scale: the factor assumed before any planet is measured.
        prior_planets: how many planets that assumption weighs as much as.
        fallback_inflation: sigma of a planet that fell back to the population, in population spreads.
        sigma_floor: no submitted sigma is smaller [(Rp/Rs)^2].
        conformal: coverage of held-out planets that sigmas are scaled to at last, by wavelength; 0 is not at all.
    """

    scale_sigma: bool
    minimum_scale: Positive
    prior_scale: Positive
    prior_planets: Positive
    fallback_inflation: Positive
    sigma_floor: Positive
    conformal: Fraction
