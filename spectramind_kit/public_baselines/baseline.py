"""The three public baselines as models: train, predict, save, load.

    thang_do_duc                     two residual networks on [depth, Rs, i]
    v1ctorious_80bl_128hd_impact     the same with the impact parameter as a fourth feature
    fawad_awan_spectrum_regressor    one plain network for all depths

``residual_mlp`` and ``spectrum_regressor`` state what is known of each and what is reconstruction.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from spectramind_kit import __version__
from spectramind_kit.errors import CompetitionDataError, ConfigurationError
from spectramind_kit.files import replacing
from spectramind_kit.products import LARGEST_DEPTH
from spectramind_kit.public_baselines.front_end import FEATURE_NAMES
from spectramind_kit.public_baselines.recipe import MAX_EPOCHS, VALIDATION_SHARE, fit_network
from spectramind_kit.public_baselines.residual_mlp import residual_pair
from spectramind_kit.public_baselines.scaling import Scaling, learn_scaling
from spectramind_kit.public_baselines.sigma_rule import SigmaRule, public_sigma
from spectramind_kit.public_baselines.spectrum_regressor import SpectrumRegressor
from spectramind_kit.shapes import require_shape

WEIGHTS, FACTS = "baseline.safetensors", "baseline.json"

_NOISE = [FEATURE_NAMES.index(name) for name in ("fgs1_noise", "airs_noise")]
_SMALLEST_DEPTH = 1e-6
"""Kaggle refuses negative depths, and nothing keeps a network from them."""
_FEWEST_PLANETS = 3
"""Two to train on, for batch norm, and one to judge by."""


@dataclass(frozen=True)
class Design:
    """What sets a baseline apart.

    Attributes:
        inputs: names of its input features.
        networks: made for so many inputs and wavelengths; their outputs side by side are the spectrum.
        standardised: features and spectra are scaled by their own mean and spread; else depths are in units of 1e-4
            and the rest is as it comes.
    """

    inputs: tuple[str, ...]
    networks: Callable[[int, int], list[nn.Module]]
    standardised: bool


DESIGNS = {
    "thang_do_duc": Design(FEATURE_NAMES[:3], residual_pair, standardised=False),
    "v1ctorious_80bl_128hd_impact": Design(FEATURE_NAMES[:4], residual_pair, standardised=False),
    "fawad_awan_spectrum_regressor": Design(
        FEATURE_NAMES[:3], lambda n_input, n_wavelength: [SpectrumRegressor(n_input, n_wavelength)], standardised=True
    ),
}


@dataclass(frozen=True, eq=False)
class Baseline:
    """A trained public baseline.

    Attributes:
        name: of ``DESIGNS``.
        sigma_rule: "constant" or "per_planet".
        networks: trained, ready to predict.
        scaling: what else was learned.
        epochs: that each network was trained for.
        n_planets: that it learned from.
        seed: of its training.
    """

    name: str
    sigma_rule: SigmaRule
    networks: tuple[nn.Module, ...]
    scaling: Scaling
    epochs: tuple[int, ...]
    n_planets: int
    seed: int

    @property
    def parameters(self) -> int:
        """Number of trained weights."""
        return sum(p.numel() for network in self.networks for p in network.parameters())

    @torch.no_grad()
    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and sigma, (n_planet, n_wavelength) each [(Rp/Rs)^2].

        Args:
            features: (n_planet, n_feature), columns ``FEATURE_NAMES``. A planet with a number missing that the
                networks need gets mean and spread of the population.
        """
        chosen = _chosen(features, self.name)
        known = np.isfinite(chosen).all(axis=1)
        population = self.scaling.population_mean, self.scaling.population_spread
        mean, sigma = (np.tile(row, (len(features), 1)) for row in population)
        if known.any():
            inputs = self.scaling.inputs(chosen[known])
            outputs = torch.cat([network(inputs) for network in self.networks], dim=1)
            mean[known] = np.clip(self.scaling.spectra(outputs), _SMALLEST_DEPTH, LARGEST_DEPTH)
            noise = features[known][:, _NOISE]
            sigma[known] = public_sigma(self.sigma_rule, noise, self.scaling.typical_noise, mean.shape[1])
        return mean, sigma


