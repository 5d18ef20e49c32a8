"""The finished networks together: what they predict of planets they have seen, and of planets they have not."""

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
from spectramind_kit.uncertainty.blending import Prediction

logger = logging.getLogger(__name__)

_BATCH = 16
RECORD = "networks.json"
"""Beside the members' weights: their sizes, names, and the hash of what they learned from."""


@dataclass(frozen=True)
class Member:
    """One network to train.

    Attributes:
        fold: that it must not see; None if it may see all.
        place: which of that fold's networks it is.
    """

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
        networks: by member.
        device: where they lie.
    """

    networks: dict[Member, SpectraMindV50]
    device: torch.device

    def predictions(self, planets: Sequence[Features], folds: Sequence[int | None]) -> list[Prediction | None]:
        """Predict planets, each by the networks that have not seen it.

        Args:
            planets: their features.
            folds: the fold of each; None for a planet that no network has seen, which all networks predict together.

        Returns:
            Mean and sigma; None where the networks failed, which the log explains.
        """
        predictions: list[Prediction | None] = [None] * len(planets)
        for fold in sorted(set(folds), key=str):
            places = [i for i, own in enumerate(folds) if own == fold]
            networks = [network for member, network in self.networks.items() if fold in (None, member.fold)]
            for start in range(0, len(places), _BATCH):
                some = places[start : start + _BATCH]
                for place, prediction in zip(some, self._predict_some([planets[i] for i in some], networks)):
                    predictions[place] = prediction
        return predictions

    def _predict_some(self, planets: list[Features], networks: list[SpectraMindV50]) -> list[Prediction | None]:
        """Predict a batch; if that fails, planet by planet, so that one costs one."""
        try:
            return self._predict_batch(planets, networks)
        except Exception:
            if len(planets) > 1:
                return [one for planet in planets for one in self._predict_some([planet], networks)]
            logger.warning("the network failed on planet %d", planets[0].planet_id, exc_info=True)
            return [None]

    @torch.inference_mode()
    def _predict_batch(self, planets: list[Features], networks: list[SpectraMindV50]) -> list[Prediction | None]:
        batch = collate(planets).to(self.device)
        corrections = [network(batch) for network in networks]
        delta, ln_factor = (
            torch.stack([getattr(c, name) for c in corrections]).mean(dim=0).double().cpu().numpy()
            for name in ("delta", "ln_factor")
        )
        predictions: list[Prediction | None] = []
        for planet, shift, ln_scale in zip(planets, delta, ln_factor):
            usable = np.isfinite(shift).all() and np.isfinite(ln_scale).all()
            predictions.append(
                (planet.mean + planet.sigma * shift, planet.sigma * np.exp(ln_scale)) if usable else None
            )
        return predictions


def load_ensemble(folder: Path, wavelength: np.ndarray, device: str = "cpu") -> Ensemble:
    """Read the networks that a training left.

    Args:
        folder: with ``networks.json`` and a file for each member.
        wavelength: (n_wavelength,) [um].
        device: for torch.

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
