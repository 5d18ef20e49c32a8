"""Weights to start from: a network that has learned from other folders, such as simulated worlds, in a folder of files.

    start.safetensors    the network's averaged weights
    start.json           what they suit and where they come from; a hash of the weights

``spectramind pretrain`` writes one, ``training.start_from=FOLDER`` starts from it. Reading one runs no code.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from spectramind_kit import __version__
from spectramind_kit.competition.folder import CompetitionFolder
from spectramind_kit.config import Config
from spectramind_kit.errors import ConfigurationError, describe
from spectramind_kit.features.planet import CONTEXT, NODE
from spectramind_kit.features.visit import SEQUENCE
from spectramind_kit.files import replacing, sha256_of
from spectramind_kit.own_models.import_model import source_hash
from spectramind_kit.prediction.measure import measured_with
from spectramind_kit.settings.model import ModelConfig, is_own
from spectramind_kit.work_folder.run_record import RunRecord

logger = logging.getLogger(__name__)

WEIGHTS, RECORD = "start.safetensors", "start.json"
_CHANGE_NO_WEIGHT = ("members", "dropout")
"""Settings of a model that its weights do not depend on."""
_OF_OWN = ("kind", "options")
"""Settings that a model of one's own is made with."""
_SUITS = ("edition", "settings", "inputs", "wavelengths", "model", "source")
"""What a record and a training must agree in."""


def suited(model: ModelConfig, wavelength: np.ndarray, edition: str, settings: str) -> dict[str, object]:
    """Return what a network's weights suit, by name, as a record holds it.

    Args:
        model: which network, and its sizes.
        wavelength: (n_wavelength,) [um].
        edition: "2025" or "2024".
        settings: hash of the settings that planets are measured with.
    """
    own = is_own(model.kind)
    sizes = {k: v for k, v in asdict(model).items() if (k in _OF_OWN if own else k not in _CHANGE_NO_WEIGHT)}
    ends = [len(wavelength), *(round(float(wavelength[place]), 4) for place in (0, 1, -1))]
    return {
        "edition": edition,
        "settings": settings,
        "inputs": hashlib.sha256(repr((SEQUENCE, NODE, CONTEXT)).encode()).hexdigest()[:16],
        "wavelengths": ends,
        "model": sizes,
        "source": source_hash(model.kind) if own else "",
    }


def write_record(folder: Path, suits: Mapping[str, object], facts: Mapping[str, object]) -> dict[str, object]:
    """Write the record of weights that lie in a folder, and return it.

    Args:
        folder: with the weights.
        suits: as ``suited`` returns it.
        facts: what else is recorded, such as what they learned from.
    """
    sha256 = sha256_of(folder / WEIGHTS)
    record = {"kit_version": __version__, "generation": sha256[:16], **suits, **facts, "sha256": sha256}
    with replacing(folder / RECORD, durable=True) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n")
    return record


def generation_of_start(config: Config, folder: CompetitionFolder, run: RunRecord) -> str:
    """Return the generation of the weights that networks start from, "" of none, and record it.

    Args:
        config: of the training.
        folder: of the competition.
        run: that trains.

    Raises:
        ConfigurationError: if the weights do not suit.
    """
    place = config.training.start_from
    if place and config.model.kind == "none":
        logger.warning("training.start_from is of no use: model=auto stands for the fit alone here")
    if not place or config.model.kind == "none":
        return ""
    suits = suited(config.model, folder.wavelength, folder.edition, measured_with(config))
    generation = require_start(Path(place), suits)
    run.inputs(Path(place))
    run.facts(start_from={"place": run.place(Path(place)), "generation": generation})
    return generation


def require_start(folder: Path, suits: Mapping[str, object]) -> str:
    """Return the generation of weights to start from, which must suit a training.

    Args:
        folder: that ``spectramind pretrain`` wrote.
        suits: of the training, as ``suited`` returns it.

    Raises:
        ConfigurationError: if the folder holds no such weights, damaged ones, or ones that do not suit.
    """
    where = f"training.start_from={folder}"
    try:
        record = json.loads((folder / RECORD).read_text())
        sha256, generation = record["sha256"], str(record["generation"])
        there = sha256_of(folder / WEIGHTS)
    except (OSError, ValueError, KeyError, TypeError) as error:
        wanted, remedy = f"a folder with {RECORD} and {WEIGHTS}", "spectramind pretrain writes one"
        raise ConfigurationError(where, wanted=wanted, got=describe(error), remedy=remedy) from error
    if there != sha256:
        raise ConfigurationError(where, wanted=f"the weights that {RECORD} names", got="damaged ones, or others")
    for name in _SUITS:
        if record.get(name) != suits[name]:
            wanted, got = _differing(suits[name], record.get(name))
            remedy = "pretrain with the settings of this training, or train with those of the weights"
            raise ConfigurationError(where, wanted=f"weights of {name} {wanted}", got=got, remedy=remedy)
    return generation


def _differing(wanted: object, got: object) -> tuple[object, object]:
    """Return two values, or of two mappings only what differs."""
    if not (isinstance(wanted, Mapping) and isinstance(got, Mapping)):
        return wanted, got
    names = [name for name in {**wanted, **got} if wanted.get(name) != got.get(name)]
    return {name: wanted.get(name) for name in names}, {name: got.get(name) for name in names}
