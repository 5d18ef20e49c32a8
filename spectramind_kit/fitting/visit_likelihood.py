"""What the light curves of one visit say, before any prior of star and instrument: a Gaussian that takes any of them.

At the end of a fit the light curves are linear in its parameters. With levels and depths eliminated they give of the
shared parameters s (orbit, limb darkening, drift, pointing, noise) the information L and the score g at s0, and

    ln p(curves | s) = ln p0 + g'(s - s0) - (s - s0)' L (s - s0) / 2,
    depths | s ~ N(d0 + R (s - s0), diag(v)),

so that another prior, learned from other visits, needs no other fit (``nuisance_learning``). Beside what the fit itself
moved there are parameters here that only a prior keeps in place: ramps, drift of higher order, widths, and the modes of
correlated noise where this is too small to have been in the fit. Around the fit's end they act linearly, so that one
step is all it takes.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from spectramind_kit.fitting.curve_model import CurveModel, linearise, local_prior, with_systematics
from spectramind_kit.fitting.gauss_newton import Solution, at_least_nothing, eliminate, normal_equations, reduced_score
from spectramind_kit.fitting.noise_modes import noise_terms
from spectramind_kit.fitting.systematics import Term, moving, polynomial_basis, strengths, systematics
from spectramind_kit.likelihood import VisitLikelihood
from spectramind_kit.products import LightCurves

_RAMP, _BEND, _WIDTH = 2e-4, 5e-6, 1e-4
"""Prior scatter of ramps, of bends, and of what a usual change of widths does, where no population has been looked at
[1]. Bends are almost nothing then: a visit by itself would take noise for them."""
_DILUTION = 1e-3
"""Prior scatter of how much deeper all transits of a star look than they are [1]."""
_RAMP_SECONDS = (800.0, 1800.0, 4000.0, 9000.0)
"""Memories of the ramps at the start of a visit."""
_BEND_DEGREES = (6, 7, 8)
"""Of polynomials beyond those of the fit: with a loose prior they would imitate a transit."""


def further_terms(curves: LightCurves, wavelength: np.ndarray) -> list[Term]:
    """Return the terms that only a prior keeps in place.

    Args:
        curves: of the visit.
        wavelength: (n_wavelength,) of the curves of the model [um].
    """
    return instrument_terms(curves, wavelength) + noise_terms(curves.time, curves.bin_seconds, wavelength)


def instrument_terms(curves: LightCurves, wavelength: np.ndarray) -> list[Term]:
    """Return those of them that are no noise: ramps, bends, and what follows the widths of the images.

    Args:
        curves: of the visit.
        wavelength: (n_wavelength,) of the curves of the model [um].
    """
    time, colours = curves.time, strengths(wavelength, 1)
    flat = [colour for colour in colours if colour[0] != "airs_1"]
    moved = dict(moving(curves.regressors, curves.regressor_names))
    terms = []
    for n, memory in enumerate(_RAMP_SECONDS):
        ramp = np.exp(-(time - time[0]) / memory)
        terms += [Term(f"ramp_{colour}/{n}", ramp - ramp.mean(), s, _RAMP) for colour, s in colours]
    polynomials = polynomial_basis(time, max(_BEND_DEGREES))
    for degree in _BEND_DEGREES:
        bend = polynomials[degree] - polynomials[degree].mean()
        terms += [Term(f"bend_{colour}/{degree}", bend, s, _BEND) for colour, s in colours]
    for name in (name for name in moved if name.endswith("width")):
        terms += [Term(f"width_{colour}/{name}", moved[name], s, _WIDTH / moved[name].std()) for colour, s in flat]
    return terms


def visit_likelihood(
    model: CurveModel, solution: Solution, curves: LightCurves, wavelength: np.ndarray, groups: Sequence[np.ndarray]
) -> VisitLikelihood:
    """Return the likelihood around the end of a fit.

    Args:
        model: data and geometry of the fit.
        solution: its end.
        curves: that were fitted.
        wavelength: (n_wavelength,) [um].
        groups: boolean (n_wavelength,) per channel.
    """
    further = [term for term in further_terms(curves, wavelength) if term.name not in model.names]
    extended, state = with_systematics(model, solution.state, systematics(curves.time, wavelength, further))
    prior_mean, prior_scatter = extended.prior_mean, extended.prior_scatter
    # Its prior is not the likelihood's.
    extended = replace(
        extended,
        prior_mean=np.zeros(len(extended.names)),
        prior_scatter=np.full(len(extended.names), np.inf),
    )
    depth = _mean_depths(solution, groups)
    # Linearised at the mean depth of each channel, with the residuals of the fit itself: how far a depth moves with
    # orbit and limb darkening goes with it, and taken at its own noisy value low depths would look as if they moved
    # less, and whoever combines the wavelengths would weigh them more (Peelle's puzzle; D'Agostini 1994).
    at = linearise(extended, replace(state, depth=depth))
    at = replace(at, residual=solution.at.residual)
    normal = normal_equations(extended, state, at)
    local_inverse, response, information = eliminate(normal)
    step = (local_inverse @ normal.local_score[:, :, None])[:, :, 0]
    score = reduced_score(normal, response)
    used = model.weight > 0
    chi2 = (model.weight * solution.at.residual**2).sum() - (normal.local_score * step).sum()
    local_precision, local_slope = local_prior(model, solution.state)
    chi2 += (local_slope**2 / local_precision).sum()
    occam = np.linalg.slogdet(normal.local)[1].sum() - len(model.flux) * np.log(local_precision).sum()
    ln_weight = np.log(np.where(used, model.weight, 2.0 * np.pi) / (2.0 * np.pi)).sum()
    likelihood = VisitLikelihood(
        names=extended.names,
        reference=state.shared,
        information=at_least_nothing(information, prior_scatter),
        score=score,
        depth=solution.state.depth + step[:, 1],
        variance=local_inverse[:, 1, 1],
        response=response[:, 1],
        prior_mean=prior_mean,
        prior_scatter=prior_scatter,
        length=curves.bin_seconds * len(curves.time),
        ln_likelihood=float(0.5 * (ln_weight - chi2 - occam)),
        extra_variance=np.zeros(len(wavelength)),
        masked=np.logical_not(used.any(axis=1)),
    )
    return _with_dilution(likelihood, wavelength, depth)


def _with_dilution(likelihood: VisitLikelihood, wavelength: np.ndarray, depth: np.ndarray) -> VisitLikelihood:
    """Add what no light curve shows: that all depths of a star may look deeper by a fraction, (1 + dilution) times.

    Spots beside the planet's path do that, and a limb darkening unlike the fit's law. Only planets of known depth say
    by how much, and how it goes with the limb darkening that is measured.

    Args:
        likelihood: without it.
        wavelength: (n_wavelength,) [um].
        depth: (n_wavelength,) mean depths of the channels [(Rp/Rs)^2].
    """
    colours = strengths(wavelength, 1)
    n_more = len(colours)
    return replace(
        likelihood,
        names=(*likelihood.names, *(f"dilution_{colour}" for colour, _ in colours)),
        reference=np.append(likelihood.reference, np.zeros(n_more)),
        information=np.pad(likelihood.information, (0, n_more)),
        score=np.append(likelihood.score, np.zeros(n_more)),
        response=np.hstack([likelihood.response, *(-(depth * strength)[:, None] for _, strength in colours)]),
        prior_mean=np.append(likelihood.prior_mean, np.zeros(n_more)),
        prior_scatter=np.append(likelihood.prior_scatter, np.full(n_more, _DILUTION)),
    )


def _mean_depths(solution: Solution, groups: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean depth of its channel for every curve, (n_curve,)."""
    depth = solution.state.depth.copy()
    weight = 1.0 / eliminate(solution.normal).local_inverse[:, 1, 1]
    for group in groups:
        depth[group] = (weight[group] @ depth[group]) / weight[group].sum()
    return depth
