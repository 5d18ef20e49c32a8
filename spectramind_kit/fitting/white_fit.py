"""The white light with all that is evident in it: the transit wherever it is, jumps of the flux, spot crossings.

A transit, jumps and crossings imitate each other: a jump leads the transit astray, a transit that was missed leaves
flanks that look like jumps, half a crossing looks like a jump.
"""

import math
from typing import NamedTuple

import numpy as np

from spectramind_kit.fitting.curve_model import CurveModel, curve_model
from spectramind_kit.fitting.flux_jumps import MOST_ROUNDS, Anomaly, find_anomaly
from spectramind_kit.fitting.gauss_newton import Solution, minimise
from spectramind_kit.fitting.relative_flux import RelativeFlux
from spectramind_kit.fitting.spot_crossing import (
    MOST_CROSSINGS,
    Crossing,
    crossing_terms,
    find_crossing,
    is_like_the_limb,
    refined,
)
from spectramind_kit.fitting.systematics import Systematics, drift_terms, jump_terms, pointing_terms, systematics
from spectramind_kit.fitting.transit_prior import TransitPrior
from spectramind_kit.fitting.white_light import Dip, find_dips, fit_white, white_curves
from spectramind_kit.products import LightCurves
from spectramind_kit.settings.fit import FitConfig
from spectramind_kit.transit.light_curve import exposure_samples
from spectramind_kit.transit.orbit import transit_duration

_N_DIP = 3
"""Dips that the white light is fitted with before a crossing or a jump is looked for."""
_LIKE_USUAL = 1.3
"""By how much transits may be shorter or longer than those of the published orbit, to be looked for beside these."""
_LARGEST_IMPACT = 0.8
"""Of the published orbit, for its duration [R_star]: beyond, that says little."""
_N_MOVED = 2
"""How often a crossing is taken anew where the fit before has moved it."""
_TOLERANCE = 1e-2
"""Gain in half chi^2 below which such a fit has converged."""


class WhiteFit(NamedTuple):
    """The transit in the white light.

    Attributes:
        dip: where the fit started.
        model: of the white curves.
        solution: its fit.
        jumps: when the flux jumps [s], as in the model.
        crossings: of spots, as in the model.
        anomaly: what the residuals still hold, None where nothing.
        crossed_at_limb: whether a wide spot may be crossed at the limb, which says nothing of the planet's size.
    """

    dip: Dip
    model: CurveModel
    solution: Solution
    jumps: tuple[float, ...]
    crossings: tuple[Crossing, ...]
    anomaly: Anomaly | None
    crossed_at_limb: bool = False


