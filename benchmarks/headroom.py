"""What a model could add to fit and prior: three level errors a planet, and what features tell of them elsewhere.

    python benchmarks/drawn_fits.py FOLDER
    python benchmarks/headroom.py FOLDER [--json FILE]

Planets of random worlds are answered as the product answers held-out planets: spectra, star and instrument learned from
the other folds of their world (with the labels of further planets, because labels cost nothing here), sigmas
recalibrated. The errors of an answer, truth less mean, are measured along three directions: FGS1, the mean of AIRS-CH0,
its slope. A predicted error moves all wavelengths by the posterior's own Jacobian.

Rows: knowing a level; knowing a share of the errors' variance; ridge regression and gradient boosting of the errors,
and of their scale, on the fit's features; the same from fewer worlds, to see whether more would help. Each is learned
from worlds that do not judge, five groups in turn. The gain is in the competition's score of usual planets, mean and
standard error over worlds; beside it the mean gain of grazing and cut transits, and of usual ones that cross a spot.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from drawn_fits import DrawnFit, drawn, read_world
from sklearn.ensemble import HistGradientBoostingRegressor
from tqdm import tqdm

from spectramind_kit.config import load_config
from spectramind_kit.features.planet import planet_features
from spectramind_kit.fitting.nuisance_learning import learn_nuisance_prior
from spectramind_kit.fitting.visits import join_visits, with_population
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.metric import planet_scores
from spectramind_kit.prediction.inference import infer
from spectramind_kit.prediction.measure import Measurement
from spectramind_kit.prediction.plausibility import without_outlying_wavelengths
from spectramind_kit.prediction.population import Population, learn_population
from spectramind_kit.prediction.worker import one_thread, taught
from spectramind_kit.products import Planet
from spectramind_kit.random_world.world import World, draw_planets, draw_world
from spectramind_kit.simulation.starlight import label_wavelengths
from spectramind_kit.training.folds import assign_folds
from spectramind_kit.uncertainty.recalibration import learn_recalibration

N_FOLD = 5
LABELS = 250
"""Of further planets of a world, beside those that are fitted."""
_CLIP = 4.0
"""Errors and standardised features beyond are cut."""
_PENALTIES = (30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 1e5)
_LEAST_SIGMA = 1e-6
_WORLDS = (6, 12, 24, 48)
"""Learned from, to see whether more would help."""
_SHARES = (0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True, eq=False)
class Judged:
    """One planet's answer and what a model could see of it.

    Attributes:
        seed, kind, crossed: of its world, and of itself.
        label, mean, variance: (n_wavelength,) truth, and posterior before it is recalibrated.
        level: (3, 3) covariance of the three levels.
        jacobian: (n_wavelength, 3) by which the spectrum follows the levels.
        features: (n_feature,).
        factor: (n_wavelength,) on sigma.
        spread: (n_wavelength,) of the labels.
        naive: mean and spread of the metric's zero point.
    """

    seed: int
    kind: str
    crossed: bool
    label: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    level: np.ndarray
    jacobian: np.ndarray
    features: np.ndarray
    factor: np.ndarray
    spread: np.ndarray
    naive: tuple[float, float]


def main() -> None:
    """Answer, regress, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of drawn_fits.py")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    seeds, planets = sorted(int(path.name) for path in options.folder.iterdir() if path.name.isdigit()), []
    with one_thread():
        for seed in tqdm(seeds, "worlds", disable=None):
            planets += judged(draw_world(seed), read_world(options.folder, seed))
        figures = Headroom(planets).figures()
    for name, row in figures.items():
        print(f"{name:<44}", "  ".join(f"{key} {value:+.4f}" for key, value in row.items()))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def directions() -> np.ndarray:
    """Return the three levels as weights of the wavelengths (3, n_wavelength): FGS1, mean and slope of AIRS-CH0."""
    wavelength = label_wavelengths()
    fgs1 = is_fgs1(wavelength)
    x = np.where(fgs1, 0.0, wavelength - wavelength[~fgs1].mean())
    x /= np.abs(x).max()
    return np.stack([fgs1 / fgs1.sum(), ~fgs1 / (~fgs1).sum(), x / (x @ x)])


