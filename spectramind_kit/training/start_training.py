"""Learn weights to start from: one network, from the training planets of several folders."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from spectramind_kit.competition.folder import CompetitionFolder
from spectramind_kit.config import Config
from spectramind_kit.errors import CompetitionDataError, ConfigurationError
from spectramind_kit.files import replacing
from spectramind_kit.own_models.import_model import is_network, model_class
from spectramind_kit.prediction.measure import PlanetTask, measured_with
from spectramind_kit.settings.model import corrects_the_fit, is_own
from spectramind_kit.training.automatic_model import with_chosen_model
from spectramind_kit.training.examples import Examples, concatenated
from spectramind_kit.training.held_out import learn_model, network_examples
from spectramind_kit.training.measured_planets import labelled_planets, measure_training_planets
from spectramind_kit.training.start_weights import WEIGHTS, require_start, suited, write_record
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.run_record import RunRecord

Labels = tuple[np.ndarray, np.ndarray]
"""Planets (n_planet,), and their spectra (n_planet, n_wavelength) [(Rp/Rs)^2]."""


def learn_start(
    folders: Sequence[CompetitionFolder],
    labels: Sequence[Labels],
    work: Path,
    out: Path,
    config: Config,
    run: RunRecord,
) -> dict[str, object]:
    """Measure every folder, train a network on all their planets, and leave its weights in a folder with their record.

    Args:
        folders: of competitions.
        labels: of each.
        work: where products and checkpoints lie.
        out: folder for the weights.
        config: the configuration.
        run: whose stages are recorded.

    Returns:
        The record.
    """
    first = folders[0]
    _refuse_mixed(folders)
    planets = [labelled_planets(folder, ids.tolist(), config) for folder, (ids, _) in zip(folders, labels)]
    config = with_chosen_model(config, sum(map(len, planets)))
    _require_network(config.model.kind)
    suits = suited(config.model, first.wavelength, first.edition, measured_with(config))
    if config.training.start_from:
        require_start(Path(config.training.start_from), suits)
    parts = []
    for number, folder in enumerate(folders):
        place = WorkFolder(work).pretraining_world(number)
        parts.append(_examples(folder, labels[number], PlanetTask(folder.root, place, "train", config), run))
    with run.stage("network"):
        path = _trained(concatenated(parts), first.edition, work, config)
    with replacing(out / WEIGHTS) as temporary:
        shutil.copyfile(path, temporary)
    learned_from = [{"folder": each.root.resolve().name, "planets": len(part)} for each, part in zip(folders, parts)]
    return write_record(out, suits, {"learned_from": learned_from, "seed": config.seed})


def _refuse_mixed(folders: Sequence[CompetitionFolder]) -> None:
    """Refuse folders whose planets cannot be learned from together."""
    first = folders[0]
    for other in folders[1:]:
        if other.edition != first.edition:
            wanted = f"edition {first.edition}, as {first.root}"
            raise CompetitionDataError(f"folder {other.root}", wanted=wanted, got=other.edition)
        if not np.array_equal(other.wavelength, first.wavelength):
            raise CompetitionDataError(f"folder {other.root}", wanted=f"wavelengths of {first.root}", got="others")


def _require_network(kind: str) -> None:
    if corrects_the_fit(kind) and not (is_own(kind) and not is_network(model_class(kind))):
        return
    wanted = "a network, whose weights others can start from"
    raise ConfigurationError("model", wanted=wanted, got=kind, remedy="model=v50_small, or model=v50")


def _examples(folder: CompetitionFolder, labels: Labels, task: PlanetTask, run: RunRecord) -> Examples:
    """Return the planets of a folder as a network learns from them."""
    alone = replace(task, config=replace(task.config, model=replace(task.config.model, kind="none")))
    measured = measure_training_planets(folder, labels, task, WorkFolder(task.work).training, run)
    model, _ = learn_model(measured.training_set, measured.held_out, alone, folder.edition)
    return network_examples(model, measured.held_out, task.config)


def _trained(examples: Examples, edition: str, work: Path, config: Config) -> Path:
    """Train the network, unless it is there; return its weights."""
    # Here, because torch and Lightning take seconds to load, and no fit needs them.
    from spectramind_kit.training.task import NetworkTask
    from spectramind_kit.training.train_network import train_start

    if not len(examples):
        raise CompetitionDataError("training planets of all folders", wanted="one with a fit at least", got="none")
    folder = WorkFolder(work).pretraining
    task = NetworkTask(
        model=config.model,
        loss=config.loss,
        training=config.training,
        seed=config.seed,
        folder=folder,
        networks=folder / "networks",
        edition=edition,
    )
    return train_start(task, examples)
