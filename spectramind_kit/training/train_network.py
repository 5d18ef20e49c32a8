"""Train the networks of all folds; resume an interrupted run, and stay within a budget of time.

    0. weights that ``spectramind pretrain`` left are read                           (training.start_from)
    1. the time encoder reconstructs hidden parts of light curves, labelled or not   (training.pretraining_epochs)
    2. a network learns from simulated planets                                       (training.simulated_planets)
    3. the members, one or more a fold, start from there and learn from real ones

    <folder>/logs/<member>/                its curves (``loggers.py``)
    <folder>/<member>/last.ckpt            where a member stands (Lightning)
    <networks>/<member>.safetensors        a finished member's averaged weights
    <networks>/networks.json               sizes, and hashes of the data and the code that made the members

Early stopping looks at planets of the member's own training folds that were held back, never at the fold that will
judge it.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader, DistributedSampler

from spectramind_kit.errors import SpectraMindError, describe
from spectramind_kit.features.planet import Features
from spectramind_kit.files import replacing
from spectramind_kit.metric import EDITIONS
from spectramind_kit.networks.configured_network import new_network
from spectramind_kit.networks.spectral_graph import spectral_graph
from spectramind_kit.networks.spectramind import molecular_bands
from spectramind_kit.own_models.import_model import carry_source
from spectramind_kit.prediction.ensemble import RECORD, Member
from spectramind_kit.settings.model import is_own
from spectramind_kit.training.batches import PlanetDataset, collate_items
from spectramind_kit.training.examples import Examples
from spectramind_kit.training.folds import assign_folds
from spectramind_kit.training.loggers import LOGS, ended_afterwards, training_loggers
from spectramind_kit.training.losses import SpectrumLoss
from spectramind_kit.training.module import NetworkModule
from spectramind_kit.training.pretraining import pretrain
from spectramind_kit.training.progress import TrainingProgress
from spectramind_kit.training.task import START, NetworkTask, Weights, members_of, save_task, training_code
from spectramind_kit.training.trainer import capped_threads, new_trainer, quiet_lightning, seeded

logger = logging.getLogger(__name__)

_ENCODER = "encoder.safetensors"
_FEWEST_HELD_BACK = 4
_BUDGET_OF_ENCODER, _BUDGET_OF_START = 0.2, 0.4
"""Fractions of the time that pre-training, and learning from simulated planets, may take."""
LOGGED_BY_PROCESSES, FAILED_IN_PROCESS = "spectramind: ", "spectramind failed: "
"""How lines begin that a process of several devices logs, and that say why it failed; the others are the launcher's."""


