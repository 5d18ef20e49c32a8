"""Final sigmas."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

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
    minimum_scale: Annotated[Positive, Field(le=10)]
    prior_scale: Annotated[Positive, Field(le=100)]
    prior_planets: Annotated[Positive, Field(le=1e6)]
    fallback_inflation: Annotated[Positive, Field(le=100)]
    sigma_floor: Annotated[Positive, Field(le=0.1)]
    conformal: Annotated[Fraction, Field(le=0.999)]
