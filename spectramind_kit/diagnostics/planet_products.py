"""What is stored of a planet, read for a report: a product that cannot be read is a sentence, and no error."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from spectramind_kit.competition.folder import CompetitionFolder
from spectramind_kit.errors import describe
from spectramind_kit.flags import Flags
from spectramind_kit.products import LightCurves, Planet, TransitFit
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.store import UNREADABLE, load_product

logger = logging.getLogger(__name__)

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class PlanetProducts:
    """What a work folder holds of one planet.

    Attributes:
        planet: what the star table says.
        split: "train" or "test".
        fits: of its visits, in order.
        curves: light curves by visit.
        problems: what could not be read, in words.
    """

    planet: Planet
    split: str
    fits: tuple[TransitFit, ...] = ()
    curves: dict[int, LightCurves] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def visits(self) -> list[int]:
        """Numbers of the visits that anything is stored of."""
        return sorted({fit.visit for fit in self.fits} | set(self.curves))

    @property
    def flags(self) -> Flags:
        """Quality flags of all visits; of light curves where there is no fit."""
        found: dict = {}
        for product in (*self.fits, *self.curves.values()):
            for flag, detail in product.flags.items():
                found.setdefault(flag, detail)
        return found


def planet_products(folder: CompetitionFolder, work: Path, split: str, planet_id: int) -> PlanetProducts:
    """Read what is stored of a planet.

    Args:
        folder: of the competition, for the star table.
        work: folder of a run.
        split: "train" or "test".
        planet_id: of the planet.
    """
    here, problems = WorkFolder(work), []
    try:
        planet = folder.planet(split, planet_id)
    except Exception as error:  # a damaged table costs its values, not the report
        planet, problems = Planet(planet_id), [describe(error)]
    fits, unread = _readable(here.stored_fits(split, planet_id), TransitFit)
    curves, lost = _readable(here.stored_light_curves(split, planet_id), LightCurves)
    by_visit = {each.visit: each for each in curves}
    return PlanetProducts(planet, split, tuple(fits), by_visit, (*problems, *unread, *lost))


def _readable(paths: Sequence[Path], kind: type[Made]) -> tuple[list[Made], list[str]]:
    """Return the products that can be read, and a sentence for each that cannot."""
    found, problems = [], []
    for path in paths:
        try:
            found.append(load_product(path, kind))
        except UNREADABLE as error:
            logger.warning("%s is left out of the report: %s", path, describe(error))
            reason = describe(error).split(": ", 1)[0]
            problems.append(f"{path.parent.name}/{path.name} cannot be read ({reason}): an older version's?")
    return found, problems
