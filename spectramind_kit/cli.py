"""The ``spectramind`` command: parse, compose the configuration, call one function of the library.

Exit status: 0 when the job was done, 2 on wrong usage, 1 otherwise with one message (``--debug``: the traceback).
Heavy modules are imported by the command that needs them, so that ``--help`` answers at once.
"""

import contextlib
import dataclasses
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spectramind_kit import __version__
from spectramind_kit.errors import ConfigurationError, SpectraMindError
from spectramind_kit.kaggle.remote import commands as kaggle_commands
from spectramind_kit.kaggle.remote import competition_commands

if TYPE_CHECKING:
    from spectramind_kit.config import Config

logger = logging.getLogger(__name__)

app = typer.Typer(
    help="From raw Ariel detector cubes to a submission: simulate, calibrate, train, predict, submit, diagnose.",
    epilog="Every command takes configuration overrides such as fit.drift_order=4 after its options; "
    "--debug shows tracebacks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(kaggle_commands.dataset, name="dataset")
app.add_typer(kaggle_commands.kernel, name="kernel")
app.add_typer(competition_commands.competition, name="competition")
app.command()(competition_commands.download)

Data = Annotated[Path, typer.Option("--data", help="Competition folder (2024 or 2025 layout).")]
Work = Annotated[Path, typer.Option("--work", help="Folder for everything that is made; reused when it exists.")]
ModelFolder = Annotated[Path | None, typer.Option("--model", help="Folder of a trained model; default WORK/model.")]
Truth = Annotated[Path | None, typer.Option(help="True spectra of the test split, if known.")]
Overrides = Annotated[list[str] | None, typer.Argument(help="Configuration overrides: group.key=value ...")]


class Split(StrEnum):
    """Halves of the competition."""

    train = "train"
    test = "test"


class Frames(StrEnum):
    """Sizes of a simulated visit."""

    small = "small"
    full = "full"


class MetricEdition(StrEnum):
    """Years of the competition."""

    e2025 = "2025"
    e2024 = "2024"


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="Folder to write the competition into.")],
    train: Annotated[int, typer.Option(min=0, help="Training planets.")] = 24,
    test: Annotated[int, typer.Option(min=0, help="Test planets; their truth goes to OUT/truth/test.csv.")] = 8,
    frames: Annotated[Frames, typer.Option(help="small: stored frames are means of many; full: the real size.")] = (
        Frames.small
    ),
    seed: Annotated[int | None, typer.Option(help="Seed; the configuration's if not given.")] = None,
    edition: Annotated[MetricEdition, typer.Option(help="Layout of the folder.")] = MetricEdition.e2025,
    overrides: Overrides = None,
) -> None:
    """Write a simulated competition folder."""
    from spectramind_kit.environment import available_cores
    from spectramind_kit.execution.processes import Progress

    config = _config([*_frame_overrides(frames, overrides or []), *(overrides or [])])
    if config.simulation.physics == "random_world":
        from spectramind_kit.random_world.world_folder import simulate_world as simulated
    else:
        from spectramind_kit.simulation.simulated_folder import simulate_folder as simulated

    with Progress("simulate", train + test) as progress:
        simulated(
            out,
            train,
            test,
            config.simulation,
            seed=config.seed if seed is None else seed,
            edition=edition.value,
            workers=config.workers or available_cores(),
            progress=lambda planet: progress.step(),
        )
    typer.echo(f"{train} training and {test} test planets in {out}")


@app.command()
def calibrate(data: Data, work: Work, split: Split = Split.train, overrides: Overrides = None) -> None:
    """Turn raw cubes into light curves, stored under WORK/light_curves.

    Planets run side by side in processes: workers=N, by default one per core.
    A process needs at most 1 GB for full-size planets, so N bounds the memory;
    by default no more are started than the free memory allows.
    executor=dask scheduler=tcp://HOST:PORT uses a cluster instead.
    An interrupted run goes on where it stopped.
    """
    from spectramind_kit import runs

    problems = runs.calibrate(data, work, split.value, _config(overrides))
    for planet, problem in problems.items():
        typer.echo(f"planet {planet}: {problem}")
    _warn_of_missing_tables(data)
    if problems:
        raise SpectraMindError(f"{len(problems)} planets of split {split.value} have visits without light curves")
    typer.echo(f"light curves in {work / 'light_curves' / split.value}")


