"""How pixels become light curves."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from spectramind_kit.settings.quantities import Count, Positive, Range


@dataclass(frozen=True)
class PhotometryConfig:
    """How pixels become light curves.

    Attributes:
        airs_rows: half-open range of detector rows summed into each wavelength.
        airs_background_rows: rows the background is measured on: outside this half-open range.
        airs_wing_slope: the star's light in the wings of AIRS-CH0 falls as distance^-slope, per row. Slopes and widths
            are where the fit of the wings starts.
        fgs1_wing_slope: the same of FGS1, per pixel.
        airs_wing_width: distance within which the wings of AIRS-CH0 are flat, from the first (red) to the last (blue)
            science column, evenly spaced [pixel].
        fgs1_wing_width: the same of FGS1 [pixel].
        fgs1_rows: half-open range of rows summed for FGS1; the background is measured around the window.
        fgs1_columns: half-open range of columns summed for FGS1.
        airs_background_step: of the background rows, every n-th science column is read.
        fgs1_background_step: of the pixels around FGS1's window, every n-th of a row is read.
        extraction: "sum" (every pixel of the aperture counts alike) or "optimal" (pixels count by their fraction
            of the light over their variance, made blind to jitter).
        path: how light curves are computed: "fused" (compiled), "readable" (plain NumPy), "gpu" (torch), or "auto":
            the compiled one where it works, else the readable one. The result is the same.
        background: subtract the foreground light or leave it in.
        bin_seconds: wanted length of a time bin [s]; never shorter than the exposure spacing.
    """

    airs_rows: Range
    airs_background_rows: Range
    airs_wing_slope: Annotated[Positive, Field(le=10)]
    fgs1_wing_slope: Annotated[Positive, Field(le=10)]
    airs_wing_width: tuple[Annotated[Positive, Field(le=32)], ...]
    fgs1_wing_width: Annotated[Positive, Field(le=32)]
    fgs1_rows: Range
    fgs1_columns: Range
    airs_background_step: Annotated[Count, Field(le=282)]
    fgs1_background_step: Annotated[Count, Field(le=32)]
    extraction: Literal["sum", "optimal"]
    path: Literal["auto", "fused", "readable", "gpu"]
    background: bool
    bin_seconds: Annotated[Positive, Field(le=3600)]
