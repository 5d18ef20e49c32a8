"""Which detector corrections are made, and how."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from spectramind_kit.settings.quantities import Fraction, Positive


@dataclass(frozen=True)
class CalibrationConfig:
    """Which detector corrections are made, and how the disputed ones are.

    Attributes:
        adc_sign: "official" (counts / gain + offset) or "inverse" (counts / gain - offset).
        full_well: a pixel is full where a read is above it, before linearity [e-].
        linearity: make the linearity correction.
        dark: subtract the dark current.
        dark_time_base: "since_reset" (read times measured on real frames) or "integration" (the axis file's integration
            times, taken for that).
        flat: divide by the flat field.
        flat_minimum: pixels whose flat lies below are treated as dead [1].
        hot_pixels: "keep" or "mask".
        hot_pixel_sigma: clipping threshold for hot pixels in the dark map [standard deviations].
        cosmic_rays: mask cosmic-ray hits.
        cosmic_ray_sigma: an exposure that rises above its pixel's running median by more is a hit [sigma].
    """

    adc_sign: Literal["official", "inverse"]
    full_well: Annotated[Positive, Field(le=1e7)]
    linearity: bool
    dark: bool
    dark_time_base: Literal["since_reset", "integration"]
    flat: bool
    flat_minimum: Fraction
    hot_pixels: Literal["keep", "mask"]
    hot_pixel_sigma: Annotated[Positive, Field(le=1000)]
    cosmic_rays: bool
    cosmic_ray_sigma: Annotated[Positive, Field(le=1000)]