def judged(world: World, fits: dict[str, DrawnFit]) -> list[Judged]:
    """Answer the planets of a world; usual ones without their own fold, hard ones by all usual ones."""
    usual = [name for name in fits if fits[name].kind == "usual"]
    fold = dict(zip(usual, assign_folds([fits[name].fit.planet_id for name in usual], N_FOLD, 0)))
    further = [each.label() for each in draw_planets(world, 1000 + LABELS, 0)["train"][1000:]]
    populations = {
        held_out: _population([fits[name] for name in usual if fold[name] != held_out], further)
        for held_out in range(N_FOLD + 1)
    }
    answered = {name: _answer(world, name, fits[name], populations[fold.get(name, N_FOLD)]) for name in fits}
    factors = {}
    for held_out in range(N_FOLD + 1):
        others = [name for name in usual if fold[name] != held_out]
        here = [name for name in fits if fold.get(name, N_FOLD) == held_out]
        sigma = np.array([np.sqrt(answered[name][1]) for name in others])
        error = np.array([fits[name].label - answered[name][0] for name in others])
        flagged = np.array([answered[name][5] for name in others])
        spread = populations[held_out].labels.spread
        learned = learn_recalibration(error / sigma, sigma, spread, flagged, load_config().uncertainty)
        for name in here:
            factors[name] = learned.factor(np.sqrt(answered[name][1]), spread, bool(answered[name][5]))
    labels = np.array([fits[name].label for name in usual])
    naive = float(labels.mean()), float(labels.std())
    spread = populations[N_FOLD].labels.spread
    found = []
    for name, one in fits.items():
        mean, variance, level, jacobian, features, _ = answered[name]
        about = world.seed, one.kind, one.crossed, one.label
        found.append(Judged(*about, mean, variance, level, jacobian, features, factors[name], spread, naive))
    return found


def _population(known: Sequence[DrawnFit], further: Sequence[np.ndarray]) -> Population:
    visits = [visit for one in known for visit in taught((one.fit,), one.label)]
    labels = np.vstack([*further, *(one.label for one in known)])
    return learn_population(labels, label_wavelengths(), learn_nuisance_prior(visits))


def _answer(world: World, name: str, one: DrawnFit, population: Population) -> tuple:
    """Return mean, variance, covariance of the levels, Jacobian, features, and whether a flag counts."""
    kind, _, index = name.partition("_")
    planet, weights = drawn(world, kind, int(index))[0].planet, directions()
    joined = join_visits([one.fit])
    estimate = without_outlying_wavelengths(with_population(joined, population.nuisance))
    mean, covariance = population.prior.posterior(estimate.depth, estimate.covariance)
    level = weights @ covariance @ weights.T
    inferred = infer(Measurement(one.fit.planet_id, joined, planet=planet), population)
    assert inferred.posterior is not None
    features = planet_features(
        planet,
        [one.features],
        (estimate.depth, np.sqrt(np.diag(estimate.covariance))),
        (np.maximum(mean, _LEAST_SIGMA), np.sqrt(np.diag(covariance))),
        inferred.posterior.mean_jacobian,
        (population.labels.mean, population.labels.spread),
        label_wavelengths(),
    )
    measured = weights @ estimate.covariance @ weights.T
    size, own = np.sqrt(np.diag(measured)), np.sqrt(np.diag(level))
    observed = [
        *features.context,
        *features.node[0],
        *features.node[1:].mean(axis=0),
        *np.nan_to_num(one.statistics[0]),
        *(weights @ (joined.depth - estimate.depth) / size),  # what star and instrument of the population moved
        *(weights @ (mean - estimate.depth) / size),  # what the prior of spectra moved
        *np.log(own),
        *np.log(size),
        *(level / np.outer(own, own))[np.triu_indices(3, 1)],
        *_grazing(one, planet, mean),
    ]
    jacobian = covariance @ weights.T @ np.linalg.inv(level)
    return mean, np.diag(covariance).copy(), level, jacobian, np.nan_to_num(np.array(observed)), inferred.flagged


def _grazing(one: DrawnFit, planet: Planet, mean: np.ndarray) -> list[float]:
    """Return how far the planet's edge is beyond the star's, and its error [planet radii]."""
    impact, radius = one.fit.parameters["impact_parameter"], float(np.sqrt(max(mean[1:].mean(), 1e-6)))
    return [(impact.value + radius - 1.0) / radius, impact.error / radius]


