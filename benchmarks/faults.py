"""Damage of every kind, through `submit`: is the file whole, is no wrong answer sharp, are neighbours as before?

Planets of a simulated folder are damaged in their files, each in its own way and all in one folder, beside planets that
are left alone. A line a kind: the rung that answered, the worst error in sigmas, the width of sigma against the
population's. At the end how many files were lost, how many answers are beyond 6 sigma without a flag, and whether the
planets that were left alone have the same bits as without the damage.

    python benchmarks/faults.py [--train 24] [--seed 0] [--folder FOLDER] [--json FILE] [--only WORD ...]
    python benchmarks/faults.py --tables         damage to the tables of the folder: text, blank lines, bytes, no file
    python benchmarks/faults.py --kills 50       kill parent, worker, or all at random moments, then go on
    python benchmarks/faults.py --unreadable     files and folders without permission, the model's and work folder's too
    python benchmarks/faults.py --failing-calls  fail the n-th open, write, list, spawn, ... of `submit`, for every n
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from damaged_files import FAULTS, Fault
from damaged_tables import TABLES, faults_of
from failing_calls import FAILING, failing_call
from unreadable_files import UNREADABLE, Place, locked, restart_without_reading_all

from spectramind_kit import runs
from spectramind_kit.competition.folder import open_competition, read_spectra
from spectramind_kit.config import Config, load_config
from spectramind_kit.errors import SpectraMindError, describe
from spectramind_kit.prediction.submission_summary import SubmissionSummary
from spectramind_kit.simulation.simulated_folder import simulate_folder
from spectramind_kit.work_folder.submission import read_submission, submission_arrays, validate_submission

N_ALONE = 3
"""Planets that are left alone."""
N_KILLED = 11
"""Copies of a planet that a run is killed over."""
LIMIT = 6.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="keep what is made here, and use what lies here")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--only", nargs="*", help="kinds whose names hold one of these words")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--tables", action="store_true")
    parser.add_argument("--failing-calls", action="store_true")
    parser.add_argument(
        "--first-turn", type=int, default=1, help="call that fails first, to go on with --failing-calls"
    )
    parser.add_argument("--unreadable", action="store_true")
    options = parser.parse_args()
    if options.unreadable:
        restart_without_reading_all()
    overrides = ["simulation=small", "simulation.two_visit_fraction=0", "model=none"]
    config = load_config([*overrides, f"workers={options.workers}"])
    with tempfile.TemporaryDirectory() as scratch:
        ground = Ground(options.folder or Path(scratch), options.train, options.seed, config)
        if options.kills:
            figures = kills(ground, options.kills, np.random.default_rng(options.seed))
        elif options.tables:
            figures = tables(ground, options.seed, options.only or [""])
        elif options.unreadable:
            figures = unreadable(ground, options.only or [""])
        elif options.failing_calls:
            figures = failing_calls(ground, options.only or [""], options.first_turn)
        else:
            faults = [f for f in FAULTS if not options.only or any(word in f.name for word in options.only)]
            figures = damages(ground, faults, options.seed)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


class Ground:
    """A simulated folder, a model of it, and what it answers undamaged.

    Args:
        folder: where all of it lies.
        n_train: training planets.
        seed: of the planets.
        config: of the runs.
    """

    def __init__(self, folder: Path, n_train: int, seed: int, config: Config):
        self.folder, self.config = folder, config
        self.data, self.model = folder / "data", folder / "trained" / "model"
        if not (self.data / "simulation.json").is_file():
            simulate_folder(self.data, n_train, N_ALONE + 2, config.simulation, seed=seed)
        if not (self.model / "model.json").is_file():
            runs.train(self.data, folder / "trained", config)
        ids, spectra = read_spectra(self.data / "truth" / "test.csv")
        self.truth = dict(zip(ids.tolist(), spectra))
        self.planets = sorted(self.truth)
        self.spread = float(np.median(read_spectra(self.data / "train.csv")[1].std(axis=0)))

    def copy(self, name: str) -> Path:
        """Return a fresh copy of the data, whose files are links until they are replaced."""
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        skip = shutil.ignore_patterns("train")
        shutil.copytree(self.data, place / "data", copy_function=os.link, ignore=skip)
        return place / "data"

    def submit(self, data: Path, config: Config | None = None) -> SubmissionSummary:
        """Answer a folder."""
        return runs.submit(data, data.parent / "work", config or self.config, model=self.model)


def damages(ground: Ground, faults: list[Fault], seed: int) -> dict[str, object]:
    """Damage one copy of a planet in each way; print and return what became of them."""
    data, (victim, other, *alone) = ground.copy("damaged"), ground.planets
    ids = {900_000 + i: fault for i, fault in enumerate(faults)}
    for planet, fault in ids.items():
        folder = data / "test" / str(planet)
        shutil.copytree(data / "test" / str(victim), folder, copy_function=os.link)
        fault.damage(folder, data / "test" / str(other), np.random.default_rng((seed, planet)))
    name_rows(data, {**dict.fromkeys(ids, victim), **{planet: planet for planet in alone}})
    summary = ground.submit(data)
    validate_submission(read_submission(summary.path), open_competition(data).sample_submission())
    rows, truth = {}, ground.truth[victim]
    table = {row["planet_id"]: row for row in summary.table().iter_rows(named=True)}
    for spectrum in summary.spectra:
        if spectrum.planet_id in ids:
            row = table[spectrum.planet_id]
            rows[ids[spectrum.planet_id].name] = {
                "rung": row["rung"],
                "z": float(np.abs((spectrum.mean - truth) / spectrum.sigma).max()),
                "width": float(np.median(spectrum.sigma)) / ground.spread,
                "flagged": bool(row["remark"]),
                "remark": row["remark"][:90],
            }
    unflagged = [name for name, row in rows.items() if row["z"] > LIMIT and not row["flagged"]]
    beyond = [name for name, row in rows.items() if row["z"] > LIMIT]
    same = alone_are_the_same(ground, summary, alone)
    for name, row in rows.items():
        print(f"{name:<44}{row['rung']:<12}{row['z']:>8.1f}{row['width']:>8.3f}  {row['remark']}")
    print(f"{len(rows)} kinds; lost files 0; beyond {LIMIT:g} sigma {len(beyond)}: {beyond}")
    print(f"beyond {LIMIT:g} sigma without a flag {len(unflagged)}: {unflagged}; neighbours bit-identical: {same}")
    return {"kinds": rows, "unflagged": unflagged, "beyond": beyond, "same": same}


def name_rows(data: Path, like: dict[int, int]) -> None:
    """Let sample and star table have a row for each planet, as that of another one."""
    for name in ("sample_submission.csv", "test_star_info.csv"):
        table = pl.read_csv(data / name).with_columns(pl.col("planet_id").cast(pl.Int64))
        row_of = {old: table.filter(pl.col("planet_id") == old) for old in like.values()}
        rows = [row_of[old].with_columns(planet_id=pl.lit(new, pl.Int64)) for new, old in like.items()]
        (data / name).unlink()
        pl.concat(rows).write_csv(data / name)


def alone_are_the_same(ground: Ground, summary: SubmissionSummary, alone: list[int]) -> bool:
    """Whether planets that were left alone have the bits that they have in an undamaged folder."""
    clean = {s.planet_id: s for s in ground.submit(ground.copy("clean")).spectra}
    ours = {s.planet_id: s for s in summary.spectra}
    return all(
        np.array_equal(getattr(ours[planet], part), getattr(clean[planet], part))
        for planet in alone
        for part in ("mean", "sigma")
    )


def tables(ground: Ground, seed: int, only: list[str]) -> dict[str, object]:
    """Damage each table in each way; print and return which files were lost, and which answers changed for nothing."""
    clean = {s.planet_id: s for s in ground.submit(ground.copy("clean")).spectra}
    rows: dict[str, dict[str, object]] = {}
    for table in TABLES:
        for place, fault in enumerate(faults_of(table)):
            name = f"{table}: {fault.name}"
            if not any(word in name for word in only):
                continue
            data = ground.copy("tables")
            for part in ("light_curves", "fits"):
                shutil.copytree(ground.folder / "clean" / "work" / part, data.parent / "work" / part)
            fault.damage(data / table, np.random.default_rng((seed, place)))
            try:
                summary = ground.submit(data)
                got = submission_arrays(read_submission(data.parent / "work" / "submission.csv"))[0]
                lost = "" if sorted(got.tolist()) == ground.planets else f"rows {got.tolist()}"
                same = all(np.array_equal(s.mean, clean[s.planet_id].mean) for s in summary.spectra)
                rows[name] = {"lost": lost, "same": same, "wanted": fault.harmless, "rungs": summary.rungs}
            except Exception as error:
                rows[name] = {"lost": describe(error), "same": False, "wanted": fault.harmless, "rungs": {}}
            print(f"{name:<56}{rows[name]['rungs']!s:<24}{'as before' if rows[name]['same'] else '':<10}", end="")
            print(rows[name]["lost"] or "", flush=True)
    lost = [name for name, row in rows.items() if row["lost"]]
    changed = [name for name, row in rows.items() if row["wanted"] and not row["same"]]
    print(
        f"{len(rows)} kinds; files lost {len(lost)}: {lost}; answers that changed for nothing {len(changed)}: {changed}"
    )
    return {"kinds": rows, "lost": lost, "changed": changed}


def kills(ground: Ground, n: int, rng: np.random.Generator) -> dict[str, object]:
    """Kill a process at a random moment, again and again in one work folder; nothing finished is made a second time."""
    data, (victim, *_) = ground.copy("killed"), ground.planets
    like = {
        **{planet: planet for planet in ground.planets},
        **dict.fromkeys(range(900_000, 900_000 + N_KILLED), victim),
    }
    for planet in like.keys() - set(ground.planets):
        shutil.copytree(data / "test" / str(victim), data / "test" / str(planet), copy_function=os.link)
    name_rows(data, like)
    work, invalid, remade, before, ends = data.parent / "work", 0, 0, dict[Path, int](), Counter[str]()
    sample = open_competition(data).sample_submission()
    command = [sys.executable, "-m", "spectramind_kit", "submit", "--data", str(data), "--work", str(work)]
    command += ["--model", str(ground.model), "model=none", "workers=2"]
    for i in range(n):
        if i % 5 == 0:  # else everything is done after the first one that went through
            shutil.rmtree(work, ignore_errors=True)
            before = {}
        ended = killed_run(command, work, int(rng.integers(len(before), 2 * len(like) + 1)), rng)
        after = products_of(work)
        remade += sum(after.get(path, 0) != mtime for path, mtime in before.items())
        ends[
            f"{ended}, {'none' if not after else 'some' if len(after) < 2 * len(like) else 'all'} of the products"
        ] += 1
        before = after
        if (work / "submission.csv").is_file():
            try:
                validate_submission(read_submission(work / "submission.csv"), sample)
            except SpectraMindError:
                invalid += 1
        print(f"kill {i + 1}: {ended}; {len(after)} products, {invalid} invalid files, {remade} made again", flush=True)
    last = submission_arrays(read_submission(ground.submit(data).path))
    shutil.rmtree(work)
    clean = submission_arrays(read_submission(ground.submit(data).path))
    same = all(np.array_equal(ours, theirs) for ours, theirs in zip(last, clean))
    print(
        f"{n} kills: {invalid} invalid files, {remade} finished products made again, the same answers at last: {same}"
    )
    return {"kills": n, "invalid": invalid, "remade": remade, "same": same, "ends": dict(ends)}


def products_of(work: Path) -> dict[Path, int]:
    """Return the stored products of planets, and when each was written [ns]."""
    return {path: path.stat().st_mtime_ns for path in work.rglob("[0-9]*.npz")}


def killed_run(command: list[str], work: Path, products: int, rng: np.random.Generator) -> str:
    """Start a run and kill parent, worker, or all of it; return what was done.

    Args:
        command: of the run.
        work: where it writes.
        products: the kill comes once its file and so many products are there, and a moment later.
        rng: draws the moment, and who is killed.
    """
    begun, file = time.time(), work / "submission.csv"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as run:
        while run.poll() is None and not (file.is_file() and file.stat().st_mtime > begun):
            time.sleep(0.05)
        while run.poll() is None and len(products_of(work)) < products:
            time.sleep(0.05)
        time.sleep(rng.uniform(0.0, 1.0))
        whom = str(rng.choice(["parent", "worker", "all"]))
        workers = list(children_of(run.pid)) if run.poll() is None else []
        if run.poll() is not None:
            return f"ended by itself with {run.returncode}"
        if whom == "worker" and workers:
            os.kill(int(rng.choice(workers)), signal.SIGKILL)
            return f"a worker; ended with {run.wait(timeout=600)}"
        (os.killpg if whom == "all" else os.kill)(run.pid, signal.SIGKILL)
        run.wait()
        end = time.monotonic() + 10
        while (left := [pid for pid in workers if Path(f"/proc/{pid}").exists()]) and time.monotonic() < end:
            time.sleep(0.1)
        return f"{whom}; {len(left)} workers left behind"


def children_of(pid: int) -> Iterator[int]:
    """Yield the processes that a process has started, from any of its threads."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, task.read_text().split())


