"""How well the depths of a random world's planets can be known at all, from the truth of that world.

    C = (H^-1) of the depths,    H = sum over light curves of J' W J + priors

J holds the derivatives of every light curve by its level, its depth, and what all curves share: mid-time, orbit, limb
darkening, spots, drift, correlated noise and pointing. Their priors are what the world draws them from, as Gaussians of
the same covariance. W is what photons and reads of all pixels leave. The bound is therefore that of the best linear
estimate (Kay 1993, ch. 10 and 12); on steps and ramps, which are not Gaussian, a nonlinear one may do better. Left
out: bad pixels, cosmic rays, and the error of centroids.

Spectra have a prior too: shapes of one amplitude are Gaussian with the covariance of the world's own spectra, and the
amplitude has their distribution.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import logsumexp

from spectramind_kit.instruments import AIRS, CHANNELS, is_fgs1
from spectramind_kit.random_world.planets import WorldPlanet
from spectramind_kit.random_world.timeline import N_SLOW, SLOW_STEP, binned
from spectramind_kit.random_world.visit import VisitTruth, observed_transit
from spectramind_kit.random_world.world import World, draw_planets
from spectramind_kit.simulation.cadence import OBSERVATION_TIME, exposure_instants
from spectramind_kit.simulation.starlight import label_wavelengths
from spectramind_kit.simulation.tables import ADC

N_BIN = 125
_N_DRAW = 1500
"""Series from which a covariance in time is learned."""
_N_LABEL = 1500
"""Spectra from which the prior of shapes is learned."""
_TIME_SPREAD = 3600.0
_COUPLING_SPREAD = 0.04
_AMPLITUDES = 12
_LARGEST_OFFSET = 5.0
"""FGS1's offset counts up to so many amplitudes: rare hazes must not widen the prior of all planets."""
_NUGGET = 0.02


@dataclass(frozen=True)
class Gains:
    """Changes of the light that many wavelengths share, each colour times curves of unit prior variance.

    Attributes:
        colour: (n_curve, n_wavelength) [1].
        curve: (n_curve, n_bin) [1].
    """

    colour: np.ndarray
    curve: np.ndarray


@dataclass(frozen=True)
class Sensitivity:
    """Derivatives of one visit's relative light curves at the truth.

    Attributes:
        weight: inverse variance of a bin, (n_wavelength,) [1].
        transit: the light curve, which is its derivative by the level, (n_wavelength, n_bin) [1].
        by_depth: its derivative by the depth, (n_wavelength, n_bin) [1].
        shared: derivatives by parameters of the whole visit, each over a unit of prior spread,
            (n_shared, n_wavelength, n_bin) [1].
        gains: of unit prior variance.
        fgs1: where a wavelength is FGS1's, (n_wavelength,).
    """

    weight: np.ndarray
    transit: np.ndarray
    by_depth: np.ndarray
    shared: np.ndarray
    gains: Gains
    fgs1: np.ndarray


def depth_covariance(visit: Sensitivity) -> np.ndarray:
    """Return the bound of the depths' covariance, all else marginalised, (n_wavelength, n_wavelength)."""
    weight, local = visit.weight, np.stack([visit.transit, visit.by_depth], axis=1)
    n_shared, n_gain = len(visit.shared), len(visit.gains.curve)
    own = np.einsum("w,wat,wbt->wab", weight, local, local)
    cross = np.zeros((len(weight), 2, n_shared + n_gain))
    cross[:, :, :n_shared] = np.einsum("w,wat,swt->was", weight, local, visit.shared, optimize=True)
    border = np.eye(n_shared + n_gain)  # the priors
    border[:n_shared, :n_shared] += np.einsum("w,swt,rwt->sr", weight, visit.shared, visit.shared, optimize=True)
    for channel in (visit.fgs1, ~visit.fgs1):
        if channel.any():
            # Within a channel transits differ by a thousandth: a gain times their mean keeps colour and time apart.
            curve = visit.gains.curve * visit.transit[channel].mean(axis=0)
            colour, w = visit.gains.colour[:, channel], weight[channel]
            border[n_shared:, n_shared:] += ((colour * w) @ colour.T) * (curve @ curve.T)
            projected = np.einsum("wat,gt->wag", local[channel], curve, optimize=True)
            cross[channel, :, n_shared:] = w[:, None, None] * projected * colour.T[:, None]
            mixed = np.einsum("swt,gt->swg", visit.shared[:, channel], curve, optimize=True)
            mixed = np.einsum("swg,w,gw->sg", mixed, w, colour, optimize=True)
            border[:n_shared, n_shared:] += mixed
            border[n_shared:, :n_shared] += mixed.T
    inverse = np.linalg.inv(own)
    response = inverse @ cross
    schur = border - np.einsum("was,war->sr", cross, response, optimize=True)
    depth = response[:, 1]
    covariance = depth @ np.linalg.solve(schur, depth.T)
    covariance[np.diag_indices_from(covariance)] += inverse[:, 1, 1]
    return 0.5 * (covariance + covariance.T)