@app.command()
def train(data: Data, work: Work, overrides: Overrides = None) -> None:
    """Learn population, sigma scale and network from the training planets; store WORK/model.

    model=auto takes the network that this machine and the number of planets bear, or none; model=v50 and
    v50_small are the network, model=none is the fit alone; three public baselines can be trained by their
    names. The network counts as far as held-out planets bear it out.
    An interrupted training goes on where it stopped; training.hours=H ends it in time.
    """
    from spectramind_kit import runs
    from spectramind_kit.instruments import CHANNELS

    model = runs.train(data, work, _config(overrides))
    typer.echo(
        f"{len(model.training_set.planet_ids)} labels, {model.n_measured} planets fitted, sigma scale "
        f"{model.sigma_scale[0]:.3f} (FGS1) {model.sigma_scale[1]:.3f} (AIRS-CH0)"
    )
    if model.kind != "none":
        weight = model.calibration.blending_weight
        weights = " ".join(f"{100 * each:.0f} % ({name})" for name, each in zip(CHANNELS, weight))
        typer.echo(f"{model.kind} beside the fit, whose score alone is {model.fit_score:.4f}: its weight {weights}")
    typer.echo(f"out-of-fold score {model.score:.4f}")


@app.command()
def fit(
    planet: Annotated[int, typer.Argument(help="Planet to fit.")],
    data: Data,
    work: Work,
    split: Split = Split.test,
    plot: Annotated[Path | None, typer.Option(help="Picture to write; a second visit adds _1 to its name.")] = None,
    overrides: Overrides = None,
) -> None:
    """Fit one planet's transits and show depths, orbit and flags; --plot draws light curves, spectrum and corner."""
    from spectramind_kit.competition.folder import open_competition
    from spectramind_kit.diagnostics.fit_page import describe_fit, plot_fit_page
    from spectramind_kit.prediction.measure import PlanetTask

    task = PlanetTask(data, work, split.value, _config(overrides))
    for place, observation in enumerate(open_competition(data).observations(split.value, planet)):
        found = task.visit(observation).fit
        typer.echo(describe_fit(found))
        if plot is not None:
            path = plot.with_stem(f"{plot.stem}_{place}") if place else plot
            plot_fit_page(found).savefig(path, dpi=130)
            typer.echo(str(path))


@app.command()
def predict(
    data: Data, work: Work, split: Split = Split.test, model: ModelFolder = None, overrides: Overrides = None
) -> None:
    """Predict spectra into WORK/predictions; training planets are predicted out of fold."""
    from spectramind_kit import runs

    typer.echo(str(runs.predict(data, work, split.value, _config(overrides), model=model)))


@app.command()
def submit(
    data: Data,
    work: Work,
    model: ModelFolder = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 if a planet fell back to the population, or the model is not used.")
    ] = False,
    overrides: Overrides = None,
) -> None:
    """Write and validate WORK/submission.csv and WORK/manifest.json; trains first where no model is."""
    from spectramind_kit import runs

    summary = runs.submit(data, work, _config(overrides), model=model)
    typer.echo(f"{summary.path}: {len(summary.spectra)} planets, valid, {summary.seconds_per_planet:.2f} s per planet")
    for loss in summary.losses:
        typer.echo(f"loss of all planets: {loss}")
    typer.echo(f"rungs: {', '.join(f'{rung} {n}' for rung, n in summary.rungs.items())}")
    for planet, remark in summary.remarks.items():
        typer.echo(f"remark: planet {planet}: {remark}")
    typer.echo(f"{len(summary.fallbacks)} planets fell back to the population")
    for planet, reason in summary.fallbacks.items():
        typer.echo(f"fallback: planet {planet}: {reason}")
    if strict and (summary.fallbacks or summary.losses):
        raise typer.Exit(1)


@app.command()
def score(
    truth: Annotated[Path, typer.Option(help="Table planet_id, wl_1 .. wl_283 of true spectra.")],
    submission: Annotated[Path, typer.Option(help="Submission to score.")],
    edition: Annotated[MetricEdition, typer.Option(help="Whose metric.")] = MetricEdition.e2025,
    naive: Annotated[
        Path | None,
        typer.Option(
            help="Spectra, such as train.csv, whose mean and spread are the score's zero point; if not given, the "
            "training labels of the folder whose truth/ holds --truth, else --truth itself."
        ),
    ] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Score a part: planets may be missing.")] = False,
    overrides: Overrides = None,
) -> None:
    """Score a submission against known spectra with the competition's metric, which no override changes."""
    from spectramind_kit import runs

    _config(overrides)
    typer.echo(f"score {runs.score_files(truth, submission, edition.value, naive, partial):.4f}")