def failing_calls(ground: Ground, only: list[str], first: int = 1) -> dict[str, object]:
    """Let the n-th call of each kind fail, for every n from the first on; print and return what came of it.

    Half of the planets have their products stored, so that both reading and making them meet failures. All is done in
    this process; where processes are started, in those of it.
    """
    clean = ground.submit(ground.copy("clean"))
    rows: dict[str, dict[str, object]] = {}
    for kind in (kind for kind in FAILING if any(word in kind for word in only)):
        config = replace(ground.config, workers=2 if kind == "spawn" else 1)
        n, ends, failed = first - 1, {"lost": [], "raised": [], "refused": [], "silent": []}, True
        while failed:
            n += 1
            data = ground.copy("failing")
            for product in (ground.folder / "clean" / "work").glob("*/test/*.npz"):
                if int(product.name.split("_")[0]) in ground.planets[1:]:
                    copy = data.parent / "work" / product.relative_to(ground.folder / "clean" / "work")
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(product, copy)
            with failing_call(kind, n) as call:
                summary, error = attempted(ground.submit, data, config)
            failed = call.failed
            end = failed and end_of(summary, error, data, clean)
            if end:
                ends[end].append(n)
                print(f"  {kind} {n}: {end}: {'' if error is None else describe(error)[:150]}", flush=True)
        rows[kind] = {"calls": n - first, **ends}
        counts = {end: len(turns) for end, turns in ends.items()}
        print(f"{kind}: {n - first} calls failed in turn, {counts}", flush=True)
    return rows


