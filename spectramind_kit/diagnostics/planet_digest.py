"""What a report keeps of a planet once its products are looked at: a thousand planets' fits are 4 GB, these .2 GB.

Products are read planet by planet; those of the few planets in depth are read again.
"""

from dataclasses import dataclass, field

import numpy as np

from spectramind_kit.diagnostics.planet_products import PlanetProducts
from spectramind_kit.diagnostics.planet_view import PlanetView
from spectramind_kit.diagnostics.predictions import CHANNEL_PARTS
from spectramind_kit.diagnostics.residuals import ResidualStatistics, residual_statistics
from spectramind_kit.flags import Flags
from spectramind_kit.products import TransitFit


@dataclass(frozen=True, eq=False)
class VisitDepths:
    """Depths of a visit by channel, FGS1 and AIRS-CH0 [(Rp/Rs)^2].

    Attributes:
        planet_id: of the planet.
        visit: its number.
        mean: (2,) plain means over wavelengths.
        variance: (2,) of these.
        airs_level: mean of AIRS-CH0 with the weights of its variances.
        difference: FGS1 less that.
        difference_sigma: its standard error.
    """

    planet_id: int
    visit: int
    mean: np.ndarray
    variance: np.ndarray
    airs_level: float
    difference: float
    difference_sigma: float


@dataclass(frozen=True, eq=False)
class PlanetDigest:
    """What is kept of a planet.

    Attributes:
        planet_id: of the planet.
        split: "train" or "test".
        flags: quality flags of its visits.
        problems: what could not be read, in words.
        residuals: of its fitted visits.
        depths: likewise.
        view: what its pane shows.
    """

    planet_id: int
    split: str
    flags: Flags = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    residuals: tuple[ResidualStatistics, ...] = ()
    depths: tuple[VisitDepths, ...] = ()
    view: PlanetView = field(default_factory=PlanetView)

    @property
    def beta(self) -> float | None:
        """Excess of correlated noise at the typical scale, the largest of visits and channels; None if unknown."""
        betas = np.array([one.typical_beta for one in self.residuals])
        return float(np.nanmax(betas)) if np.isfinite(betas).any() else None


def digested(products: PlanetProducts, view: PlanetView) -> PlanetDigest:
    """Return what is kept of a planet.

    Args:
        products: what is stored of it.
        view: what its pane shows.
    """
    return PlanetDigest(
        planet_id=products.planet.planet_id,
        split=products.split,
        flags=products.flags,
        problems=products.problems,
        residuals=tuple(residual_statistics(fit, products.curves.get(fit.visit)) for fit in products.fits),
        depths=tuple(visit_depths(fit) for fit in products.fits),
        view=view,
    )


def visit_depths(fit: TransitFit) -> VisitDepths:
    """Return the depths of a visit by channel.

    Args:
        fit: of the visit.
    """
    weight = np.zeros(len(fit.depth))
    weight[1:] = -1.0 / np.diag(fit.covariance)[1:]
    weight /= -weight.sum()
    level = -float(weight @ fit.depth)
    weight[0] = 1.0
    parts = CHANNEL_PARTS.values()
    return VisitDepths(
        planet_id=fit.planet_id,
        visit=fit.visit,
        mean=np.array([fit.depth[part].mean() for part in parts]),
        variance=np.array([fit.covariance[part, part].mean() for part in parts]),
        airs_level=level,
        difference=float(weight @ fit.depth),
        difference_sigma=float(np.sqrt(weight @ fit.covariance @ weight)),
    )
