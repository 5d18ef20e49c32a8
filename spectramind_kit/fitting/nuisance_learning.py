"""Learn the prior of star and instrument from many visits.

It is learned by expectation maximisation over the visits of a folder (Gelman et al. 2013, ch. 5 and 13.4):

- limb darkening, clocks, drift, pointing: a mean and a full covariance, shrunk towards independent coefficients of one
  size per kind, which is learned as well; a kind that no visit shows shrinks towards nothing;
- noise: for each kernel of ``noise_modes`` one covariance W between the colours in which wavelengths follow the noise
  (FGS1, AIRS-CH0, its slope): noise that both channels share, and its colour, are in it. With the score y of the
  amplitudes and their information G, all else marginalised, W moves to the solution of

      W' [sum tr(B G)] W' = W [sum y' B y] W

  which never lowers the evidence (Zhou, Hu, Zhou & Lange 2019, for scalars);
- of drift and noise every visit has a size of its own around the population's;
- what only some instruments have (``OPTIONAL``) is left out unless the evidence of all visits wants it, at a cost of
  half ln(visits) a coefficient (Schwarz 1978). EM alone leaves it a little scatter where there is none, which widens
  every sigma.

Where the spectrum of a planet is known, its light curves say much more about star and instrument: the likelihood is
then taken at the known depths.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spectramind_kit.fitting.gauss_newton import at_least_nothing
from spectramind_kit.fitting.noise_modes import N_MODE, USUAL, kernel_covariances
from spectramind_kit.fitting.nuisance_prior import (
    SCALED,
    NuisancePrior,
    blockwise_root,
    factor_beside_identity,
    group_of,
)
from spectramind_kit.fitting.systematics import kind_of
from spectramind_kit.likelihood import VisitLikelihood

FULL = {"darkening": 4.0, "clock": 4.0, "drift": 2.0, "bend": 30.0, "pointing": 4.0, "width": 4.0}
"""Groups with a full covariance, and the weight of independent coefficients in it, in visits."""
OPTIONAL = ("dilution", "width", "ramp", "bend", "clock")
"""Parts that a folder's visits may be without, by how the names of their coefficients begin."""
_AT_FIRST = {"bend": 5e-5}
"""Least scatter that learning starts from, by group: it would leave out what a lone visit hardly allows."""
_N_STEP, _N_STEP_MORE = 12, 6
"""Steps with all parts, and with those that are there: drift is another one where no ramps are."""
_MEAN_WEIGHT = 2.0
"""Weight of a mean of zero, in visits."""
_SIZE_WEIGHT = 1.0
"""Weight of a kind's usual size, in coefficients; of the noise's, in visits."""
_SCALE_WEIGHT = 4.0
"""Weight of the population's size in that of a visit, in coefficients."""
_SPREAD = (0.3, 1.0)
"""Smallest and largest spread of the logarithm of a visit's size."""


@dataclass(frozen=True, eq=False)
class VisitStatistics:
    """What one visit says of star and instrument, orbit marginalised: information and score at zero.

    Attributes:
        names: of the parameters.
        information: (n, n).
        score: (n,).
        usual: (n,), prior scatter that the fit had.
        length: of the visit [s].
    """

    names: tuple[str, ...]
    information: np.ndarray
    score: np.ndarray
    usual: np.ndarray
    length: float


def visit_statistics(likelihood: VisitLikelihood, spectrum: np.ndarray | None = None) -> VisitStatistics:
    """Return what a visit says of star and instrument.

    Args:
        likelihood: of the visit.
        spectrum: (n_wavelength,) the planet's true depths, where they are known [(Rp/Rs)^2].
    """
    information, score = likelihood.information, likelihood.score
    if spectrum is not None:
        weighted = likelihood.response / likelihood.variance[:, None]
        information = information + weighted.T @ likelihood.response
        score = score + weighted.T @ (spectrum - likelihood.depth)
    own = np.array([group_of(name) is None for name in likelihood.names])
    score = score - information @ (np.where(own, likelihood.prior_mean, 0.0) - likelihood.reference)
    inner = information[np.ix_(own, own)] + np.diag(likelihood.prior_scatter[own] ** -2.0)
    gain = np.linalg.solve(inner, information[np.ix_(own, ~own)])
    left = information[np.ix_(~own, ~own)] - information[np.ix_(~own, own)] @ gain
    usual = likelihood.prior_scatter[~own]
    return VisitStatistics(
        names=tuple(name for name, mine in zip(likelihood.names, own) if not mine),
        information=at_least_nothing(left, usual),
        score=score[~own] - gain.T @ score[own],
        usual=usual,
        length=likelihood.length,
    )


