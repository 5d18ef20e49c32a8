"""Judge the fit in worlds drawn at random, each beside its own information bound.

Every world is a competition folder (``simulation=random_world``) at reduced cadence; the product answers it with
``submit``, without a network unless ``--model`` asks for one. A world is simulated once and kept in ``--folder``, as is
its bound.

    python benchmarks/worlds.py [--worlds 10 | --seeds 0 1 ...] [--train 60] [--test 30] [--folder FOLDER] [--json FILE]
    python benchmarks/worlds.py --commit A --commit B    both commits in the same worlds, paired by planet
    python benchmarks/worlds.py --model none --model v50_small    both models, likewise
    python benchmarks/worlds.py --family noise           groups of worlds that differ by one family only
    python benchmarks/worlds.py --kinds noise=none limb_darkening=quadratic    worlds of which some kinds are given
"""

import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm
from world_bound import WorldBound

from spectramind_kit.competition.folder import read_spectra
from spectramind_kit.config import Config, load_config
from spectramind_kit.files import replacing
from spectramind_kit.metric import planet_scores
from spectramind_kit.random_world.visit import draw_visit
from spectramind_kit.random_world.world import FAMILIES, World, draw_planets, draw_world, number_of_visits, visit_stream
from spectramind_kit.random_world.world_folder import simulate_world
from spectramind_kit.work_folder.submission import read_submission, submission_arrays

PROJECT = Path(__file__).resolve().parents[1]
HERE = "here"
"""The working tree, beside commits."""
DRAWS = 4
"""Answers drawn from the bound for every planet."""
CADENCE = ("simulation.airs_average=50", "simulation.fgs1_average=200")


@dataclass(frozen=True)
class Case:
    """One world to judge in.

    Attributes:
        seed: of the world.
        asked: kinds taken instead of those drawn, as ``simulation.families`` has them.
        n_train: planets to learn from.
        n_test: planets to answer.
    """

    seed: int
    asked: tuple[str, ...]
    n_train: int
    n_test: int

    @property
    def name(self) -> str:
        """For folders, tables and keys."""
        return "_".join([str(self.seed), *(item.partition("=")[2] for item in self.asked)])

    @property
    def world(self) -> World:
        """What was drawn."""
        return draw_world(self.seed, self.asked)

    def config(self, workers: int) -> Config:
        """Return the configuration that simulates it."""
        families = f"simulation.families=[{','.join(repr(item) for item in self.asked)}]"
        return load_config(["simulation=random_world", *CADENCE, families, f"workers={workers}"])


@dataclass(frozen=True)
class Version:
    """What is judged.

    Attributes:
        commit: its name as it was given, or ``here``.
        tree: folder of its sources.
        model: one of the product's models.
    """

    commit: str
    tree: Path
    model: str

    @property
    def name(self) -> str:
        """For tables and keys."""
        return self.commit if self.model == "none" else f"{self.commit} {self.model}"


@dataclass(frozen=True)
class Answers:
    """Answers to the same planets, perhaps several times: truth, mean, sigma (n, 283); naive mean and spread."""

    truth: np.ndarray
    mean: np.ndarray
    sigma: np.ndarray
    naive: tuple[float, float]

    @property
    def by_planet(self) -> np.ndarray:
        """What each answer adds to the 2025 score, (n,)."""
        return planet_scores(self.truth, self.mean, self.sigma, self.naive)

    def figures(self) -> dict[str, float]:
        """Return score and mean z^2 of both channels."""
        z2 = ((self.mean - self.truth) / self.sigma) ** 2
        score = float(np.clip(self.by_planet.mean(), 0.0, 1.0))
        return {"score": score, "z2_fgs1": float(z2[:, 0].mean()), "z2_airs": float(z2[:, 1:].mean())}


