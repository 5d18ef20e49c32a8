"""The model of many light curves of one transit, linearised.

    F(t, l) = level(l) (1 + sum_i f_i(t) d_i(l)) transit(t; t0(l), a/Rs, b^2, depth(l), u1(l), u2(l))

t0 is one for AIRS-CH0; FGS1 may lag behind it by a few seconds, because its clock is another one.

Every curve has two local parameters, level and depth. What else it depends on (orbit, limb darkening, drift
coefficients) is its linear predictor: an affine map, offset + mixing @ shared, of parameters that all curves share.
The normal matrix of the joint fit is therefore an arrowhead: small local blocks along the diagonal, and one border.
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from spectramind_kit.fitting.systematics import Systematics, wavelength_basis
from spectramind_kit.fitting.transit_prior import TransitPrior
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.settings.fit import FitConfig
from spectramind_kit.transit.limb_darkening import quadratic_coefficients
from spectramind_kit.transit.spectroscopic import SpectroscopicTransit, spectroscopic_transit

MID_TIME, LOG_AXIS, IMPACT_SQUARED = 0, 1, 2
"""Places of the orbit in the shared parameters: t0 [s], ln(a/Rs), b^2 [R_star^2]."""
FGS1_LAG = "clock_fgs1"
"""Name of the shared parameter that FGS1's mid-time is later by [s]."""
_N_ORBIT = 3
_N_TRANSIT = 5
"""Rows of a linear predictor that shape the transit: the orbit, u1, u2. The drift's functions follow."""
_LEVEL_SCATTER = 1.0
DEPTH_SCATTER = 0.03
"""Prior scatter of a depth around the white-light depth: so loose that it matters to masked wavelengths only."""


class Patterns(NamedTuple):
    """The mixing as few numbers: a shared parameter moves one row of the predictor, in one of a handful of patterns.

    Attributes:
        row: that each shared parameter acts on, (n_shared,).
        place: of its pattern among the patterns, (n_shared,).
        pattern: over the curves, (n_curve, n_pattern).
    """

    row: np.ndarray
    place: np.ndarray
    pattern: np.ndarray


@dataclass(frozen=True)
class CurveModel:
    """Data, geometry and prior of a joint fit; wavelength first.

    Attributes:
        flux: (n_curve, n_time) relative flux [1].
        weight: (n_curve, n_time) inverse variance of the flux, zero where a point is not used.
        instants: (n_time, supersample) [s].
        period: [s].
        functions: (n_function, n_time), of the systematics.
        offset: (n_curve, n_row), linear predictor at shared parameters of zero.
        mixing: (n_curve, n_row, n_shared), linear predictor by shared parameter.
        prior_mean: (n_shared,).
        prior_scatter: (n_shared,) standard deviations.
        names: of the shared parameters.
        depth_mean: centre of the loose prior of every depth.
        mid_time_groups: runs of curves that share a mid-time.
    """

    flux: np.ndarray
    weight: np.ndarray
    instants: np.ndarray
    period: float
    functions: np.ndarray
    offset: np.ndarray
    mixing: np.ndarray
    prior_mean: np.ndarray
    prior_scatter: np.ndarray
    names: tuple[str, ...]
    depth_mean: float
    mid_time_groups: tuple[slice, ...]

    @cached_property
    def patterns(self) -> Patterns:
        """The mixing as rows and patterns; kept, because every step of a fit asks for it."""
        row = np.abs(self.mixing).max(axis=0).argmax(axis=0)
        pattern, place = np.unique(self.mixing[:, row, np.arange(len(row))], axis=1, return_inverse=True)
        return Patterns(row, place.reshape(-1), pattern)


@dataclass(frozen=True)
class State:
    """Parameter values.

    Attributes:
        level: (n_curve,) the star's flux out of transit [1].
        depth: (n_curve,) [(Rp/Rs)^2].
        shared: (n_shared,), in the units of their names.
    """

    level: np.ndarray
    depth: np.ndarray
    shared: np.ndarray