def learn_nuisance_prior(visits: Sequence[VisitStatistics]) -> NuisancePrior | None:
    """Learn the prior of star and instrument; None without a visit.

    Args:
        visits: of any planets; where their parameters differ, what a visit lacks it says nothing of.
    """
    if not visits:
        return None
    learner = _Learner(visits)
    for _ in range(_N_STEP):
        learner.step()
    learner.leave_out_absent()
    for _ in range(_N_STEP_MORE):
        learner.step()
    return learner.prior()


class _Learner:
    """Expectation maximisation over the visits of a folder."""

    def __init__(self, visits: Sequence[VisitStatistics]):
        names = tuple(dict.fromkeys(name for visit in visits for name in visit.names))
        place, n = {name: i for i, name in enumerate(names)}, len(names)
        self._names = names
        self._information, self._score = np.zeros((len(visits), n, n)), np.zeros((len(visits), n))
        usual = np.full((len(visits), n), np.nan)
        for i, visit in enumerate(visits):
            where = np.array([place[name] for name in visit.names])
            self._information[i][np.ix_(where, where)] = 0.5 * (visit.information + visit.information.T)
            self._score[i, where], usual[i, where] = visit.score, visit.usual
        self._usual = np.nanmedian(usual, axis=0)
        groups = np.array([group_of(name) for name in names])
        for group, scatter in _AT_FIRST.items():
            self._usual[groups == group] = np.maximum(self._usual[groups == group], scatter)
        length = float(np.median([visit.length for visit in visits]))
        self._members = {group: np.flatnonzero(groups == group) for group in (*FULL, "noise")}
        kinds = [name if group_of(name) in ("darkening", "clock") else kind_of(name) for name in names]
        self._kinds = {kind: np.flatnonzero(np.array(kinds) == kind) for kind in dict.fromkeys(kinds)}
        self._mean = np.zeros(len(names))
        self._covariance = np.diag(self._usual**2)
        self._scale = {group: np.ones(len(visits)) for group in SCALED}
        n_colour = len(self._members["noise"]) // N_MODE
        self._kernels = kernel_covariances(round(length, 3), N_MODE)
        self._usual_noise = [np.eye(n_colour) * size**2 for size in USUAL]
        self._noise = list(self._usual_noise)
        self._set_noise()

    def prior(self) -> NuisancePrior:
        """Return what has been learned so far."""
        spread = {group: float(np.clip(np.log(self._scale[group]).std(), *_SPREAD)) for group in SCALED}
        return NuisancePrior(self._names, self._mean, self._covariance, spread)

    def leave_out_absent(self) -> None:
        """Take out the parts without which the visits are more probable, every coefficient at its cost."""
        absent, cost = np.zeros(len(self._names), dtype=bool), 0.5 * np.log(len(self._score))
        whole = self._ln_evidence(self._mean, self._covariance)
        for part in OPTIONAL:
            inside = np.array([name.startswith(part) for name in self._names])
            if inside.any() and whole - self._ln_evidence(*self._without(inside)) < cost * inside.sum():
                absent |= inside
        self._mean, self._covariance = self._without(absent)
        self._members = {group: where[~absent[where]] for group, where in self._members.items()}

    def _without(self, absent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and covariance with some parameters at zero."""
        return np.where(absent, 0.0, self._mean), np.where(absent | absent[:, None], 0.0, self._covariance)

    def step(self) -> None:
        """Find what every visit says under the prior as it is, and the prior that these make most probable."""
        n, identity, factor = len(self._score), np.eye(len(self._mean)), self._factor()
        # With a prior L L' the posterior is L z, z with the covariance (I + L' information L)^-1: this holds where the
        # prior leaves no freedom at all, and L' information L is as benign as the light curves are.
        whole = blockwise_root(self._covariance, list(self._members.values()))
        each = factor[:, :, None] * whole
        observed = self._information @ each
        inverse = np.linalg.inv(identity + each.swapaxes(1, 2) @ observed)
        residual = self._score - self._information @ self._mean
        z = np.einsum("nij,nj->ni", inverse, np.einsum("nji,nj->ni", each, residual))
        offset = z @ whole.T
        second = whole @ (inverse.mean(axis=0) + z.T @ z / n) @ whole.T
        slope = residual - np.einsum("nij,nj->ni", observed, z)
        net = self._information - observed @ inverse @ observed.swapaxes(1, 2)
        self._maximise_noise(factor, slope, net)
        common = self._maximise_scales(whole, inverse, z)
        for group, weight in FULL.items():
            if len(self._members[group]):
                self._maximise_full(group, weight, factor, offset, second)
        self._give_to_all(common)
        self._set_noise()

    def _factor(self) -> np.ndarray:
        """Return the size of every parameter of every visit over the population's, (n_visit, n)."""
        factor = np.ones((len(self._score), len(self._mean)))
        for group in SCALED:
            factor[:, self._members[group]] = self._scale[group][:, None]
        return factor

    def _ln_evidence(self, mean: np.ndarray, covariance: np.ndarray) -> float:
        """Return how probable a prior makes all visits, as a logarithm less what no prior changes."""
        whole = blockwise_root(covariance, list(self._members.values()))
        each = self._factor()[:, :, None] * whole
        lower = np.stack([factor_beside_identity(one) for one in each.swapaxes(1, 2) @ (self._information @ each)])
        pulled = self._information @ mean
        half = np.linalg.solve(lower, np.einsum("nji,nj->ni", each, self._score - pulled)[:, :, None])
        gain = 0.5 * (half**2).sum() - np.log(np.diagonal(lower, axis1=1, axis2=2)).sum()
        return float(gain + ((self._score - 0.5 * pulled) @ mean).sum())

    def _maximise_full(
        self, group: str, weight: float, factor: np.ndarray, offset: np.ndarray, second: np.ndarray
    ) -> None:
        """Set mean and covariance of a group of parameters."""
        where, n = self._members[group], len(offset)
        at = np.ix_(where, where)
        moved = (factor[:, where] * offset[:, where]).sum(axis=0) / (n + _MEAN_WEIGHT)
        average = offset[:, where].mean(axis=0)
        around = second[at] - np.outer(average, moved) - np.outer(moved, average) + np.outer(moved, moved)
        target = self._usual[where] ** 2
        for kind in self._kinds.values():
            inside = np.isin(where, kind)
            if inside.any():
                power = (np.diag(around)[inside] / target[inside]).sum()
                target[inside] *= (n * power + _SIZE_WEIGHT) / (n * inside.sum() + _SIZE_WEIGHT)
        self._covariance[at] = (n * around + weight * np.diag(target)) / (n + weight)
        self._mean[where] += moved

    def _maximise_noise(self, factor: np.ndarray, slope: np.ndarray, net: np.ndarray) -> None:
        """Set the covariance of the noise between its colours, kernel by kernel."""
        where = self._members["noise"]
        if not len(where):
            return
        n_colour, weight = len(where) // N_MODE, _SIZE_WEIGHT
        y = (slope[:, where] * factor[:, where]).reshape(-1, n_colour, N_MODE)
        square = factor[:, where[:1], None] ** 2
        total = (square * net[:, where[:, None], where]).sum(axis=0).reshape(n_colour, N_MODE, n_colour, N_MODE)
        for i, kernel in enumerate(self._kernels):
            inverse = np.linalg.inv(self._noise[i])
            given = np.einsum("nak,kl,nbl->ab", y, kernel, y) + weight * inverse @ self._usual_noise[i] @ inverse
            expected = np.einsum("akbl,kl->ab", total, kernel) + weight * inverse
            self._noise[i] = _geometric_mean(np.linalg.inv(expected), self._noise[i] @ given @ self._noise[i])

    def _maximise_scales(self, whole: np.ndarray, inverse: np.ndarray, z: np.ndarray) -> dict[str, float]:
        """Set the sizes of drift and noise of every visit, their geometric mean one; return what that was, by group."""
        common: dict[str, float] = dict.fromkeys(SCALED, 1.0)
        for group in SCALED:
            where = self._members[group]
            if len(where):
                # Within a group L has columns of its own, so that |z|^2 is the power over the prior's.
                power = np.diagonal(inverse, axis1=1, axis2=2)[:, where].sum(axis=1) + (z[:, where] ** 2).sum(axis=1)
                scale = self._scale[group] * np.sqrt((power + _SCALE_WEIGHT) / (len(where) + _SCALE_WEIGHT))
                common[group] = float(np.exp(np.log(scale).mean()))
                self._scale[group] = scale / common[group]
        return common

    def _give_to_all(self, common: dict[str, float]) -> None:
        """Give the population what the sizes of all visits had in common.

        A geometric mean is below the others: dropped at every step, it would let grow what light curves hardly show.
        """
        drift = np.ix_(self._members["drift"], self._members["drift"])
        self._covariance[drift] *= common["drift"] ** 2
        self._noise = [colour * common["noise"] ** 2 for colour in self._noise]

    def _set_noise(self) -> None:
        where = self._members["noise"]
        if len(where):
            parts = [np.kron(colour, kernel) for colour, kernel in zip(self._noise, self._kernels)]
            self._covariance[np.ix_(where, where)] = sum(parts)


def _geometric_mean(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the geometric mean of two positive definite matrices."""
    value, vector = np.linalg.eigh(one)
    root, inverse_root = (vector * value**0.5) @ vector.T, (vector * value**-0.5) @ vector.T
    value, vector = np.linalg.eigh(inverse_root @ other @ inverse_root)
    mean = root @ (vector * np.sqrt(np.maximum(value, 0.0))) @ vector.T @ root
    return 0.5 * (mean + mean.T)
