"""The ``spectramind`` command: parse, compose the configuration, call one function of the library.

Exit status: 0 when the job was done, 2 on wrong usage, 1 otherwise with one message (``--debug``: the traceback).
Heavy modules are imported by the command that needs them, so that ``--help`` answers at once.
"""

import dataclasses
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from spectramind_kit import __version__
from spectramind_kit.commands import ablate, blend, configuration, diagnose, fit, new, pretrain, ranking, records
from spectramind_kit.commands.options import AsJson, Data, Overrides, Split, Work, answer, columns, composed
from spectramind_kit.commands.shell import (
    MULTIRUN,
    calm_threads,
    ends_with_a_word,
    gathered,
    listen,
    message_of,
)
from spectramind_kit.environment import provide_home
from spectramind_kit.errors import ConfigurationError, SpectraMindError
from spectramind_kit.kaggle.remote import commands as kaggle_commands
from spectramind_kit.kaggle.remote import competition_commands

app = typer.Typer(
    help="From raw Ariel detector cubes to a submission: simulate, calibrate, train, predict, submit, diagnose.",
    epilog="Every command takes configuration overrides such as fit.drift_order=4 after its options; "
    "--config, --multirun, -v, -q and --debug may stand anywhere.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.add_typer(kaggle_commands.dataset, name="dataset")
app.add_typer(kaggle_commands.kernel, name="kernel")
app.add_typer(competition_commands.competition, name="competition")
app.command()(competition_commands.download)
app.add_typer(configuration.config, name="config")
app.add_typer(records.runs, name="runs")
app.command()(ranking.leaderboard)
app.command()(ranking.folds)
app.command()(ablate.ablate)
app.command()(blend.blend)
app.add_typer(new.new, name="new")
app.command()(fit.fit)
app.command()(pretrain.pretrain)
app.command()(diagnose.diagnose)
app.command()(diagnose.inspect)

ModelFolder = Annotated[Path | None, typer.Option("--model", help="Folder of a trained model; default WORK/model.")]


class Frames(StrEnum):
    """Sizes of a simulated visit."""

    small = "small"
    full = "full"


class Image(StrEnum):
    """What a dry run's packages are."""

    linked = "linked"
    exact = "exact"


class MetricEdition(StrEnum):
    """Years of the competition."""

    e2025 = "2025"
    e2024 = "2024"


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def everywhere(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Log every detail.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Log warnings only, and show no progress.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Log every detail, and show where an error occurred.")] = False,
    config: Annotated[  # ``gathered`` makes an override of it, which is where it is read
        Path | None, typer.Option("--config", help="YAML of settings, or a run's folder; overrides count more.")
    ] = None,
    multirun: Annotated[  # read before the command is: ``commands/sweep.py``
        bool, typer.Option("--multirun", help="Run once for every combination of values: fit.drift_order=3,4.")
    ] = False,
) -> None:
    """Options that may stand anywhere."""
    listen(verbose=verbose or debug, quiet=quiet)


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
    as_json: AsJson = False,
    overrides: Overrides = None,
) -> None:
    """Write a simulated competition folder."""
    from spectramind_kit import runs

    config = composed([*_frame_overrides(frames, overrides or []), *(overrides or [])])
    runs.simulate(out, train, test, config, edition=edition.value, seed=seed)
    sentence = f"{train} training and {test} test planets in {out}"
    answer(as_json, {"folder": out, "train": train, "test": test}, [sentence])


@app.command()
def calibrate(
    data: Data, work: Work, split: Split = Split.train, as_json: AsJson = False, overrides: Overrides = None
) -> None:
    """Turn raw cubes into light curves, stored under WORK/light_curves.

    Planets run side by side in processes: workers=N, by default one per core.
    A process needs at most 1 GB for full-size planets, so N bounds the memory;
    by default no more are started than the free memory allows.
    executor=dask scheduler=tcp://HOST:PORT uses a cluster instead.
    An interrupted run goes on where it stopped.
    """
    from spectramind_kit import runs
    from spectramind_kit.competition.folder import open_competition
    from spectramind_kit.work_folder.layout import WorkFolder

    problems = runs.calibrate(data, work, split.value, composed(overrides))
    missing = open_competition(data).missing_tables()
    folder = WorkFolder(work).root / "light_curves" / split.value
    lines = [f"planet {planet}: {problem}" for planet, problem in problems.items()]
    # What a later stage will want, and this folder has not.
    lines += [f"note: {name} is not in {data}; calibration does not need it" for name in missing]
    lines += [] if problems else [f"light curves in {folder}"]
    answer(as_json, {"folder": folder, "problems": problems, "missing_tables": missing}, lines)
    if problems:
        raise SpectraMindError(f"{len(problems)} planets of split {split.value} have visits without light curves")