@dataclass(frozen=True)
class Linearisation:
    """The model at a state.

    Attributes:
        transit: (n_curve, n_time) [1].
        systematics: (n_curve, n_time) [1].
        residual: (n_curve, n_time), flux - model.
        jacobian: (n_curve, 2 + n_row, n_time), of level, depth and every row of the linear predictor.
        cost: half of chi^2 plus half of the prior's.
    """

    transit: np.ndarray
    systematics: np.ndarray
    residual: np.ndarray
    jacobian: np.ndarray
    cost: float


def curve_model(
    flux: np.ndarray,
    weight: np.ndarray,
    instants: np.ndarray,
    wavelength: np.ndarray,
    systematics: Systematics,
    prior: TransitPrior,
    config: FitConfig,
    depth_mean: float,
) -> CurveModel:
    """Join data, systematics and prior into a model.

    Args:
        flux: (n_curve, n_time) [1].
        weight: (n_curve, n_time), inverse variance.
        instants: (n_time, supersample) [s].
        wavelength: (n_curve,) [um].
        systematics: of the same curves.
        prior: of orbit and limb darkening.
        config: scatters of the other priors.
        depth_mean: centre of the loose prior of the depths.
    """
    mid_time_groups = _mid_time_groups(wavelength, config.fgs1_mid_time_scatter)
    special = _darkening_columns(wavelength, prior.darkening_scatter)
    if len(mid_time_groups) > 1:
        special.append((FGS1_LAG, MID_TIME, is_fgs1(wavelength).astype(float), config.fgs1_mid_time_scatter))
    n_curve, n_function, n_drift = systematics.mixing.shape
    n_shared = _N_ORBIT + len(special) + n_drift
    # Columns of the mixing, and so the order of the shared parameters: orbit, limb darkening, FGS1's lag, drift.
    mixing = np.zeros((n_curve, _N_TRANSIT + n_function, n_shared))
    for orbit in range(_N_ORBIT):
        mixing[:, orbit, orbit] = 1.0
    for column, (_, row, strength, _) in enumerate(special, start=_N_ORBIT):
        mixing[:, row, column] = strength
    mixing[:, _N_TRANSIT:, _N_ORBIT + len(special) :] = systematics.mixing
    offset = np.zeros((n_curve, _N_TRANSIT + n_function))
    offset[:, _N_ORBIT:_N_TRANSIT] = quadratic_coefficients(prior.temperature, wavelength)
    # Nothing is assumed of the mid-time: one window of scatter reaches every transit that leaves a flank in it.
    window = float(instants.max() - instants.min())
    means = [float(instants.mean()), prior.log_axis[0], prior.impact_squared[0]]
    scatters = [window, prior.log_axis[1], prior.impact_squared[1], *(column[3] for column in special)]
    scatters += (config.drift_scatter * systematics.scatter).tolist()
    return CurveModel(
        flux=flux,
        weight=weight,
        instants=instants,
        period=prior.period,
        functions=systematics.functions,
        offset=offset,
        mixing=mixing,
        prior_mean=np.array(means + [0.0] * (n_shared - _N_ORBIT)),
        prior_scatter=np.array(scatters),
        names=("mid_time", "log_axis", "impact_squared", *(c[0] for c in special), *systematics.names),
        depth_mean=depth_mean,
        mid_time_groups=mid_time_groups,
    )


def with_systematics(model: CurveModel, state: State, more: Systematics) -> tuple[CurveModel, State]:
    """Return the model with more systematics, whose scatter is that of their prior, and the same state of it."""
    n_curve, n_row, n_shared = model.mixing.shape
    _, n_function, n_more = more.mixing.shape
    mixing = np.zeros((n_curve, n_row + n_function, n_shared + n_more))
    mixing[:, :n_row, :n_shared] = model.mixing
    mixing[:, n_row:, n_shared:] = more.mixing
    extended = replace(
        model,
        functions=np.vstack([model.functions, more.functions]),
        offset=np.hstack([model.offset, np.zeros((n_curve, n_function))]),
        mixing=mixing,
        prior_mean=np.append(model.prior_mean, np.zeros(n_more)),
        prior_scatter=np.append(model.prior_scatter, more.scatter),
        names=(*model.names, *more.names),
    )
    return extended, replace(state, shared=np.append(state.shared, np.zeros(n_more)))


