"""Pointing that is not Gaussian: now and then the telescope jumps off its target and comes back within minutes.

    x(t) = sigma sum_b z_b exp(-(t - t_b) / tau_b),  t > t_b

with sizes z_b from Student's t distribution with three degrees of freedom, whose fourth moment is infinite. Kepler's
reaction wheels shook it for minutes whenever one of them crossed zero speed (Van Cleve et al. 2016, the mission's data
characteristics handbook).
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.simulation.cadence import OBSERVATION_TIME

_PER_VISIT = 3.0
_DECAY = (60.0, 600.0)
_DEGREES_OF_FREEDOM = 3
_N_AXIS = 2


@dataclass(frozen=True)
class PointingExcursions:
    """Pointing excursions of a visit.

    Attributes:
        start: (n_excursion,) [s].
        decay: (n_excursion,), time in which one falls to 1/e [s].
        size: (n_axis, n_excursion), in standard deviations of the ordinary jitter.
    """

    start: np.ndarray
    decay: np.ndarray
    size: np.ndarray

    def at(self, time: np.ndarray) -> np.ndarray:
        """Return the shift at times [s] in ordinary standard deviations, (n_axis, n_time)."""
        shift = np.zeros((_N_AXIS, len(time)))
        for start, decay, size in zip(self.start, self.decay, self.size.T):
            since = np.maximum(time - start, 0.0)
            shift += size[:, None] * np.where(time > start, np.exp(-since / decay), 0.0)
        return shift


def draw_excursions(size: float, rng: np.random.Generator) -> PointingExcursions:
    """Draw the pointing excursions of a visit.

    Args:
        size: what scales them [standard deviations of the ordinary jitter].
        rng: source of every random draw.
    """
    n = rng.poisson(_PER_VISIT)
    return PointingExcursions(
        start=rng.uniform(0.0, OBSERVATION_TIME, n),
        decay=np.exp(rng.uniform(np.log(_DECAY[0]), np.log(_DECAY[1]), n)),
        size=size * rng.standard_t(_DEGREES_OF_FREEDOM, (_N_AXIS, n)),
    )
