"""What networks are to be trained, and how: as a value, and as files that another process can read."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter
from safetensors.torch import load_file, save_file
from torch import Tensor

from spectramind_kit.features.planet import Features
from spectramind_kit.files import sha256_of
from spectramind_kit.own_models.import_model import source_hash
from spectramind_kit.prediction.ensemble import Member
from spectramind_kit.settings.loss import LossConfig
from spectramind_kit.settings.model import ModelConfig, is_own
from spectramind_kit.settings.training import TrainingConfig
from spectramind_kit.training.examples import Examples, content_hash, load_examples, save_examples
from spectramind_kit.training.start_weights import WEIGHTS
from spectramind_kit.work_folder.provenance import code_hash, config_hash

_TASK, _EXAMPLES, _FIRST = "task.json", "examples.npz", "first.safetensors"
_NO_MATTER = ("hours", "device", "devices", "folds", "folds_file", "logger", "start_from")
"""Settings that change no weight; folds are part of the examples, and weights to start from are hashed."""
Weights = dict[str, Tensor]
"""Tensors of a network by name, all of them or some."""


START = Member(None, 0)
"""The network that learns from simulated planets, from which all members start."""


@dataclass(frozen=True)
class NetworkTask:
    """How networks are trained.

    Attributes:
        model: sizes.
        loss: what is minimised.
        training: schedule.
        seed: of weights, order and augmentation.
        folder: where checkpoints lie.
        networks: where finished members are left.
        edition: "2025" or "2024", whose score the loss and early stopping follow.
    """

    model: ModelConfig
    loss: LossConfig
    training: TrainingConfig
    seed: int
    folder: Path
    networks: Path
    edition: str

    def key(self, examples: Examples, simulated: Examples | None, unlabelled: Sequence[Features]) -> str:
        """Hash what the members depend on: data, settings and code, not the budget and not the devices.

        Args:
            examples: planets with their folds.
            simulated: planets that the members learn from first.
            unlabelled: planets whose light curves pre-train the encoder.
        """
        training = {k: v for k, v in asdict(self.training).items() if k not in _NO_MATTER}
        data = (examples.content_hash(), simulated and simulated.content_hash(), content_hash(unlabelled))
        start = sha256_of(path) if (path := self.first_weights) else ""
        code = training_code(), source_hash(self.model.kind) if is_own(self.model.kind) else ""
        return config_hash(self.model, self.loss, training, self.seed, self.edition, *code, *data, start)

    @property
    def first_weights(self) -> Path | None:
        """The file of weights that all networks start from; None where they start from nothing."""
        return Path(self.training.start_from) / WEIGHTS if self.training.start_from else None

    def weights(self, member: Member) -> Path:
        """Return where a finished member's weights lie."""
        return (self.folder if member == START else self.networks) / f"{member.name}.safetensors"


def training_code() -> str:
    """Return the hash of the source that trains networks: after an edit they are trained again."""
    return code_hash("spectramind_kit.training.train_network")


def members_of(examples: Examples, model: ModelConfig) -> list[Member]:
    """Return the members to train, fold by fold."""
    folds = sorted({int(fold) for fold in examples.fold if fold >= 0})
    return [Member(fold, place) for fold in folds for place in range(model.members)]


def save_task(task: NetworkTask, examples: Examples, members: Sequence[Member], start: Weights, seconds: float) -> None:
    """Leave in the task's folder what a process of another launcher needs to train.

    Args:
        task: how networks are trained.
        examples: what they learn from.
        members: which of them are trained.
        start: weights that every member starts from, by name; may be empty.
        seconds: for all of them [s].
    """
    save_examples(task.folder / _EXAMPLES, examples)
    save_file(start, task.folder / _FIRST)
    record = {"task": asdict(task), "members": [asdict(member) for member in members], "seconds": seconds}
    (task.folder / _TASK).write_text(json.dumps(record, indent=1, default=str) + "\n")


def load_task(folder: Path) -> tuple[NetworkTask, Examples, list[Member], Weights, float]:
    """Read a task back: what ``train_members`` takes."""
    record = json.loads((folder / _TASK).read_text())
    return (
        TypeAdapter(NetworkTask).validate_python(record["task"]),
        load_examples(folder / _EXAMPLES),
        [Member(**member) for member in record["members"]],
        load_file(folder / _FIRST),
        record["seconds"],
    )