def main() -> None:
    """Judge, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=10, help="number of worlds, seeds 0, 1, ...")
    parser.add_argument("--seeds", type=int, nargs="+", help="seeds of the worlds")
    parser.add_argument("--train", type=int, default=60)
    parser.add_argument("--test", type=int, default=30)
    parser.add_argument("--family", choices=sorted(FAMILIES), help="a world of every kind of this family for each seed")
    parser.add_argument("--kinds", nargs="*", default=[], help="kinds taken for those drawn: noise=none drift=...")
    parser.add_argument("--commit", action="append", help=f"judge this commit ({HERE!r}: this tree); may be repeated")
    parser.add_argument("--model", action="append", help="judge this model (a file of conf/model); may be repeated")
    parser.add_argument("--folder", type=Path, default=Path("worlds"), help="where worlds and runs are kept")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 is one per core")
    parser.add_argument("--overrides", nargs="*", default=[], help="configuration overrides of the product")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    of_family = [(f"{options.family}={kind}",) for kind in FAMILIES[options.family]] if options.family else [()]
    kinds = [(*options.kinds, *each) for each in of_family]
    seeds = options.seeds or range(options.worlds)
    cases = [Case(seed, asked, options.train, options.test) for seed in seeds for asked in kinds]
    versions = [
        Version(commit, source_tree(commit, options.folder), model)
        for commit in options.commit or [HERE]
        for model in options.model or ["none"]
    ]
    rows, answers = {}, {version.name: {} for version in versions}
    for case in cases:
        started, folder = time.perf_counter(), options.folder.resolve() / case.name
        simulated(case, folder, options.workers)
        bound = bound_figures(case, folder)
        for version in versions:
            answers[version.name][case.name] = answered(folder, version, options.overrides, options.workers)
        found = answers[versions[0].name][case.name].figures()
        rows[case.name] = found | {f"bound_{k}": v for k, v in bound.items()} | {"kinds": case.world.kinds}
        rows[case.name]["distance"] = bound["score"] - found["score"]
        print(line(case.name, rows[case.name]), f"{time.perf_counter() - started:6.0f} s", flush=True)
    facts: dict = summary(rows)
    print(f"distance to the bound: median {facts['median_distance']:.3f}, worst {facts['worst_distance']:.3f}")
    if options.family:
        facts["left_out"] = left_out(cases, rows)
        print(as_text_left_out(options.family, facts["left_out"]))
    if len(versions) > 1:
        first, *others = answers
        facts["differences"] = {other: differences(answers[first], answers[other]) for other in others}
        print(as_text_differences(first, facts["differences"]))
    if options.json:
        about = {"train": options.train, "test": options.test, "versions": list(answers), "family": options.family}
        options.json.write_text(json.dumps(about | facts | {"worlds": rows}, indent=1) + "\n")


def source_tree(commit: str, folder: Path) -> Path:
    """Return the folder of a commit's sources, written beside the worlds; this tree for ``here``."""
    if commit == HERE:
        return PROJECT
    full = subprocess.check_output(["git", "-C", str(PROJECT), "rev-parse", f"{commit}^{{commit}}"], text=True).strip()
    tree = folder.resolve() / "commits" / full
    if not tree.is_dir():
        # An archive and not a worktree: it leaves nothing behind in the repository.
        archive = subprocess.check_output(["git", "-C", str(PROJECT), "archive", "--format=tar", full])
        with replacing(tree) as temporary, tarfile.open(fileobj=io.BytesIO(archive)) as members:
            members.extractall(temporary, filter="data")
    return tree


def simulated(case: Case, folder: Path, workers: int) -> None:
    """Simulate a world's competition folder, unless it lies there from the same sources."""
    key = [sources_hash(), case.n_train, case.n_test, list(CADENCE)]
    if read_json(folder / "simulated.json") == key:
        return
    config = case.config(workers)
    with tqdm(total=case.n_train + case.n_test, desc=f"world {case.name}", disable=None) as bar:
        simulate_world(
            folder / "data",
            case.n_train,
            case.n_test,
            config.simulation,
            seed=case.seed,
            workers=config.workers,
            progress=bar.update,
        )
    write_json(folder / "simulated.json", key)


def bound_figures(case: Case, folder: Path) -> dict[str, float]:
    """Return the figures of answers drawn from the world's bound to its test planets."""
    key = [sources_hash(), hashlib.sha256(Path(__file__).with_name("world_bound.py").read_bytes()).hexdigest()]
    key += [case.n_train, case.n_test, DRAWS]
    stored = read_json(folder / "bound.json")
    if stored and stored["key"] == key:
        return stored["figures"]
    world, config = case.world, case.config(1)
    with threadpool_limits(1):
        bound, rng = WorldBound(world), np.random.default_rng(case.seed)
        planets = draw_planets(world, case.n_train, case.n_test)["test"]
        truth, mean, sigma = [], [], []
        for index, planet in enumerate(tqdm(planets, f"bound {case.name}", disable=None)):
            n_visit = number_of_visits(world, "test", index, config.simulation.two_visit_fraction)
            visits = [draw_visit(world, planet, visit_stream(world, "test", index, visit)) for visit in range(n_visit)]
            m, s = bound.answers(planet, visits, DRAWS, rng)
            truth += [planet.label()] * DRAWS
            mean += list(m)
            sigma += list(s)
    figures = Answers(np.array(truth), np.array(mean), np.array(sigma), naive_of(folder)).figures()
    write_json(folder / "bound.json", {"key": key, "figures": figures})
    return figures