@app.command()
def diagnose(
    data: Data,
    work: Work,
    truth: Truth = None,
    planet: Annotated[
        list[int] | None, typer.Option("--planet", help="Planet to show in depth; may be given several times.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option("--compare", help="Another run: its work folder, or the report.json of its report.")
    ] = None,
    share: Annotated[bool, typer.Option("--share", help="Leave out paths, names and secrets, for everybody.")] = False,
    overrides: Overrides = None,
) -> None:
    """Write WORK/report.html, which opens offline: score, sigmas, every planet, what to try next; and report.json."""
    config = _config(overrides)
    with _seconds_logged("writing the report"):
        from spectramind_kit.diagnostics.report import write_report
        from spectramind_kit.kaggle.session.sharing import cleaner, share_report

        clean = cleaner(config.kaggle.owner) if share else str
        path = write_report(data, work, config, truth, planets=planet or (), compare=compare, clean=clean)
        if share:
            share_report(path, path.parent, config.kaggle.owner)
    typer.echo(str(path))


@app.command()
def inspect(
    planet: Annotated[int, typer.Argument(help="Planet that was predicted.")],
    data: Data,
    work: Work,
    truth: Truth = None,
    overrides: Overrides = None,
) -> None:
    """Show one planet in the terminal: rung, flags, light curves, orbit beside the star table, spectrum, noise."""
    from rich.console import Console

    from spectramind_kit.diagnostics.terminal import inspected

    _config(overrides)
    Console().print(inspected(data, work, planet, truth))


@app.command("dry-run")
def dry_run(
    kernel: Annotated[Path, typer.Argument(help="Kernel folder, such as kernels/submit.")],
    data: Data,
    work: Work,
    dataset: Annotated[list[Path], typer.Option(help="Folder attached as a dataset; may be given several times.")],
    parameter: Annotated[list[str] | None, typer.Option("-p", help="NAME=VALUE of a notebook's parameter.")] = None,
    overrides: Overrides = None,
) -> None:
    """Rehearse a kernel as Kaggle would run it: fresh environment, read-only inputs, no network, a budget."""
    from spectramind_kit.kaggle.rehearsal.dry_run import dry_run_kernel
    from spectramind_kit.kaggle.rules.kernel import notebook_path
    from spectramind_kit.kaggle.rules.parameters import parse_parameters

    config = _config(overrides).kaggle
    parameters = parse_parameters(parameter or [], notebook_path(kernel))
    verdict = dry_run_kernel(kernel, data, dataset, work, config, parameters)
    typer.echo(verdict.table())
    if not verdict.passed:
        raise typer.Exit(1)


@app.command()
def selftest(overrides: Overrides = None) -> None:
    """Check environment and versions, and try a real operation of every component."""
    from spectramind_kit.selftest import run_selftest

    failed = False
    for check in run_selftest(_config(overrides)):
        failed |= not check.passed
        typer.echo(f"{'ok    ' if check.passed else 'FAILED'}  {check.name:<28} {check.detail}")
    if failed:
        raise typer.Exit(1)


@app.command()
def config(overrides: Overrides = None) -> None:
    """Print the composed configuration as JSON."""
    typer.echo(json.dumps(dataclasses.asdict(_config(overrides)), indent=2))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run the command line; ``--debug`` may stand anywhere."""
    _calm_threads()
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    # Before torch is loaded: threads that wait sleep instead of spinning, or training on a busy machine takes seven
    # times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for chatty in ("matplotlib", "PIL", "fontTools", "asyncio", "distributed", "numba", "papermill"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        app(arguments, prog_name="spectramind")
    except Exception as error:
        if debug:
            raise
        ours = isinstance(error, SpectraMindError)
        message = str(error) if ours else f"unexpected {type(error).__name__}: {error}; --debug shows where"
        typer.echo(f"spectramind: {message}", err=True)
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)


def _calm_threads() -> None:
    """Cap the threads of numeric libraries, which read these variables when they are loaded, so before any command.

    OpenMP's threads spin while they wait for each other: on busy cores that costs more than the work itself.
    """
    from spectramind_kit.environment import available_cores

    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OMP_NUM_THREADS", str(available_cores()))


@contextlib.contextmanager
def _seconds_logged(doing: str, every: float = 8.0) -> Iterator[None]:
    """Log what is being done, and again every few seconds: for work that cannot count how far it is."""
    done, started = threading.Event(), time.monotonic()

    def say() -> None:
        while not done.wait(every):
            logger.info("%s: %.0f s so far", doing, time.monotonic() - started)

    logger.info("%s", doing)
    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _config(overrides: list[str] | None) -> "Config":
    from spectramind_kit.config import load_config  # here: Hydra and pydantic take as long as all the rest

    return load_config(overrides or [])


def _frame_overrides(frames: Frames, overrides: list[str]) -> list[str]:
    """Return what the size of frames means; a group of ``simulation`` that is chosen keeps its physics."""
    if not any(override.startswith("simulation=") for override in overrides):
        return [f"simulation={frames.value}"]
    return ["simulation.airs_average=1", "simulation.fgs1_average=1"] if frames == Frames.full else []


def _warn_of_missing_tables(data: Path) -> None:
    """Name the tables a later stage will want and this folder has not."""
    from spectramind_kit.competition.folder import open_competition

    for name in open_competition(data).missing_tables():
        typer.echo(f"note: {name} is not in {data}; calibration does not need it")
