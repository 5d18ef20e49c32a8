"""The light-curve fit."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from spectramind_kit.settings.quantities import Count, NotNegative, Positive, Whole


@dataclass(frozen=True)
class FitConfig:
    """The light-curve fit.

    Attributes:
        drift_order: polynomial order of the drift in time.
        drift_wavelength_order: polynomial order with which the drift's shape varies over AIRS wavelengths.
        semi_major_axis_scatter: prior scatter of ln(a/Rs) around the published value [1].
        impact_parameter_scatter: prior scatter of b around the published value [R_star].
        limb_darkening_scatter: prior scatter of the quadratic coefficients [1].
        fgs1_mid_time_scatter: prior scatter of FGS1's mid-time around that of AIRS-CH0 [s]; 0: they share one.
        drift_scatter: prior scatter of the drift's lowest degree and of jitter, relative to the star's flux [1].
        outlier_sigma: residuals farther off are left out [standard deviations].
        supersample: model evaluations averaged over each time bin.
        max_iterations: Gauss-Newton steps at most.
    """

    drift_order: Annotated[Whole, Field(le=12)]
    drift_wavelength_order: Annotated[Whole, Field(le=6)]
    semi_major_axis_scatter: Annotated[Positive, Field(le=10)]
    impact_parameter_scatter: Annotated[Positive, Field(le=10)]
    limb_darkening_scatter: Annotated[Positive, Field(le=10)]
    fgs1_mid_time_scatter: Annotated[NotNegative, Field(le=86400)]
    drift_scatter: Annotated[Positive, Field(le=1)]
    outlier_sigma: Annotated[Positive, Field(le=1000)]
    supersample: Annotated[Count, Field(le=1000)]
    max_iterations: Annotated[Count, Field(le=10000)]
