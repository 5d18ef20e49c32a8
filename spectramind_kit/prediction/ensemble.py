"""The finished networks together: what they answer for planets they have seen, and for planets they have not."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import TypeAdapter
from safetensors.torch import load_file

from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.features.planet import Features
from spectramind_kit.networks.batch import collate
from spectramind_kit.networks.spectramind import SpectraMindV50
from spectramind_kit.settings.model import ModelConfig

logger = logging.getLogger(__name__)

_BATCH = 16
Answer = tuple[np.ndarray, np.ndarray]
"""Mean and sigma (n_wavelength,) of one planet [(Rp/Rs)^2]."""


RECORD = "networks.json"
"""Beside the members' weights: their sizes, names, and the hash of what they learned from."""


@dataclass(frozen=True)
class Member:
    """One network to train: the fold it must not see (None: it may see all), and which of that fold's it is."""

    fold: int | None
    place: int

    @property
    def name(self) -> str:
        """Name of its file and folder."""
        return "start" if self.fold is None else f"fold{self.fold}_{self.place}"


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Networks by member.

    Attributes:
        networks: by member; device: where they lie.
    """

    networks: dict[Member, SpectraMindV50]
    device: torch.device

    def answers(self, planets: Sequence[Features], folds: Sequence[int | None]) -> list[Answer | None]:
        """Answer planets; each by the networks that have not seen it.

        Args:
            planets: their features.
            folds: the fold of each; None for a planet that no network has seen, which all networks answer together.

        Returns:
            Mean and sigma; None where the networks failed, which the log explains.
        """
        answers: list[Answer | None] = [None] * len(planets)
        for fold in sorted(set(folds), key=str):
            places = [i for i, own in enumerate(folds) if own == fold]
            networks = [network for member, network in self.networks.items() if fold in (None, member.fold)]
            for start in range(0, len(places), _BATCH):
                some = places[start : start + _BATCH]
                for place, answer in zip(some, self._answer_some([planets[i] for i in some], networks)):
                    answers[place] = answer
        return answers

    def _answer_some(self, planets: list[Features], networks: list[SpectraMindV50]) -> list[Answer | None]:
        """Answer a batch; if that fails, planet by planet, so that one costs one."""
        try:
            return self._answer_batch(planets, networks)
        except Exception:
            if len(planets) > 1:
                return [answer for planet in planets for answer in self._answer_some([planet], networks)]
            logger.warning("the network failed on planet %d", planets[0].planet_id, exc_info=True)
            return [None]

    @torch.inference_mode()
    def _answer_batch(self, planets: list[Features], networks: list[SpectraMindV50]) -> list[Answer | None]:
        batch = collate(planets).to(self.device)
        corrections = [network(batch) for network in networks]
        delta, ln_factor = (
            torch.stack([getattr(c, name) for c in corrections]).mean(dim=0).double().cpu().numpy()
            for name in ("delta", "ln_factor")
        )
        answers: list[Answer | None] = []
        for planet, shift, ln_scale in zip(planets, delta, ln_factor):
            usable = np.isfinite(shift).all() and np.isfinite(ln_scale).all()
            answers.append((planet.mean + planet.sigma * shift, planet.sigma * np.exp(ln_scale)) if usable else None)
        return answers


def load_ensemble(folder: Path, wavelength: np.ndarray, device: str = "cpu") -> Ensemble:
    """Read the networks that a training left.

    Args:
        folder: with ``networks.json`` and a file for each member; wavelength: (n_wavelength,) [um]; device: for torch.

    Raises:
        CompetitionDataError: if a member is missing or damaged.
    """
    try:
        record = json.loads((folder / RECORD).read_text())
        config = TypeAdapter(ModelConfig).validate_python(record["model"])
        members = [Member(**member) for member in record["members"]]
        networks = {member: _load(folder, member, wavelength, config, device) for member in members}
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise CompetitionDataError(
            f"networks in {folder}", wanted="those of a finished training", got=reason, remedy="run `spectramind train`"
        ) from error
    return Ensemble(networks, torch.device(device))


def _load(folder: Path, member: Member, wavelength: np.ndarray, config: ModelConfig, device: str) -> SpectraMindV50:
    network = SpectraMindV50(wavelength, config)
    network.load_state_dict(load_file(folder / f"{member.name}.safetensors"))
    return network.to(device).eval()