def answered(folder: Path, version: Version, overrides: Sequence[str], workers: int) -> Answers:
    """Train, and answer the world's test planets, with a version of the product, in processes of its own."""
    # Models of a commit share a work folder, and with it the fits.
    run = "_".join([version.tree.name if version.commit != HERE else HERE, *overrides]).replace("/", "-")
    work, data = folder / run, folder / "data"
    work.mkdir(exist_ok=True)
    options = ["--data", str(data), "--work", str(work), f"model={version.model}", f"workers={workers}", *overrides]
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with (work / "log.txt").open("w") as log:
        environment = os.environ | single | {"PYTHONPATH": str(version.tree)}
        for verb in ("train", "submit"):  # a model that lies there may be another version's
            command = [sys.executable, "-m", "spectramind_kit", verb, *options]
            subprocess.run(command, cwd=version.tree, env=environment, stdout=log, stderr=log, check=True)
    ids, mean, sigma = submission_arrays(read_submission(work / "submission.csv"))
    known_ids, known = read_spectra(data / "truth" / "test.csv")
    truth = dict(zip(known_ids.tolist(), known))
    return Answers(np.array([truth[int(i)] for i in ids]), mean, sigma, naive_of(folder))


def naive_of(folder: Path) -> tuple[float, float]:
    """Return mean and spread of the training labels: the naive answer."""
    labels = read_spectra(folder / "data" / "train.csv")[1]
    return float(labels.mean()), float(labels.std())


def summary(rows: dict[str, dict]) -> dict[str, float]:
    """Return the figures under the keys that other programs read."""
    facts = {}
    for name, row in rows.items():
        facts |= {f"world_{name}_score": row["score"], f"world_{name}_bound": row["bound_score"]}
        facts |= {f"world_{name}_z2_fgs1": row["z2_fgs1"], f"world_{name}_z2_airs": row["z2_airs"]}
    distance = [row["distance"] for row in rows.values()]
    return facts | {"median_distance": float(np.median(distance)), "worst_distance": float(max(distance))}


def left_out(cases: Sequence[Case], rows: dict[str, dict]) -> dict[str, dict[str, float]]:
    """Return, for each kind of a family, the distance to the bound there and over the other kinds of the same seeds.

    A prior designed on the others is judged on the kind left out: its excess is what it costs to be surprised.
    """
    kinds, distance = sorted({case.asked[-1].partition("=")[2] for case in cases}), {}
    for kind in kinds:
        names = [case.name for case in cases if case.asked[-1].endswith(f"={kind}")]
        distance[kind] = np.array([rows[name]["distance"] for name in names])
    result = {}
    for kind in kinds:
        others = np.mean([distance[other] for other in kinds if other != kind], axis=0)
        excess = distance[kind] - others
        error = float(excess.std(ddof=1) / np.sqrt(len(excess))) if len(excess) > 1 else float("nan")
        result[kind] = {"distance": float(distance[kind].mean()), "others": float(others.mean())}
        result[kind] |= {"excess": float(excess.mean()), "error": error}
    return result


def differences(before: dict[str, Answers], after: dict[str, Answers]) -> dict[str, dict[str, float]]:
    """Return the gain in score of one version over another in each world, paired by planet, and over worlds."""
    result, means = {}, []
    for name in before:
        gain = after[name].by_planet - before[name].by_planet
        means.append(gain.mean())
        result[name] = {"gain": float(gain.mean()), "error": float(gain.std(ddof=1) / np.sqrt(len(gain)))}
    spread = np.std(means, ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.nan
    return result | {"all worlds": {"gain": float(np.mean(means)), "error": float(spread)}}


def line(name: str, row: dict) -> str:
    """Return a row of the table."""
    kinds = " ".join(row["kinds"].values())
    return (
        f"world {name:<16} score {row['score']:.3f}  bound {row['bound_score']:.3f}  "
        f"z2 FGS1 {row['z2_fgs1']:6.2f}  AIRS {row['z2_airs']:6.2f}  "
        f"(bound's {row['bound_z2_fgs1']:.2f}, {row['bound_z2_airs']:.2f})  {kinds}"
    )


def as_text_left_out(family: str, table: dict[str, dict[str, float]]) -> str:
    """Return the table of a family as lines."""
    lines = [f"{family:<16} distance   others   excess"]
    lines += [
        f"{kind:<16} {row['distance']:8.3f} {row['others']:8.3f} {row['excess']:8.3f} +- {row['error']:.3f}"
        for kind, row in table.items()
    ]
    return "\n".join(lines)


def as_text_differences(first: str, table: dict[str, dict[str, dict[str, float]]]) -> str:
    """Return the differences of every commit to the first as lines."""
    lines = []
    for commit, rows in table.items():
        lines.append(f"score of {commit} minus {first}")
        lines += [f"  {name:<18} {row['gain']:+.4f} +- {row['error']:.4f}" for name, row in rows.items()]
    return "\n".join(lines)


def sources_hash() -> str:
    """Return the hash of what makes a random world and its files."""
    package = PROJECT / "spectramind_kit"
    files = sorted([*(package / "random_world").glob("*.py"), *(package / "simulation").glob("*.py")])
    digest = hashlib.sha256()
    for path in [*files, package / "instruments.py"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def read_json(path: Path):
    """Return what a file holds, None where there is none."""
    return json.loads(path.read_text()) if path.is_file() else None


def write_json(path: Path, value: object) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value) + "\n")


if __name__ == "__main__":
    main()
