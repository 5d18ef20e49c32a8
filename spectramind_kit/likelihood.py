"""The likelihood of one visit's light curves, as it travels with their fit."""

from dataclasses import dataclass, field

import numpy as np

from spectramind_kit.shapes import Product, require_shape


@dataclass(frozen=True, repr=False)
class VisitLikelihood(Product):
    """What the light curves of one visit say, quadratic in the fit's shared parameters (``fitting.visit_likelihood``).

    Attributes:
        names: of the shared parameters.
        reference: (n_shared,), where everything is given.
        information: (n_shared, n_shared), levels and depths eliminated.
        score: (n_shared,), slope of the log likelihood.
        depth: (n_wavelength,) at the reference [(Rp/Rs)^2].
        variance: (n_wavelength,) of the depths at given shared parameters.
        response: (n_wavelength, n_shared), slope of the depths by the shared parameters.
        prior_mean, prior_scatter: (n_shared,), of the prior that the fit itself had.
        length: of the visit [s].
        ln_likelihood: of the light curves at the reference.
        growth: factor on all covariances, where the transit is cut and no Gaussian follows its valley [1].
        extra_variance: (n_wavelength,) of what cannot be what it looks like; common_extra_variance: of the level.
        masked: (n_wavelength,) bool, without usable light.
    """

    names: tuple[str, ...]
    reference: np.ndarray
    information: np.ndarray
    score: np.ndarray
    depth: np.ndarray
    variance: np.ndarray
    response: np.ndarray
    prior_mean: np.ndarray
    prior_scatter: np.ndarray
    length: float
    ln_likelihood: float
    growth: float = 1.0
    extra_variance: np.ndarray = field(default_factory=lambda: np.zeros(0))
    common_extra_variance: float = 0.0
    masked: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __post_init__(self):
        for name in ("reference", "score", "prior_mean", "prior_scatter"):
            require_shape("VisitLikelihood", name, getattr(self, name), (len(self.names),))
        require_shape("VisitLikelihood", "information", self.information, (len(self.names),) * 2)
        require_shape("VisitLikelihood", "response", self.response, (len(self.depth), len(self.names)))

    @property
    def inflated(self) -> bool:
        """Whether the visit is not what it looks like: nothing is learned from it."""
        return self.growth > 1.0 or self.common_extra_variance > 0.0 or bool(self.extra_variance.any())