def linearise(model: CurveModel, state: State) -> Linearisation:
    """Evaluate the model and its Jacobian."""
    shared, level = state.shared, state.level[:, None]
    predictor = model.offset + model.mixing @ shared
    axis = np.exp(shared[LOG_AXIS])
    transit = _transit(model, state, predictor, axis)
    systematics = 1.0 + predictor[:, _N_TRANSIT:] @ model.functions
    star = level * systematics
    # d/d ln(a) = a d/da; the order is that of the local parameters and of the predictor's rows.
    slopes = (transit.by_depth, transit.by_mid_time, axis * transit.by_semi_major_axis, transit.by_impact_squared)
    jacobian = np.concatenate(
        (
            (systematics * transit.flux)[:, None],
            star[:, None] * np.stack((*slopes, transit.by_u1, transit.by_u2), axis=1),
            (level * transit.flux)[:, None] * model.functions,
        ),
        axis=1,
    )
    residual = model.flux - star * transit.flux
    cost = 0.5 * (model.weight * residual**2).sum() + _prior_cost(model, state)
    return Linearisation(transit.flux, systematics, residual, jacobian, float(cost))


def _transit(model: CurveModel, state: State, predictor: np.ndarray, axis: np.ndarray) -> SpectroscopicTransit:
    """Return the transit of all curves, one group of equal mid-times after the other."""
    parts = [
        spectroscopic_transit(
            model.instants,
            predictor[curves.start, MID_TIME],
            model.period,
            axis,
            state.shared[IMPACT_SQUARED],
            state.depth[curves],
            predictor[curves, _N_ORBIT],
            predictor[curves, _N_ORBIT + 1],
        )
        for curves in model.mid_time_groups
    ]
    return SpectroscopicTransit(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(parts[0])))


def local_prior(model: CurveModel, state: State) -> tuple[np.ndarray, np.ndarray]:
    """Return the precision (2,) of the priors of level and depth, and their score (n_curve, 2) at the state."""
    precision = np.array([_LEVEL_SCATTER**-2, DEPTH_SCATTER**-2])
    offset = np.stack((1.0 - state.level, model.depth_mean - state.depth), axis=1)
    return precision, offset * precision


def _prior_cost(model: CurveModel, state: State) -> np.ndarray:
    local = ((state.level - 1.0) / _LEVEL_SCATTER) ** 2 + ((state.depth - model.depth_mean) / DEPTH_SCATTER) ** 2
    return 0.5 * (local.sum() + (((state.shared - model.prior_mean) / model.prior_scatter) ** 2).sum())


def _mid_time_groups(wavelength: np.ndarray, scatter: float) -> tuple[slice, ...]:
    """Return the runs of curves that share a mid-time: FGS1 and AIRS-CH0, or all where FGS1 has no lag."""
    n_fgs1 = int(is_fgs1(wavelength).sum())
    if scatter > 0.0 and 0 < n_fgs1 < len(wavelength):
        return slice(0, n_fgs1), slice(n_fgs1, len(wavelength))
    return (slice(0, len(wavelength)),)


def _darkening_columns(wavelength: np.ndarray, scatter: float) -> list[tuple[str, int, np.ndarray, float]]:
    """Return name, row of the predictor, strength per curve and prior scatter of every limb-darkening parameter.

    FGS1 has its own offsets from the expected u1, u2; AIRS-CH0 an offset and a slope in wavelength, half as loose:
    limb darkening is weaker in the infrared, and so is its variety.
    """
    columns = []
    for row, name in enumerate(("u1", "u2"), start=_N_ORBIT):
        fgs1, airs = is_fgs1(wavelength), wavelength_basis(wavelength, 1)
        columns.append((f"fgs1_{name}", row, fgs1.astype(float), scatter))
        columns.append((f"airs_{name}", row, airs[:, 0], scatter / 2.0))
        columns.append((f"airs_{name}_slope", row, airs[:, 1], scatter / 2.0))
    return [column for column in columns if column[2].any()]