@dataclass(frozen=True)
class SpectrumBound:
    """What a world's spectra look like: shapes of unit amplitude, and how amplitudes are distributed.

    Attributes:
        level_mean: of the mean AIRS-CH0 depth [1].
        level_variance: of the same [1].
        shape_mean: (n,) of shapes over their amplitude [1].
        shape_covariance: (n, n) [1].
        amplitude: grid of the shape's rms over the level, (n_amplitude,) [1].
        log_weight: logarithm of its weights, up to a constant, (n_amplitude,).
    """

    level_mean: float
    level_variance: float
    shape_mean: np.ndarray
    shape_covariance: np.ndarray
    amplitude: np.ndarray
    log_weight: np.ndarray

    def posterior(self, depth: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation given a measurement and its covariance, (n,) each."""
        level, n = max(float(depth[1:].mean()), 1e-5), len(depth)
        parts, evidence = [], []
        for amplitude, weight in zip(self.amplitude, self.log_weight):
            size = level * amplitude
            prior = self.level_variance * np.ones((n, n)) + size**2 * self.shape_covariance
            mean = self.level_mean + size * self.shape_mean
            total = cho_factor(prior + covariance, lower=True)
            residual = depth - mean
            solved = cho_solve(total, residual)
            evidence.append(weight - 0.5 * residual @ solved - np.log(np.diag(total[0])).sum())
            gain = cho_solve(total, prior)
            parts.append((mean + prior @ solved, np.diag(prior) - (prior * gain).sum(axis=0)))
        share = np.exp(np.array(evidence) - logsumexp(evidence))
        mean = sum(s * m for s, (m, _) in zip(share, parts))
        variance = sum(s * (v + (m - mean) ** 2) for s, (m, v) in zip(share, parts))
        return np.asarray(mean), np.sqrt(np.maximum(variance, 1e-18))


def learn_spectra(labels: np.ndarray) -> SpectrumBound:
    """Learn what spectra look like from very many labels (n_planet, n_wavelength), FGS1 first."""
    level = labels[:, 1:].mean(axis=1)
    shape = labels / level[:, None] - 1.0
    amplitude = np.maximum(shape[:, 1:].std(axis=1), 1e-5)
    unit = shape / amplitude[:, None]
    unit[:, 0] = np.clip(unit[:, 0], -_LARGEST_OFFSET, _LARGEST_OFFSET)
    edges = np.quantile(np.log(amplitude), np.linspace(0.0, 1.0, _AMPLITUDES + 1))
    return SpectrumBound(
        level_mean=float(level.mean()),
        level_variance=float(level.var()),
        shape_mean=unit.mean(axis=0),
        shape_covariance=np.cov(unit.T) + _NUGGET**2 * np.eye(labels.shape[1]),
        amplitude=np.exp(0.5 * (edges[1:] + edges[:-1])),
        log_weight=np.zeros(_AMPLITUDES),
    )


class WorldBound:
    """The bound in one world; curves in time and spectra are learned once."""

    def __init__(self, world: World, seed: int = 0):
        rng = np.random.default_rng((seed, world.seed))
        self.world = world
        self.wavelength = label_wavelengths()
        self.drift = _time_modes(lambda n: world.drift.draw_curves(n, rng), 1e-7)
        self.noise = _time_modes(lambda n: world.noise.draw_series(n, rng), 1e-4)
        labels = [
            planet.label() for planet in draw_planets(replace(world, seed=world.seed + 2**31), _N_LABEL, 0)["train"]
        ]
        self.spectra = learn_spectra(np.array(labels))

    def sensitivity(self, planet: WorldPlanet, truth: VisitTruth) -> Sensitivity:
        """Return the derivatives of one visit's light curves."""
        middle = OBSERVATION_TIME * (np.arange(N_BIN) + 0.5) / N_BIN
        instants = exposure_instants(middle, OBSERVATION_TIME / N_BIN, 3)

        def light(of: WorldPlanet, what: VisitTruth) -> np.ndarray:
            return observed_transit(self.world, of, what.mid_time, self.wavelength, instants, what.crossing)

        transit = light(planet, truth)
        deeper = light(replace(planet, depth=1.001 * planet.depth), truth)
        by_depth = (deeper - transit) / (0.001 * planet.depths(self.wavelength))[:, None]
        return Sensitivity(
            weight=pixel_weight(self.world, planet, truth),
            transit=transit,
            by_depth=by_depth,
            shared=np.array(self._shared(planet, truth, transit, light)),
            gains=self._gains(truth),
            fgs1=is_fgs1(self.wavelength),
        )

    def _shared(self, planet: WorldPlanet, truth: VisitTruth, transit: np.ndarray, light: Callable) -> list[np.ndarray]:
        """Return derivatives by mid-time, orbit, limb darkening and spots, each over its prior spread."""
        population = self.world.population
        # The transit is even in the impact parameter: at zero its slope would say that nothing is to be learned.
        here = replace(planet, impact=max(planet.impact, 0.15))
        found = [
            _TIME_SPREAD * (light(planet, replace(truth, mid_time=truth.mid_time + 5.0)) - transit) / 5.0,
            population.speed_error
            * (light(replace(planet, semi_major_axis=1.001 * planet.semi_major_axis), truth) - transit)
            / 0.001,
            population.impact_error
            * (light(replace(here, impact=here.impact + 0.01), truth) - light(here, truth))
            / 0.01,
        ]
        if self.world.limb_darkening.kind != "none":
            for place, spread in enumerate(self.world.limb_darkening.scatter):
                offsets = list(planet.darkening)
                offsets[place] += 0.01
                found.append(spread * (light(replace(planet, darkening=tuple(offsets)), truth) - transit) / 0.01)
        spots = self.world.spots
        if spots.kind != "none":
            more = light(replace(planet, covering=planet.covering + 1e-3), truth)
            found.append(spots.covering * spots.scatter * (more - transit) / 1e-3)
        if truth.crossing is not None:
            for name, spread in (("x", 0.4), ("y", 0.1), ("radius", 0.06)):
                moved = replace(truth.crossing, **{name: getattr(truth.crossing, name) + 0.002})
                found.append(spread * (light(planet, replace(truth, crossing=moved)) - transit) / 0.002)
        return found

    def _gains(self, truth: VisitTruth) -> Gains:
        parts = []
        for modes, colours in ((self.drift, self.world.drift.colours), (self.noise, self.world.noise.colours)):
            parts += [(np.tile(colour, (len(modes), 1)), modes) for colour in colours(self.wavelength) if len(modes)]
        fgs1 = is_fgs1(self.wavelength)
        for name in CHANNELS:
            motion = truth.motion[name].reshape(2, N_SLOW, -1).mean(axis=2)
            flat = np.where(fgs1 == (name != AIRS.name), 1.0, 0.0)
            colours = [flat, flat * (self.wavelength - 2.9)] if name == AIRS.name else [flat]
            parts += [(np.tile(_COUPLING_SPREAD * colour, (2, 1)), binned(motion, N_BIN)) for colour in colours]
        return Gains(np.vstack([colour for colour, _ in parts]), np.vstack([curve for _, curve in parts]))

    def covariance(self, planet: WorldPlanet, visits: list[VisitTruth]) -> np.ndarray:
        """Return the bound of a planet's depths from its visits, as if their orbits were learned apart."""
        every = [depth_covariance(self.sensitivity(planet, truth)) for truth in visits]
        return every[0] if len(every) == 1 else np.linalg.inv(sum(np.linalg.inv(c) for c in every))

    def answers(
        self, planet: WorldPlanet, visits: list[VisitTruth], n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return means and sigmas of n answers drawn from the bound, (n, n_wavelength) each."""
        covariance, truth = self.covariance(planet, visits), planet.label()
        factor = np.linalg.cholesky(covariance)
        drawn = [truth + factor @ rng.standard_normal(len(truth)) for _ in range(n)]
        ends = [self.spectra.posterior(depth, covariance) for depth in drawn]
        return np.maximum([m for m, _ in ends], 0.0), np.array([s for _, s in ends])


def pixel_weight(world: World, planet: WorldPlanet, truth: VisitTruth) -> np.ndarray:
    """Return the inverse variance of a relative bin that photons and reads of all pixels leave, (n_wavelength,) [1]."""
    detector, found = world.detector, {}
    for name in CHANNELS:
        channel, adc = detector.channel(name), ADC["2025"][name]
        electrons = detector.electrons(name, planet.star.temperature, planet.brightness, adc)
        share = detector.image(name).share
        lit = channel.n_row if name == AIRS.name else channel.n_pixel
        noise = share * electrons + truth.foreground[name] * electrons / lit
        noise = noise + 2.0 * (detector.read_noise**2 + 1.0 / (12.0 * adc[0] ** 2))
        exposures = (N_SLOW // N_BIN) * SLOW_STEP / channel.pair_period
        each = exposures * (np.maximum(share, 0.0) * electrons) ** 2 / noise
        first, stop = channel.science_columns
        found[name] = each.sum(axis=0)[first:stop][::-1] if name == AIRS.name else np.array([each.sum()])
    return np.concatenate([found["FGS1"], found["AIRS-CH0"]])


def _time_modes(draw: Callable[[int], np.ndarray], smallest: float) -> np.ndarray:
    """Return curves (n_mode, N_BIN) whose sum, each with unit variance, has the covariance of what is drawn."""
    drawn = np.vstack([binned(draw(_N_DRAW // 10), N_BIN) for _ in range(10)])
    drawn = drawn - drawn.mean(axis=1, keepdims=True)  # a curve's own level takes what is constant
    _, size, modes = np.linalg.svd(drawn / np.sqrt(len(drawn)), full_matrices=False)
    keep = size**2 > smallest * max(float((size**2).sum()), 1e-30)
    return size[keep, None] * modes[keep]
