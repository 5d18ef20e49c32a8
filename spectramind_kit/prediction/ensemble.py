"""The finished networks together: what they predict of planets they have seen, and of planets they have not."""

import json
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import TypeAdapter
from safetensors.torch import load_file
from torch import nn

from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.features.planet import Features
from spectramind_kit.networks.batch import collate
from spectramind_kit.networks.configured_network import new_network
from spectramind_kit.own_models.import_model import SOURCE
from spectramind_kit.settings.model import ModelConfig
from spectramind_kit.uncertainty.blending import Prediction

logger = logging.getLogger(__name__)

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

    networks: dict[Member, nn.Module]
    device: torch.device

    def predictions(
        self, planets: Sequence[Features], folds: Sequence[int | None], until: float = math.inf
    ) -> list[Prediction | None]:
        """Predict planets, each by the networks that have not seen it.

        Every planet has a forward pass of its own: in a batch, padding and the order of sums would let a planet's last
        bits depend on its neighbours.

        Args:
            planets: their features.
            folds: the fold of each; None for a planet that no network has seen, which all networks predict together.
            until: no planet is looked at later than this, on the monotonic clock [s].

        Returns:
            Mean and sigma; None where the networks failed or came too late, which the log explains.
        """
        networks = {
            fold: [network for member, network in self.networks.items() if fold in (None, member.fold)]
            for fold in set(folds)
        }
        predictions: list[Prediction | None] = [None] * len(planets)
        for place, (planet, fold) in enumerate(zip(planets, folds)):
            if time.monotonic() > until:
                logger.warning("no time for the network on %d planets", len(planets) - place)
                break
            try:
                predictions[place] = self._predict(planet, networks[fold])
            except Exception:
                logger.warning("the network failed on planet %d", planet.planet_id, exc_info=True)
        return predictions

    @torch.inference_mode()
    def _predict(self, planet: Features, networks: Sequence[nn.Module]) -> Prediction | None:
        """Return mean and sigma by the mean of networks; None if that is no number."""
        batch = collate([planet]).to(self.device)
        corrections = [network(batch) for network in networks]
        shift, ln_scale = (
            torch.stack([getattr(c, name) for c in corrections]).mean(dim=0).double().cpu().numpy()[0]
            for name in ("delta", "ln_factor")
        )
        if not (np.isfinite(shift).all() and np.isfinite(ln_scale).all()):
            return None
        return planet.mean + planet.sigma * shift, planet.sigma * np.exp(ln_scale)


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


def _load(folder: Path, member: Member, wavelength: np.ndarray, config: ModelConfig, device: str) -> nn.Module:
    network = new_network(wavelength, config, folder / SOURCE)
    network.load_state_dict(load_file(folder / f"{member.name}.safetensors"))
    return network.to(device).eval()