def train_networks(
    task: NetworkTask, examples: Examples, simulated: Examples | None = None, unlabelled: Sequence[Features] = ()
) -> None:
    """Train every member that is not finished yet, in this process or in one for each device.

    Args:
        task: how they are trained.
        examples: planets with their folds.
        simulated: planets that the members learn from first.
        unlabelled: planets whose light curves pre-train the encoder, beside those of ``examples``.
    """
    key, started, budget = task.key(examples, simulated, unlabelled), time.monotonic(), 3600.0 * task.training.hours
    _remove_outdated(task, key)
    start: Weights = load_file(path) if (path := task.first_weights) else {}
    if task.training.pretraining_epochs and not is_own(task.model.kind):  # what it teaches is V50's encoder of time
        start = _encoder(task, examples, unlabelled, _BUDGET_OF_ENCODER * budget)
    if simulated is not None and len(simulated):
        _train(task, simulated, [START], start, _BUDGET_OF_START * budget)
        start = load_file(task.weights(START))
    members = members_of(examples, task.model)
    _train(task, examples, members, start, budget - (time.monotonic() - started))
    if is_own(task.model.kind):
        carry_source(task.model.kind, task.networks)
    record = {
        "model": asdict(task.model),
        "key": key,
        "code": training_code(),
        "members": [asdict(member) for member in members],
    }
    with replacing(task.networks / RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n")


def train_start(task: NetworkTask, examples: Examples) -> Path:
    """Train one network on all planets, from which others can start, unless it is there; return its file of weights.

    Args:
        task: how it is trained.
        examples: planets; a fraction of them is held back to stop the training.
    """
    _remove_outdated(task, task.key(examples, None, ()))
    start: Weights = load_file(path) if (path := task.first_weights) else {}
    _train(task, examples, [START], start, 3600.0 * task.training.hours)
    return task.weights(START)


def train_members(
    task: NetworkTask, examples: Examples, members: Sequence[Member], start: Weights, seconds: float
) -> None:
    """Train the members that have no weights yet; each gets an equal part of the time that is left.

    Args:
        task: how they are trained.
        examples: planets with their folds.
        members: to train.
        start: weights that every member starts from, by name; may be empty.
        seconds: for all of them [s].
    """
    started = time.monotonic()
    waiting = [member for member in members if not task.weights(member).is_file()]
    for place, member in enumerate(waiting):
        left = max(1.0, seconds - (time.monotonic() - started))
        learned_from = examples if member.fold is None else examples.without(member.fold)
        train_member(task, member, learned_from, start, left / (len(waiting) - place))


@quiet_lightning()
@capped_threads()
def train_member(task: NetworkTask, member: Member, examples: Examples, start: Weights, seconds: float) -> None:
    """Train one network, resuming where an interrupted run stopped, and store its averaged weights.

    Args:
        task: how it is trained.
        member: which one it is.
        examples: all planets that it may learn from.
        start: weights that it starts from, by name; may be empty.
        seconds: that it may take [s].
    """
    seed = task.seed + 1000 * (member.fold or 0) + member.place
    with seeded(seed):
        _train_member(task, member, examples, start, timedelta(seconds=seconds), seed)


def _train_member(
    task: NetworkTask, member: Member, examples: Examples, start: Weights, budget: timedelta, seed: int
) -> None:
    config = task.training
    learned, held_back = _hold_back(examples, config.validation_share, seed)
    module = new_module(task, learned, start)
    folder = task.folder / member.name
    best = ModelCheckpoint(folder, filename="best", monitor="score" if held_back else None, mode="max", save_last=True)
    callbacks: list[Callback] = [best, TrainingProgress(f"network {member.name}", budget)]
    if held_back:
        callbacks.append(EarlyStopping("score", mode="max", patience=config.patience))
    loggers = training_loggers(config, task.folder, member.name)
    trainer = new_trainer(config, callbacks, folder, budget, config.epochs, loggers)
    augmenting = PlanetDataset(learned, config.time_flip, config.visit_dropout, seed)
    train = training_loader(augmenting, config.batch_size, seed, trainer.world_size, trainer.global_rank)
    valid = DataLoader(PlanetDataset(held_back), config.batch_size, collate_fn=collate_items) if held_back else None
    with ended_afterwards(loggers):
        trainer.fit(module, train, valid, ckpt_path=whole_checkpoint(folder), weights_only=True)
    logger.info(
        "network %s: %d planets, %d epochs, %d steps, score held back %s",
        member.name,
        len(learned),
        trainer.current_epoch,
        trainer.global_step,
        f"{float(best.best_model_score):.4f}" if held_back and best.best_model_score is not None else "not measured",
    )
    if int(os.environ.get("RANK", "0")) == 0:
        # The time may run out before a first epoch ends: then the weights are taken as they are.
        if path := best.best_model_path if held_back and best.best_model_path else best.last_model_path:
            module.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["state_dict"])
        save_weights(task, member, module.average.module)
        shutil.rmtree(folder, ignore_errors=True)


def whole_checkpoint(folder: Path) -> Path | None:
    """Return where an interrupted training of a member stands; None where it has to start anew.

    A checkpoint that was cut off while it was written is removed. Nothing but tensors and plain values is read: a
    pickle from elsewhere could run a command.

    Args:
        folder: of the member's checkpoints.
    """
    last = folder / "last.ckpt"
    if not last.is_file():
        return None
    try:
        torch.load(last, map_location="cpu", weights_only=True)
        return last
    except Exception as error:
        logger.warning("%s cannot be read, its network starts anew: %s", last, describe(error)[:200])
        shutil.rmtree(folder, ignore_errors=True)
        return None