@app.command()
def train(data: Data, work: Work, as_json: AsJson = False, overrides: Overrides = None) -> None:
    """Learn population, sigma scale and network from the training planets; store WORK/model.

    model=auto takes the network that this machine and the number of planets bear, or none; model=v50 and
    v50_small are the network, model=none is the fit alone; three public baselines can be trained by their
    names. The network counts as far as held-out planets bear it out.
    An interrupted training goes on where it stopped; training.hours=H ends it in time.
    """
    from spectramind_kit import runs
    from spectramind_kit.instruments import CHANNELS

    model = runs.train(data, work, composed(overrides))
    scale, weight = model.sigma_scale, model.calibration.blending_weight
    lines = [
        f"{len(model.training_set.planet_ids)} labels, {model.n_measured} planets fitted, sigma scale "
        f"{scale[0]:.3f} (FGS1) {scale[1]:.3f} (AIRS-CH0)"
    ]
    if model.kind != "none":
        weights = " ".join(f"{100 * each:.0f} % ({name})" for name, each in zip(CHANNELS, weight))
        lines.append(f"{model.kind} beside the fit, whose score alone is {model.fit_score:.4f}: its weight {weights}")
    facts = {"labels": len(model.training_set.planet_ids), "planets": model.n_measured, "kind": model.kind}
    facts |= {"score": model.score, "score_of_the_fit": model.fit_score}
    facts |= {"sigma_scale": scale[:2].tolist(), "blending_weight": weight[:2].tolist()}
    answer(as_json, facts, [*lines, f"out-of-fold score {model.score:.4f}"])


@app.command()
def predict(
    data: Data,
    work: Work,
    split: Split = Split.test,
    model: ModelFolder = None,
    as_json: AsJson = False,
    overrides: Overrides = None,
) -> None:
    """Predict spectra into WORK/predictions; training planets are predicted out of fold."""
    from spectramind_kit import runs

    path = runs.predict(data, work, split.value, composed(overrides), model=model)
    answer(as_json, {"predictions": path}, [str(path)])


@app.command()
def submit(
    data: Data,
    work: Work,
    model: ModelFolder = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 if a planet fell back to the population, or the model is not used.")
    ] = False,
    as_json: AsJson = False,
    overrides: Overrides = None,
) -> None:
    """Write and validate WORK/submission.csv and WORK/manifest.json; trains first where no model is."""
    from spectramind_kit import runs

    summary = runs.submit(data, work, composed(overrides), model=model)
    planets, pace = len(summary.spectra), summary.seconds_per_planet
    lines = [f"{summary.path}: {planets} planets, valid, {pace:.2f} s per planet"]
    lines += [f"loss of all planets: {loss}" for loss in summary.losses]
    lines.append(f"rungs: {', '.join(f'{rung} {n}' for rung, n in summary.rungs.items())}")
    lines += [f"remark: planet {planet}: {remark}" for planet, remark in summary.remarks.items()]
    lines.append(f"{len(summary.fallbacks)} planets fell back to the population")
    lines += [f"fallback: planet {planet}: {reason}" for planet, reason in summary.fallbacks.items()]
    facts = {"submission": summary.path, "planets": planets, "seconds_per_planet": pace, "losses": summary.losses}
    facts |= {"rungs": summary.rungs, "remarks": summary.remarks, "fallbacks": summary.fallbacks}
    answer(as_json, facts, lines)
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
    one_depth: Annotated[
        Path | None,
        typer.Option(
            help="Work folder with the planets' light curves: score beside it what public notebooks answer from them, "
            "one depth for all wavelengths."
        ),
    ] = None,
    as_json: AsJson = False,
    overrides: Overrides = None,
) -> None:
    """Score a submission against known spectra with the competition's metric, which no override changes."""
    from spectramind_kit import runs

    composed(overrides)
    found = runs.score_files(truth, submission, edition.value, naive, partial)
    facts, lines = {"score": found}, [f"score {found:.4f}"]
    if one_depth is not None:
        facts["one_depth"] = runs.score_one_depth(truth, submission, one_depth, edition.value, naive)
        lines.append(f"one depth for all wavelengths, the public notebooks' method: {facts['one_depth']:.4f}")
    answer(as_json, facts, lines)