def unreadable(ground: Ground, only: list[str]) -> dict[str, object]:
    """Take the permission from files and folders, each in its turn; print and return what came of it."""
    clean = ground.submit(ground.copy("clean"))
    rows: dict[str, dict[str, object]] = {}
    for name in (name for name in UNREADABLE if any(word in name for word in only)):
        data = ground.copy("unreadable")
        work, model = data.parent / "work", data.parent / "model"
        shutil.copytree(ground.folder / "clean" / "work", work)
        shutil.copytree(ground.model, model)
        with locked(UNREADABLE[name](Place(data, work, model, ground.planets[0]))):
            summary, error = attempted(lambda d, c, m=model, w=work: runs.submit(d, w, c, model=m), data, ground.config)
        end = end_of(summary, error, data, clean)
        rows[name] = {"end": end, "rungs": summary.rungs if summary else {}}
        reasons = [] if summary is None else [*summary.losses, *summary.fallbacks.values(), *summary.remarks.values()]
        why = describe(error) if error else (reasons or [""])[0]
        print(f"{name:<36}{end:<10}{rows[name]['rungs']!s:<36}{why[:110]}", flush=True)
    wrong = [name for name, row in rows.items() if row["end"]]
    print(f"{len(rows)} kinds; ended otherwise than with a valid file and words: {wrong}")
    return {"kinds": rows, "wrong": wrong}