def new_module(task: NetworkTask, learned: Examples, start: Weights) -> NetworkModule:
    """Return a network in training, with the scales of its inputs and the linear correction learned already.

    Args:
        task: how it is trained.
        learned: the planets it learns from.
        start: weights that it starts from, by name; may be empty.
    """
    network = new_network(learned.wavelength, task.model)
    if (learn := getattr(network, "learn", None)) is not None:
        learn(learned.features, learned.truth)
    # Weights come from the start; what is no weight, such as the scales of inputs, from the planets at hand.
    weights = dict(network.named_parameters())
    network.load_state_dict({name: part for name, part in start.items() if name in weights}, strict=False)
    steps = task.training.epochs * -(-len(learned) // task.training.batch_size)
    naive = float(learned.truth.mean()), float(learned.truth.std())
    graph = spectral_graph(learned.wavelength, molecular_bands())
    edges, weight = torch.from_numpy(graph.edge_index), torch.ones(graph.edge_index.shape[1])
    loss = SpectrumLoss(learned.wavelength, task.loss, EDITIONS[task.edition], naive, edges, weight)
    return NetworkModule(network, loss, task.training, steps, naive, task.edition)


def training_loader(dataset: PlanetDataset, batch_size: int, seed: int, world: int = 1, rank: int = 0) -> DataLoader:
    """Return the batches of one process; all processes together take those that a single one would take.

    Args:
        dataset: the planets.
        batch_size: of all processes together.
        seed: of the order.
        world: number of processes.
        rank: of this one.
    """
    sampler = DistributedSampler(dataset, num_replicas=world, rank=rank, shuffle=True, seed=seed)
    return DataLoader(dataset, max(1, batch_size // world), sampler=sampler, collate_fn=collate_items)


def save_weights(task: NetworkTask, member: Member, network: torch.nn.Module) -> None:
    """Write a finished member's weights and input scales."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with replacing(task.weights(member)) as temporary:
        save_file(tensors, temporary)


def _train(task: NetworkTask, examples: Examples, members: Sequence[Member], start: Weights, seconds: float) -> None:
    """Train members in this process, or in one a device, started by torchrun, which also a notebook may do."""
    if task.training.devices == 1:
        train_members(task, examples, members, start, seconds)
        return
    save_task(task, examples, members, start, seconds)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    torchrun += ["--nproc-per-node", str(task.training.devices), "-m", "spectramind_kit.training.launch"]
    with subprocess.Popen(
        [*torchrun, str(task.folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        problem = relay(process.stdout or ())
    if process.returncode or not all(task.weights(member).is_file() for member in members):
        wanted = f"{task.training.devices} processes to train together"
        raise SpectraMindError("training on several devices", wanted=wanted, got=problem, remedy="training.devices=1")


def relay(lines: Iterable[str]) -> str:
    """Log what processes log, and return why they failed, if they do: in their words, else the launcher's last ones.

    Args:
        lines: of the output of all processes and their launcher.
    """
    last: deque[str] = deque(maxlen=8)
    reasons: list[str] = []
    for line in lines:
        if line.startswith(LOGGED_BY_PROCESSES):
            logger.info("%s", line.removeprefix(LOGGED_BY_PROCESSES).rstrip())
        elif line.startswith(FAILED_IN_PROCESS):
            reasons.append(line.removeprefix(FAILED_IN_PROCESS).strip())
        elif line.strip():
            last.append(line.strip())
    return reasons[0] if reasons else " | ".join(last)


def _encoder(task: NetworkTask, examples: Examples, unlabelled: Sequence[Features], seconds: float) -> Weights:
    """Return the weights of a pre-trained time encoder, stored or made."""
    path = task.folder / _ENCODER
    if not path.is_file():
        weights = pretrain(task, [*examples.features, *unlabelled], examples.wavelength, seconds)
        with replacing(path) as temporary:
            save_file(weights, temporary)
    return load_file(path)


def _hold_back(examples: Examples, fraction: float, seed: int) -> tuple[Examples, Examples | None]:
    """Split the planets into those that are learned from and those that stop the training; None if too few.

    Several examples of one planet stay together; beside planets with a fold, those of none (simulated ones) are never
    held back.
    """
    ids = np.array([each.planet_id for each in examples.features])
    judging = examples.fold >= 0 if (examples.fold >= 0).any() else np.ones(len(examples), dtype=bool)
    own = np.unique(ids[judging])
    if round(fraction * len(own)) < _FEWEST_HELD_BACK:
        return examples, None
    chosen = own[assign_folds(own.tolist(), max(2, round(1.0 / fraction)), seed) == 0]
    held = np.isin(ids, chosen) & judging
    return examples.where(~held), examples.where(held)


def _remove_outdated(task: NetworkTask, key: str) -> None:
    """Delete members and checkpoints of other data, settings or code."""
    stamp = task.folder / "key"
    if (stamp.read_text() if stamp.is_file() else "") != key:
        shutil.rmtree(task.networks, ignore_errors=True)
        for old in (*task.folder.glob("fold*_*"), task.folder / START.name, task.folder / LOGS):
            shutil.rmtree(old, ignore_errors=True)
        for old in (task.folder / _ENCODER, task.weights(START)):
            old.unlink(missing_ok=True)
        task.folder.mkdir(parents=True, exist_ok=True)
        stamp.write_text(key)