class Headroom:
    """The rows of the table.

    Args:
        planets: of all worlds.
    """

    def __init__(self, planets: Sequence[Judged]):
        def stacked(name: str) -> np.ndarray:
            return np.array([getattr(one, name) for one in planets])

        self.planets, self.seed, self.features = planets, stacked("seed"), stacked("features")
        self.worlds, self.kind = np.unique(self.seed), stacked("kind")
        self.usual, self.crossed = self.kind == "usual", stacked("crossed")
        self.label, self.mean, self.factor = stacked("label"), stacked("mean"), stacked("factor")
        self.level, self.jacobian = stacked("level"), stacked("jacobian")
        fgs1 = is_fgs1(label_wavelengths())
        size = [self.factor[:, part].mean(axis=1) for part in (fgs1, ~fgs1, ~fgs1)]
        self.sigma = np.sqrt(np.einsum("nkk->nk", self.level)) * np.stack(size, axis=1)
        self.z = (self.label - self.mean) @ directions().T / self.sigma
        shared = np.einsum("nik,nkl,nil->ni", self.jacobian, self.level, self.jacobian)
        self.rest = np.maximum(stacked("variance") - shared, 1e-4 * stacked("variance"))
        self.base = self.scores(0.0 * self.z, np.ones_like(self.z))

    def scores(self, shift: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """Return every planet's part of the score once levels are moved.

        Args:
            shift: (n_planet, 3) of the levels [their sigmas].
            variance: (n_planet, 3) factor on the levels' variance.
        """
        mean = self.mean + np.einsum("nik,nk->ni", self.jacobian, shift * self.sigma)
        root = np.sqrt(variance)
        level = self.level * root[:, :, None] * root[:, None, :]
        total = np.einsum("nik,nkl,nil->ni", self.jacobian, level, self.jacobian) + self.rest
        sigma = np.maximum(np.sqrt(np.maximum(total, 0.0)) * self.factor, _LEAST_SIGMA)
        return np.array(
            [
                planet_scores(one.label[None], np.maximum(m, 0.0)[None], np.minimum(s, one.spread)[None], one.naive)[0]
                for one, m, s in zip(self.planets, mean, sigma)
            ]
        )

    def figures(self) -> dict[str, dict[str, float]]:
        """Return every row by name."""
        none, one, random = 0.0 * self.z, np.ones_like(self.z), np.random.default_rng(0)
        found = {f"fit alone, {name}": self._groups(where) for name, where in self._kinds().items() if where.any()}
        for name, known in (("FGS1", [0]), ("AIRS-CH0's mean", [1]), ("its slope", [2]), ("all three", [0, 1, 2])):
            shift, variance = none.copy(), one.copy()
            shift[:, known], variance[:, known] = self.z[:, known], 1e-3
            found[f"known: {name}"] = self.gain(shift, variance)
        spread = self.z[self.usual].std(axis=0)
        for share in _SHARES:
            noise = np.sqrt(share * (1.0 - share)) * spread * random.standard_normal(self.z.shape)
            found[f"{share:.0%} of the variance known"] = self.gain(share * self.z + noise, one * (1.0 - share))
        target = np.clip(self.z, -_CLIP, _CLIP)
        predicted = {"ridge": self.elsewhere(target, _ridge), "gradient boosting": self.elsewhere(target, _boosting)}
        for name, shift in predicted.items():
            explained = self._explained(target, shift)
            left = one * (1.0 - np.clip(explained, 0.0, 0.5))
            row = {f"R2 {what}": float(r) for what, r in zip(("FGS1", "mean", "slope"), explained)}
            found[f"{name} of the errors, elsewhere"] = self.gain(shift, left) | row
        for most in _WORLDS:
            if most < len(self.worlds) * (N_FOLD - 1) / N_FOLD:
                for name, learn in (("ridge", _ridge), ("gradient boosting", _boosting)):
                    shift = self.elsewhere(target, learn, most=most)
                    left = one * (1.0 - np.clip(self._explained(target, shift), 0.0, 0.5))
                    found[f"{name}, learned from {most} worlds"] = self.gain(shift, left)
        scale = self.elsewhere(np.clip(self.z**2, 1e-3, 100.0), _boosted_scale, everyone=True).clip(0.3, 60.0)
        found["gradient boosting of their scale, elsewhere"] = self.gain(none, scale) | self._nats(scale)
        return found

    def gain(self, shift: np.ndarray, variance: np.ndarray) -> dict[str, float]:
        """Return the gain over fit and prior alone."""
        change = self.scores(shift, variance) - self.base
        by_world = np.array([change[self.usual & (self.seed == seed)].mean() for seed in self.worlds])
        row = {"gain": by_world.mean(), "error": by_world.std(ddof=1) / np.sqrt(len(by_world)), "worst": by_world.min()}
        row |= {name: change[where].mean() for name, where in list(self._kinds().items())[1:] if where.any()}
        return {name: float(value) for name, value in row.items()}

    def elsewhere(
        self, target: np.ndarray, learn: Callable, everyone: bool = False, most: int | None = None
    ) -> np.ndarray:
        """Return what is predicted of every planet from other worlds, or from so many at most, (n_planet, 3)."""
        predicted = np.zeros_like(target)
        for group in np.array_split(self.worlds, N_FOLD):
            here = np.isin(self.seed, group)
            teachers = np.random.default_rng(0).permutation(np.setdiff1d(self.worlds, group))[:most]
            known = np.isin(self.seed, teachers) & (self.usual | everyone)
            for place in range(target.shape[1]):
                model = learn(self.features[known], target[known, place], self.seed[known])
                predicted[here, place] = model(self.features[here])
        return predicted

    def _kinds(self) -> dict[str, np.ndarray]:
        crossed = self.usual & self.crossed
        return {"usual": self.usual, "crossed": crossed, "grazing": self.kind == "grazing", "cut": self.kind == "cut"}

    def _groups(self, where: np.ndarray) -> dict[str, float]:
        square = (self.z[where] ** 2).mean(axis=0)
        row = {"planets": where.sum(), "score": self.base[where].mean()}
        row |= {f"z2 {name}": value for name, value in zip(("FGS1", "mean", "slope"), square)}
        return {name: float(value) for name, value in row.items()}

    def _explained(self, target: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        left = ((target - predicted)[self.usual] ** 2).sum(axis=0)
        return 1.0 - left / (target[self.usual] ** 2).sum(axis=0)

    def _nats(self, variance: np.ndarray) -> dict[str, float]:
        """Return the gain in log likelihood of the three levels, nats a planet."""
        gain = (-0.5 * np.log(variance) - 0.5 * self.z**2 / variance + 0.5 * self.z**2).sum(axis=1)
        return {f"nats {name}": float(gain[where].mean()) for name, where in self._kinds().items() if where.any()}


def _ridge(features: np.ndarray, target: np.ndarray, world: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return a ridge regression without a constant, its penalty chosen between worlds."""
    centre, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)

    def standardised(values: np.ndarray) -> np.ndarray:
        return np.clip((values - centre) / scale, -_CLIP, _CLIP)

    def solved(x: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
        return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)

    x, cost = standardised(features), np.zeros(len(_PENALTIES))
    for group in np.array_split(np.unique(world), N_FOLD - 1):
        judges = np.isin(world, group)
        for i, penalty in enumerate(_PENALTIES):
            weights = solved(x[~judges], target[~judges], penalty)
            cost[i] += ((target[judges] - x[judges] @ weights) ** 2).sum()
    weights = solved(x, target, _PENALTIES[int(cost.argmin())])
    return lambda values: standardised(values) @ weights


def _boosting(features: np.ndarray, target: np.ndarray, world: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return _boosted(features, target, "squared_error")


def _boosted_scale(features: np.ndarray, target: np.ndarray, world: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    # The gamma likelihood of z^2 is, up to constants, the normal one of z in its variance.
    return _boosted(features, target, "gamma")


def _boosted(features: np.ndarray, target: np.ndarray, loss: str) -> Callable[[np.ndarray], np.ndarray]:
    model = HistGradientBoostingRegressor(
        loss=loss,
        max_iter=120,
        learning_rate=0.05,
        max_leaf_nodes=6,
        min_samples_leaf=40,
        l2_regularization=20.0,
        random_state=0,
    )
    return model.fit(features, target).predict


if __name__ == "__main__":
    main()