def attempted(
    submit: Callable[[Path, Config], SubmissionSummary], data: Path, config: Config
) -> tuple[SubmissionSummary | None, Exception | None]:
    """Return what a run wrote, or why it ended with an error."""
    try:
        return submit(data, config), None
    except Exception as error:
        return None, error


def end_of(summary: SubmissionSummary | None, error: Exception | None, data: Path, clean: SubmissionSummary) -> str:
    """Return what is wrong with the end of a run; "" where a valid file and no error is left.

    "refused" is no fault: in words, before any work was done. "raised" leaves a valid file, but ends a notebook;
    "silent" is an answer that is another one and does not say so.
    """
    path = data.parent / "work" / "submission.csv"
    if isinstance(error, SpectraMindError) and "work folder" in str(error) and not path.is_file():
        return "refused"
    try:  # a sample that cannot be read has no order
        table = read_submission(path).sort("planet_id")
        validate_submission(table, open_competition(data).sample_submission().sort("planet_id"))
    except SpectraMindError:
        return "lost"
    if summary is None:
        return "raised"
    before = {spectrum.planet_id: spectrum for spectrum in clean.spectra}
    changed = [s for s in summary.spectra if not np.array_equal(s.mean, before[s.planet_id].mean)]
    known = summary.losses or all(s.problems or s.flags.keys() - before[s.planet_id].flags.keys() for s in changed)
    return "" if known else "silent"


if __name__ == "__main__":
    main()
