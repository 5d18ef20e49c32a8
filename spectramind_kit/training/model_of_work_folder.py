"""Whether the model that lies in a work folder is what training would leave there today."""

from pathlib import Path

from spectramind_kit.competition.folder import CompetitionFolder
from spectramind_kit.config import Config
from spectramind_kit.errors import CompetitionDataError, describe
from spectramind_kit.prediction.measure import measured_with
from spectramind_kit.prediction.stand_ins import suitable_model
from spectramind_kit.training.measured_planets import labelled_planets
from spectramind_kit.work_folder.model_record import read_model_record
from spectramind_kit.work_folder.provenance import code_hash

_MADE_BY = ("spectramind_kit.training.measured_planets", "spectramind_kit.training.held_out")


def model_code() -> str:
    """Return the hash of the code that trains a model."""
    return code_hash(*_MADE_BY)


def reason_to_train(folder: CompetitionFolder, place: Path, config: Config) -> str:
    """Return why the model of a work folder has to be trained first; "" if it has not, or cannot be.

    Args:
        folder: of the competition.
        place: of the model.
        config: the configuration.
    """
    record, reason = read_model_record(place), ""
    if record is None:
        return f"no model in {place}"
    if record.get("code") not in ("", model_code()):
        reason = f"the model in {place} is another version's"
    try:
        suitable_model(place, folder, measured_with(config))
    except Exception as error:
        reason = describe(error)
    return reason if _can_train(folder, config) else ""


def _can_train(folder: CompetitionFolder, config: Config) -> bool:
    try:
        return bool(labelled_planets(folder, folder.labels()[0].tolist(), config))
    except CompetitionDataError:
        return False
