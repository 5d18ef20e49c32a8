"""What each part of the fit brings, judge by judge: held-out score without it, minus the score with all of it, paired.

    python benchmarks/drawn_fits.py FOLDER [--kinds noise=none ...]
    python benchmarks/additions.py FOLDER [FOLDER ...] [--foreign] [--work WORK --data DATA] [--json FILE]

A fit's likelihood is quadratic in all its parameters, so that a part is taken out after the fit: its coefficients are
set to zero in every visit, and all that follows is done anew (priors learned by fold, visits joined, sigmas
recalibrated). A column a judge, a FOLDER of drawn worlds each one; `--foreign` is the world of `foreign.py`, and WORK
the fits of a competition folder's training planets. Errors are those of the mean over worlds, or over planets where
there is one world only.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from drawn_fits import read_world, star_table_row
from foreign import WORLD, ForeignTask, beside, held_out_score
from star_table import star_table
from tqdm import tqdm
from worlds import Answers

from spectramind_kit.competition.folder import open_competition, read_spectra
from spectramind_kit.config import Config, load_config
from spectramind_kit.likelihood import VisitLikelihood
from spectramind_kit.prediction.measure import PlanetTask
from spectramind_kit.products import Planet, TransitFit

ALL = "all of it"
FREE = "free_"
"""A parameter with a name of no group keeps the fit's loose prior."""


@dataclass(frozen=True)
class Part:
    """A part of the fit, and how to do without it.

    Attributes:
        name: for the table.
        names: beginnings of the parameters' names.
        learned: leave the parameters and their loose prior, and learn no population's.
        labels: whether the labels are used where star and instrument are learned.
    """

    name: str
    names: tuple[str, ...]
    learned: bool = False
    labels: bool = True

    def without(self, likelihood: VisitLikelihood) -> VisitLikelihood:
        """Return a visit's likelihood without the part."""
        mine = np.array([name.startswith(self.names) for name in likelihood.names], dtype=bool)
        if self.learned:
            names = (FREE * bool(part) + name for name, part in zip(likelihood.names, mine))
            return replace(likelihood, names=tuple(names))
        left, step = ~mine, np.where(mine, -likelihood.reference, 0.0)
        slope = likelihood.score - likelihood.information @ step
        return replace(
            likelihood,
            names=tuple(name for name, stays in zip(likelihood.names, left) if stays),
            reference=likelihood.reference[left],
            information=likelihood.information[np.ix_(left, left)],
            score=slope[left],
            depth=likelihood.depth + likelihood.response @ step,
            response=likelihood.response[:, left],
            prior_mean=likelihood.prior_mean[left],
            prior_scatter=likelihood.prior_scatter[left],
            ln_likelihood=likelihood.ln_likelihood
            + float(likelihood.score @ step - 0.5 * step @ likelihood.information @ step),
        )


OTHERS_POINTING = ("pointing_airs_0/fgs1", "pointing_airs_1/fgs1", "pointing_fgs1/airs")
PARTS = (
    Part("noise modes", ("noise_",)),
    Part("pointing measured by the other channel", OTHERS_POINTING),
    Part("widths of the star's image", ("width_",)),
    Part("ramps", ("ramp_",)),
    Part("bends", ("bend_",)),
    Part("spot crossings", ("spot_",)),
    Part("the star's dilution", ("dilution_",)),
    Part("FGS1's clock", ("clock_",)),
    Part("drift, ramps and bends learned", ("drift_", "ramp_", "bend_"), learned=True),
    Part("noise learned", ("noise_",), learned=True),
    Part("pointing and widths learned", ("pointing_", "width_"), learned=True),
    Part("labels where star and instrument are learned", (), labels=False),
)


@dataclass(frozen=True)
class Judge:
    """Planets of one world, fitted.

    Attributes:
        name: of the column.
        fits: of each planet, one a visit.
        labels: of the same planets, (n_wavelength,) each [(Rp/Rs)^2].
        stars: what the star table says of them.
    """

    name: str
    fits: Mapping[int, Sequence[TransitFit]]
    labels: Mapping[int, np.ndarray]
    stars: Mapping[int, Planet]

    def answers(self, config: Config, part: Part | None = None) -> Answers:
        """Return the answers to all planets, without a part of the fit if one is named."""
        fits = self.fits if part is None else {planet: without(part, each) for planet, each in self.fits.items()}
        return held_out_score(fits, self.labels, self.stars, config, part is None or part.labels)


