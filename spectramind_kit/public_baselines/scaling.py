"""What a public baseline learns beside weights: how numbers go in and out, and what is typical of the population."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spectramind_kit.public_baselines.front_end import DEPTH_UNIT
from spectramind_kit.public_baselines.sigma_rule import CONSTANT


@dataclass(frozen=True)
class Scaling:
    """Centres, scales and statistics of the training planets; float64.

    Attributes:
        input_centre: (n_input,).
        input_scale: (n_input,).
        target_centre: (n_wavelength,) [(Rp/Rs)^2].
        target_scale: (1,) [(Rp/Rs)^2].
        population_mean: (n_wavelength,) of the training spectra [(Rp/Rs)^2].
        population_spread: (n_wavelength,) of the training spectra [(Rp/Rs)^2].
        typical_noise: (2,) medians of the relative noise of FGS1 and AIRS-CH0.
    """

    input_centre: np.ndarray
    input_scale: np.ndarray
    target_centre: np.ndarray
    target_scale: np.ndarray
    population_mean: np.ndarray
    population_spread: np.ndarray
    typical_noise: np.ndarray

    def inputs(self, chosen: np.ndarray) -> Tensor:
        """Return chosen features (n_planet, n_input) as the networks take them."""
        return torch.from_numpy((chosen - self.input_centre) / self.input_scale).float()

    def targets(self, spectra: np.ndarray) -> Tensor:
        """Return spectra (n_planet, n_wavelength) as the networks give them."""
        return torch.from_numpy((spectra - self.target_centre) / self.target_scale).float()

    def spectra(self, outputs: Tensor) -> np.ndarray:
        """Return the networks' outputs as spectra: the way back."""
        return outputs.double().numpy() * self.target_scale + self.target_centre


def learn_scaling(inputs: np.ndarray, noise: np.ndarray, spectra: np.ndarray, standardised: bool) -> Scaling:
    """Learn from training planets.

    Args:
        inputs: (n_planet, n_input), features that the networks see; a planet with one that is not finite counts for
            the population only.
        noise: (n_planet, 2) relative noise of FGS1 and AIRS-CH0.
        spectra: (n_planet, n_wavelength) [(Rp/Rs)^2].
        standardised: give the networks numbers of mean zero and spread one; else depths in units of 1e-4 and the
            rest as it comes.
    """
    centre, scale = np.zeros(inputs.shape[1]), np.ones(inputs.shape[1])
    target_centre, target_scale = np.zeros(spectra.shape[1]), np.array([DEPTH_UNIT])
    if standardised:
        known = np.isfinite(inputs).all(axis=1)
        centre, spread = inputs[known].mean(axis=0), inputs[known].std(axis=0)
        scale = np.where(spread > 0, spread, 1.0)
        target_centre = spectra[known].mean(axis=0)
        target_scale = np.maximum([(spectra[known] - target_centre).std()], DEPTH_UNIT)
    finite = [column[np.isfinite(column)] for column in noise.T]
    return Scaling(
        input_centre=centre,
        input_scale=scale,
        target_centre=target_centre,
        target_scale=target_scale,
        population_mean=spectra.mean(axis=0),
        population_spread=np.maximum(spectra.std(axis=0), CONSTANT),
        typical_noise=np.array([np.median(column) if len(column) else np.nan for column in finite]),
    )