def fit_white_light(
    curves: LightCurves, data: RelativeFlux, groups: list[np.ndarray], prior: TransitPrior, config: FitConfig
) -> WhiteFit:
    """Find the transit in the white curves and fit it there, with crossings of spots and jumps where they are evident.

    Every accepted jump sends the search for the dip back to its beginning.

    Args:
        curves: of the visit.
        data: the same, relative.
        groups: boolean (n_wavelength,) of each white curve.
        prior: of orbit and limb darkening.
        config: options of the fit.
    """
    flux, weight = white_curves(data.flux, np.where(data.spike, 0.0, data.weight), groups)
    middle = np.array([curves.wavelength[group].mean() for group in groups])

    def model_of(known: Systematics, depth: float) -> CurveModel:
        return curve_model(flux, weight, sampled_instants(curves, config), middle, known, prior, config, depth)

    def placed(jumps: tuple[float, ...], crossings: tuple[Crossing, ...] = ()) -> WhiteFit:
        known = known_systematics(curves, middle, config, 0, jumps, crossings)
        dip = find_dips(curves.time, flux, weight, known, config.drift_scatter, 1)[0]
        model = model_of(known, dip.depth)
        return WhiteFit(dip, model, fit_white(model, dip, config), jumps, crossings, None)

    def with_anomaly(white: WhiteFit) -> WhiteFit:
        time, step = curves.time, curves.bin_seconds
        found = find_anomaly(time, step, white.model, white.solution, config.drift_scatter, white.jumps)
        return white._replace(anomaly=found)

    def fit(jumps: tuple[float, ...]) -> WhiteFit:
        return with_anomaly(placed(jumps))

    def among_other_dips(white: WhiteFit) -> WhiteFit:
        known = known_systematics(curves, middle, config, 0, white.jumps, white.crossings)
        # A long transit in a strong drift looks like a longer one that is cut: the star table knows better.
        usual = _usual_duration(prior, white.dip.depth)
        lasting = usual / _LIKE_USUAL, usual * _LIKE_USUAL
        dips = find_dips(curves.time, flux, weight, known, config.drift_scatter, _N_DIP)[1:]
        dips += find_dips(curves.time, flux, weight, known, config.drift_scatter, 1, lasting)
        ends = [(white.dip, white.solution), *((dip, fit_white(white.model, dip, config)) for dip in dips)]
        dip, solution = min(ends, key=lambda end: end[1].at.cost)
        return white if solution is white.solution else with_anomaly(white._replace(dip=dip, solution=solution))

    def moved(white: WhiteFit) -> WhiteFit:
        crossings = refined(white.crossings, white.model, white.solution)
        known = known_systematics(curves, middle, config, 0, white.jumps, crossings)
        model = model_of(known, white.dip.depth)
        solution = minimise(model, white.solution.state, config.max_iterations, _TOLERANCE)
        return white._replace(model=model, solution=solution, crossings=crossings)

    def with_crossings(white: WhiteFit) -> WhiteFit:
        before = white
        while len(white.crossings) < MOST_CROSSINGS:
            found = find_crossing(curves.time, curves.bin_seconds, white.model, white.solution)
            if found is None:
                break
            if is_like_the_limb(found, white.solution):
                return before._replace(crossed_at_limb=True)
            white = placed(white.jumps, (*white.crossings, found))
            for _ in range(_N_MOVED):
                white = moved(white)
        if white is before:
            return white
        white = with_anomaly(white)
        # Where the flux jumps even so, it was no crossing.
        return before if white.anomaly is not None and white.anomaly.jump is not None else white

    white = fit(())
    if white.anomaly:  # flanks of a long transit that was fitted with another dip: more dips before anything else
        white = among_other_dips(white)
    white = first = with_crossings(white)
    for n_round in range(MOST_ROUNDS):
        if white.anomaly is None or white.anomaly.jump is None:
            break
        # The second jump replaces the first: that one was looked for beside a transit that knew of no jump.
        earlier = () if n_round < 2 else white.jumps
        white = fit((*earlier, white.anomaly.jump))
    if len(white.jumps) > 1:  # the last one may be all there is, the others the marks of a transit led astray
        alone = fit(white.jumps[-1:])
        white = alone if alone.anomaly is None or alone.anomaly.jump is None else white
    return white if white is first or white.crossings else with_crossings(white)


def _usual_duration(prior: TransitPrior, depth: float) -> float:
    """Return how long the transit of the published orbit takes [s]."""
    impact = min(math.sqrt(max(prior.impact_squared[0], 0.0)), _LARGEST_IMPACT)
    ratio = math.sqrt(min(max(depth, 0.0), 0.5))
    return float(transit_duration(prior.period, math.exp(prior.log_axis[0]), impact, ratio))


def known_systematics(
    curves: LightCurves,
    wavelength: np.ndarray,
    config: FitConfig,
    wavelength_order: int,
    jumps: tuple[float, ...],
    crossings: tuple[Crossing, ...],
) -> Systematics:
    """Return what the fit itself moves beside the transit.

    Args:
        curves: of the visit.
        wavelength: (n_wavelength,) of the curves of the model [um].
        config: options of the fit.
        wavelength_order: highest degree in wavelength over AIRS-CH0.
        jumps: when the flux jumps [s].
        crossings: of spots.
    """
    time = curves.time
    terms = drift_terms(time, wavelength, config.drift_order, wavelength_order)
    terms += jump_terms(time, wavelength, wavelength_order, jumps)
    order, instants = min(wavelength_order, 1), sampled_instants(curves, config)
    terms += crossing_terms(instants, wavelength, order, crossings, config.drift_scatter)
    terms += pointing_terms(wavelength, curves.regressors, curves.regressor_names)
    return systematics(time, wavelength, terms)


def sampled_instants(curves: LightCurves, config: FitConfig) -> np.ndarray:
    """Return instants within each time that the model is averaged over, (n_time, supersample) [s]."""
    return exposure_samples(curves.time, curves.bin_seconds, config.supersample)