def without(part: Part, fits: Sequence[TransitFit]) -> list[TransitFit]:
    """Return the fits of a planet without a part."""
    return [fit if fit.likelihood is None else replace(fit, likelihood=part.without(fit.likelihood)) for fit in fits]


def main() -> None:
    """Judge, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", help="of drawn_fits.py")
    parser.add_argument("--worlds", type=int, default=0, help="of each folder, the first ones; 0 is all")
    parser.add_argument("--foreign", action="store_true", help="the foreign world, which lies beside the project")
    parser.add_argument("--work", type=Path, help="work folder with the fits of training planets")
    parser.add_argument("--data", type=Path, help="their competition folder")
    parser.add_argument("--parts", nargs="+", choices=[part.name for part in PARTS], help="only these; all by default")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    parts = [part for part in PARTS if options.parts is None or part.name in options.parts]
    config, scores = load_config(["model=none", "workers=1"]), dict[str, dict[str, list[np.ndarray]]]()
    for judge in judges(options, config):
        whole, found = judge.answers(config), scores.setdefault(judge.name, {})
        square = ((whole.mean - whole.truth) / whole.sigma) ** 2
        rows = {ALL: whole.by_planet, "z^2 of FGS1": square[:, 0], "z^2 of AIRS-CH0": square[:, 1:].mean(axis=1)}
        for part in tqdm(parts, f"{judge.name}, {len(square)} planets", disable=None):
            rows[part.name] = judge.answers(config, part).by_planet - whole.by_planet
        for name, values in rows.items():
            found.setdefault(name, []).append(values)
    figures = {name: {part: summary(each) for part, each in found.items()} for name, found in scores.items()}
    for name, found in figures.items():
        print(f"{name}: {len(scores[name][ALL])} worlds")
        for part, row in found.items():
            print(f"  {part:<48}", "  ".join(f"{key} {value:+.4f}" for key, value in row.items()))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def judges(options: argparse.Namespace, config: Config) -> Iterator[Judge]:
    """Yield the worlds that were asked for, one at a time: each holds its fits in memory."""
    for folder in options.folders:
        seeds = sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit())
        for seed in seeds[: options.worlds or None]:
            world = {name: one for name, one in read_world(folder, seed).items() if one.kind == "usual"}
            planets = [star_table_row(seed, name) for name in world]
            ids = [planet.planet_id for planet in planets]
            yield Judge(
                folder.name,
                {planet: (one.fit,) for planet, one in zip(ids, world.values())},
                {planet: one.label for planet, one in zip(ids, world.values())},
                dict(zip(ids, planets)),
            )
    if options.foreign:
        ids, spectra = read_spectra(beside(WORLD, "labels"))
        planets = [int(planet) for planet in ids]
        fits = {
            planet: ForeignTask(WORLD, config)(planet).fits for planet in tqdm(planets, "foreign world", disable=None)
        }
        yield Judge("foreign", fits, dict(zip(planets, spectra)), star_table(beside(WORLD, "stars")))
    if options.work:
        folder = open_competition(options.data)
        ids, spectra = folder.labels()
        task = PlanetTask(options.data, options.work, "train", config)
        planets = [int(planet) for planet in ids]
        fits = {planet: [visit.fit for visit in task.fitted_visits(planet)] for planet in planets}
        stars = {planet: next(iter(folder.observations("train", planet))).planet for planet in planets}
        yield Judge(options.work.name, fits, dict(zip(planets, spectra)), stars)


def summary(by_world: Sequence[np.ndarray]) -> dict[str, float]:
    """Return the mean of a figure of planets and its error, over worlds or over the planets of the only one.

    Of several worlds also the lowest and the highest, how much they scatter, and how much they would by chance.
    """
    means = np.array([values.mean() for values in by_world])
    chance = np.array([values.std(ddof=1) / np.sqrt(len(values)) for values in by_world])
    if len(means) == 1:
        return {"mean": float(means[0]), "error": float(chance[0])}
    scatter = means.std(ddof=1)
    row = {"mean": means.mean(), "error": scatter / np.sqrt(len(means)), "least": means.min(), "most": means.max()}
    return {name: float(value) for name, value in row.items()} | {
        "scatter": float(scatter),
        "by chance": float(np.sqrt((chance**2).mean())),
    }


if __name__ == "__main__":
    main()