def train_baseline(
    name: str,
    features: np.ndarray,
    spectra: np.ndarray,
    *,
    seed: int,
    max_epochs: int = MAX_EPOCHS,
    validation_share: float = VALIDATION_SHARE,
    sigma_rule: SigmaRule = "per_planet",
) -> Baseline:
    """Train a public baseline by the public recipe.

    Args:
        name: of ``DESIGNS``.
        features: (n_planet, n_feature), columns ``FEATURE_NAMES``; planets with a needed number missing count for the
            population only.
        spectra: (n_planet, n_wavelength) [(Rp/Rs)^2], FGS1 first.
        seed: rules weights, batches, dropout and which planets are held out.
        max_epochs: at most.
        validation_share: fraction of the planets that is held out to stop by.
        sigma_rule: "constant" or "per_planet".

    Raises:
        ConfigurationError: on an unknown name or rule, or features of another shape.
        ProductError: if there are not as many spectra as planets.
        CompetitionDataError: with fewer than three usable planets.
    """
    if sigma_rule not in get_args(SigmaRule):
        raise ConfigurationError("sigma rule", wanted=" or ".join(get_args(SigmaRule)), got=repr(sigma_rule))
    chosen = _chosen(features, name)
    require_shape("training planets", "spectra", spectra, (len(features), None))
    known = np.isfinite(chosen).all(axis=1)
    if known.sum() < _FEWEST_PLANETS:
        raise CompetitionDataError(
            f"training planets of {name}", wanted=f"{_FEWEST_PLANETS} with depth and star", got=int(known.sum())
        )
    scaling = learn_scaling(chosen, features[:, _NOISE], spectra, DESIGNS[name].standardised)
    inputs, targets = scaling.inputs(chosen[known]), scaling.targets(spectra[known])
    shuffle = torch.Generator().manual_seed(seed)
    held_out = torch.zeros(len(inputs), dtype=torch.bool)
    n_held_out = min(max(1, round(validation_share * len(inputs))), len(inputs) - 2)
    held_out[torch.randperm(len(inputs), generator=shuffle)[:n_held_out]] = True
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = DESIGNS[name].networks(inputs.shape[1], targets.shape[1])
        widths = [network.n_output for network in networks]
        epochs = [
            fit_network(network, inputs, part, held_out, max_epochs, shuffle)
            for network, part in zip(networks, targets.split(widths, dim=1))
        ]
    return Baseline(name, sigma_rule, tuple(networks), scaling, tuple(epochs), int(known.sum()), seed)


def save_baseline(baseline: Baseline, folder: Path) -> Path:
    """Write ``baseline.safetensors`` (weights and scaling) and ``baseline.json`` (what it is) into a folder."""
    tensors = {f"scaling.{k}": torch.from_numpy(np.ascontiguousarray(v)) for k, v in vars(baseline.scaling).items()}
    for i, network in enumerate(baseline.networks):
        tensors |= {f"networks.{i}.{k}": v.contiguous() for k, v in network.state_dict().items()}
    facts = {k: v for k, v in vars(baseline).items() if k not in ("networks", "scaling")}
    facts |= {"kit_version": __version__, "parameters": baseline.parameters, "features": FEATURE_NAMES}
    with replacing(folder / WEIGHTS) as path:
        save_file(tensors, path)
    with replacing(folder / FACTS) as path:
        path.write_text(json.dumps(facts, indent=2) + "\n")
    return folder


def load_baseline(folder: Path) -> Baseline:
    """Read a baseline back.

    Raises:
        CompetitionDataError: if the folder holds none, or a damaged one.
    """
    path = Path(folder) / WEIGHTS
    if not path.is_file():
        raise CompetitionDataError(
            f"model folder {folder}", wanted=WEIGHTS, got="no such file", remedy="train it first"
        )
    try:
        tensors, facts = load_file(path), json.loads((path.parent / FACTS).read_text())
        scaling = Scaling(**{f.name: tensors[f"scaling.{f.name}"].numpy() for f in fields(Scaling)})
        networks = DESIGNS[facts["name"]].networks(len(scaling.input_centre), len(scaling.target_centre))
        for i, network in enumerate(networks):
            mine = f"networks.{i}."
            network.load_state_dict({k.removeprefix(mine): v for k, v in tensors.items() if k.startswith(mine)})
            network.eval()
        return Baseline(
            facts["name"],
            facts["sigma_rule"],
            tuple(networks),
            scaling,
            tuple(facts["epochs"]),
            facts["n_planets"],
            facts["seed"],
        )
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        got = f"a damaged file ({str(error).splitlines()[0]})"
        raise CompetitionDataError(f"{path}", wanted="a public baseline", got=got, remedy="train it again") from error


def _chosen(features: np.ndarray, name: str) -> np.ndarray:
    """Return the features that a baseline's networks see, (n_planet, n_input)."""
    if name not in DESIGNS:
        raise ConfigurationError("public baseline", wanted=" or ".join(DESIGNS), got=repr(name))
    if features.ndim != 2 or features.shape[1] != len(FEATURE_NAMES):
        wanted = f"shape (n_planet, {len(FEATURE_NAMES)}): {', '.join(FEATURE_NAMES)}"
        raise ConfigurationError(f"features of {name}", wanted=wanted, got=f"shape {features.shape}")
    return features[:, [FEATURE_NAMES.index(one) for one in DESIGNS[name].inputs]]