@app.command("dry-run")
def dry_run(
    kernel: Annotated[Path, typer.Argument(help="Kernel folder, such as kernels/submit.")],
    data: Data,
    work: Work,
    dataset: Annotated[list[Path], typer.Option(help="Folder attached as a dataset; may be given several times.")],
    parameter: Annotated[list[str] | None, typer.Option("-p", help="NAME=VALUE of a notebook's parameter.")] = None,
    image: Annotated[Image, typer.Option(help="Packages as they are here, or in the image's versions.")] = Image.linked,
    as_json: AsJson = False,
    overrides: Overrides = None,
) -> None:
    """Rehearse a kernel as Kaggle would run it: fresh environment, read-only inputs, no network, a budget."""
    from spectramind_kit.kaggle.rehearsal.dry_run import dry_run_kernel
    from spectramind_kit.kaggle.rules.kernel import notebook_path
    from spectramind_kit.kaggle.rules.parameters import parse_parameters
    from spectramind_kit.kaggle.wheels.cuda_build import default_cache

    config = composed(overrides).kaggle
    parameters = parse_parameters(parameter or [], notebook_path(kernel))
    cache = default_cache() if image is Image.exact else None
    verdict = dry_run_kernel(kernel, data, dataset, work, config, parameters, image=cache)
    answer(as_json, dataclasses.asdict(verdict) | {"passed": verdict.passed}, [verdict.table()])
    if not verdict.passed:
        raise typer.Exit(1)


@app.command()
def selftest(as_json: AsJson = False, overrides: Overrides = None) -> None:
    """Check environment and versions, and try a real operation of every component."""
    from spectramind_kit.selftest import run_selftest

    checks = []
    for check in run_selftest(composed(overrides)):
        checks.append(check)
        if not as_json:
            typer.echo(f"{'ok    ' if check.passed else 'FAILED'}  {check.name:<28} {check.detail}")
    if as_json:
        answer(as_json, [dataclasses.asdict(check) for check in checks], ())
    if not all(check.passed for check in checks):
        raise typer.Exit(1)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def wheels(context: typer.Context) -> None:
    """Build the wheel dataset for Kaggle, and what belongs to it: `spectramind wheels --help`."""
    from spectramind_kit.commands.wheels import main as build

    raise typer.Exit(build(context.args))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run the command line."""
    calm_threads()
    provide_home()
    arguments = gathered(sys.argv[1:])
    debug = "--debug" in arguments
    try:
        with ends_with_a_word():
            if MULTIRUN in arguments:
                listen(verbose=debug, quiet="-q" in arguments)
                sys.exit(_swept([word for word in arguments if word != MULTIRUN]))
            app(arguments, prog_name="spectramind")
    except Exception as error:
        if debug:
            raise
        typer.echo(f"spectramind: {message_of(error)}", err=True)
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)


def _swept(arguments: list[str]) -> int:
    """Run a sweep, show its scores, and return the exit status: that of the first run that failed."""
    from spectramind_kit.commands.sweep import sweep

    runs = sweep(arguments)
    rows = [(run.number, run.status or "done", ranking.known(run.score), " ".join(run.overrides)) for run in runs]
    for line in columns(rows, ("run", "status", "score", "values")):
        typer.echo(line)
    return next((run.status for run in runs if run.status), 0)


def _frame_overrides(frames: Frames, overrides: list[str]) -> list[str]:
    """Return what the size of frames means; a group of ``simulation`` that is chosen keeps its physics."""
    if not any(override.startswith("simulation=") for override in overrides):
        return [f"simulation={frames.value}"]
    return ["simulation.airs_average=1", "simulation.fgs1_average=1"] if frames == Frames.full else []
