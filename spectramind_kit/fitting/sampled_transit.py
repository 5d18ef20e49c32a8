"""What sampling the white light of a visit found, beside Laplace's approximation of the same light."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spectramind_kit.products import Estimate
from spectramind_kit.shapes import Product, require_shape


@dataclass(frozen=True, repr=False)
class SampledTransit(Product):
    """The posterior of one visit's white light.

    Attributes:
        planet_id: of the planet.
        visit: its number.
        names: "mid_time", "duration" [s], "semi_major_axis", "impact_parameter" [R_star], "fgs1_depth", "airs_depth".
        samples: (n_sample, n_name), of equal weight.
        laplace: the same parameters by Laplace's approximation of the same white light.
        effective_samples: (sum of weights)^2 over the sum of their squares.
        likelihoods: that were evaluated.
        ln_evidence: with its error; without the constant that the noise alone gives.
        confined: whether samples reach the walls of the box that was searched: the posterior is wider than they are.
    """

    planet_id: int
    visit: int
    names: tuple[str, ...]
    samples: np.ndarray
    laplace: Mapping[str, Estimate]
    effective_samples: float
    likelihoods: int
    ln_evidence: Estimate
    confined: bool = False

    def __post_init__(self):
        require_shape("SampledTransit", "samples", self.samples, (None, len(self.names)))

    def quantiles(self, name: str) -> tuple[float, float, float]:
        """Return the quantiles 16 %, 50 % and 84 % of a parameter."""
        low, median, high = np.quantile(self.samples[:, self.names.index(name)], [0.15865, 0.5, 0.84135])
        return float(low), float(median), float(high)
