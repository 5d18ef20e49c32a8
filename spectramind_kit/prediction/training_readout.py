"""ADC constants and axes of the training folder, which travel with a model for folders that have lost their own.

They are the same for training and test planets. Without them no cube can be read.
"""

import logging
from pathlib import Path

from spectramind_kit.competition.folder import CompetitionFolder
from spectramind_kit.competition.readout import Readout
from spectramind_kit.work_folder.model_record import foreign_files, read_model_record
from spectramind_kit.work_folder.store import UNREADABLE, load_product, save_product

logger = logging.getLogger(__name__)

_FILE = "readout.npz"


def keep_readout(folder: CompetitionFolder, model: Path) -> None:
    """Write what a folder's training planets share into a model's folder, before the model's record is written.

    Args:
        folder: of the competition.
        model: folder of the model.
    """
    save_product(model / _FILE, folder.readout("train"))


def training_readout(model: Path) -> Readout | None:
    """Return what the training folder of a model had; None where that is not known.

    Args:
        model: folder of the model.
    """
    try:
        if foreign_files(model, read_model_record(model) or {}, _FILE):
            return None
        return load_product(model / _FILE, Readout)
    except UNREADABLE as error:
        logger.debug("%s remembers no ADC constants and axes: %s", model, error)
        return None


def readout_losses(folder: CompetitionFolder, model: Path) -> tuple[str, ...]:
    """Return which tables a folder has lost, and what stands in for them, in words.

    Args:
        folder: of the competition.
        model: folder of the model.
    """
    own, known = folder.readout("test"), training_readout(model) or Readout(folder.edition)
    lost = {"axis_info.parquet": known.axis is not None} if own.axis is None else {}
    if own.adc is None and folder.edition == "2025":  # planets of 2024 have a row each
        lost["adc_info.csv"] = known.adc is not None
    used, nothing = "those of the training folder are used", "the model remembers none, and no cube can be read"
    losses = tuple(f"{name} cannot be used: {used if remembered else nothing}" for name, remembered in lost.items())
    for loss in losses:
        logger.warning(loss)
    return losses
