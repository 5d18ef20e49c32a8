"""What training minimises: a likelihood with the metric's weights, plus symbolic terms (V50's SymbolicLoss).

Gaussian log-likelihood: L = sum_c w_c [ln sigma_c + z_c^2 / 2 + ln(2 pi) / 2], z = (truth - mean) / sigma, sum w = 1.
The competition's score of an element is (A - B) / (T - B), the log-likelihoods of the prediction, of a naive and of an
ideal one: neither B nor T depends on the prediction, so the score is a likelihood whose elements weigh w / (T - B). The
2024 edition takes the ratio of the sums over all elements instead.
"""

import math
from dataclasses import asdict
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from spectramind_kit.errors import ConfigurationError
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.settings.loss import LossConfig
from spectramind_kit.symbolic import terms
from spectramind_kit.symbolic.terms import SpectralOperators

_SHAPE_TERMS = {term.__name__: term for term in terms.SHAPE_TERMS}
_HEIGHT_TERMS = {term.__name__: term for term in terms.HEIGHT_TERMS}
_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


class ScoreRules(Protocol):
    """What the loss needs of one year's metric; the editions of ``metric`` have it."""

    @property
    def fgs1_sigma(self) -> float:
        """Ideal sigma of FGS1 [(Rp/Rs)^2]."""
        ...

    @property
    def airs_sigma(self) -> float:
        """Ideal sigma of AIRS-CH0 [(Rp/Rs)^2]."""
        ...

    @property
    def fgs1_weight(self) -> float:
        """Weight of FGS1 against one AIRS-CH0 point."""
        ...

    @property
    def per_element(self) -> bool:
        """Whether the ratio is taken of each element, or of the sums."""
        ...


def metric_weight(wavelength: np.ndarray, fgs1_weight: float) -> np.ndarray:
    """Return the weight of each wavelength in the metric, (n_wavelength,), of sum 1.

    Args:
        wavelength: (n_wavelength,) [um].
        fgs1_weight: of FGS1 against one AIRS-CH0 point.
    """
    weight = np.where(is_fgs1(wavelength), fgs1_weight, 1.0)
    return weight / weight.sum()


def gaussian_nll(mean: Tensor, sigma: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return each planet's weighted negative log-likelihood (batch,) [nats per element].

    Args:
        mean: (batch, n_wavelength) predicted [(Rp/Rs)^2].
        sigma: (batch, n_wavelength) predicted [(Rp/Rs)^2].
        truth: (batch, n_wavelength) [(Rp/Rs)^2].
        weight: (n_wavelength,) of sum 1.
    """
    return -_log_normal(truth, mean, sigma) @ weight


def differentiable_score(
    mean: Tensor,
    sigma: Tensor,
    truth: Tensor,
    weight: Tensor,
    ideal_sigma: Tensor,
    naive: tuple[float, float],
    per_element: bool = True,
) -> Tensor:
    """Return what each planet adds to the unclipped score (batch,), with gradients; their mean is the batch's score.

    Args:
        mean: (batch, n_wavelength) predicted [(Rp/Rs)^2].
        sigma: (batch, n_wavelength) predicted [(Rp/Rs)^2].
        truth: (batch, n_wavelength) [(Rp/Rs)^2].
        weight: (n_wavelength,) of sum 1.
        ideal_sigma: (n_wavelength,) of the ideal prediction [(Rp/Rs)^2].
        naive: mean and spread of the naive prediction [(Rp/Rs)^2].
        per_element: the ratio is taken of each element, as in 2025; else of the sums over the batch, as in 2024.
    """
    gained = _log_normal(truth, mean, sigma)
    ideal = -ideal_sigma.log() - _HALF_LOG_TWO_PI
    baseline = _log_normal(truth, torch.full_like(truth, naive[0]), torch.full_like(truth, naive[1]))
    if per_element:
        return ((gained - baseline) / (ideal - baseline)) @ weight
    return ((gained - baseline) @ weight) / ((ideal - baseline) @ weight).mean()


class SpectrumLoss(nn.Module):
    """Likelihood plus weighted symbolic terms.

    Args:
        wavelength: (n_wavelength,) [um], FGS1 first.
        config: the kind of likelihood, weights of the terms, warm-up.
        rules: the metric's numbers of one edition.
        naive: mean and spread of the training labels [(Rp/Rs)^2]; for ``likelihood: score`` alone.
        edge_index: (2, n_edge) of the graph of ``graph_laplacian``; needed where that term has a weight.
        edge_weight: (n_edge,) of that graph.

    Raises:
        ConfigurationError: if the configuration asks for what was not given.
    """

    metric_weight: Tensor
    ideal_sigma: Tensor
    edge_index: Tensor | None
    edge_weight: Tensor | None

    def __init__(
        self,
        wavelength: np.ndarray,
        config: LossConfig,
        rules: ScoreRules,
        naive: tuple[float, float] | None = None,
        edge_index: Tensor | None = None,
        edge_weight: Tensor | None = None,
    ):
        super().__init__()
        self.config, self.naive, self.per_element = config, naive, rules.per_element
        self.weights = {name: weight for name, weight in asdict(config.weights).items() if weight > 0.0}
        if config.likelihood == "score" and naive is None:
            raise ConfigurationError("loss.likelihood=score", wanted="the labels' mean and spread", got="none")
        if "graph_laplacian" in self.weights and (edge_index is None or edge_weight is None):
            raise ConfigurationError(
                "loss.weights.graph_laplacian",
                wanted="a graph's edges and their weights",
                got="none",
                remedy="set it to 0 for a model without a graph",
            )
        self.operators = SpectralOperators(wavelength)
        weight = torch.from_numpy(metric_weight(wavelength, rules.fgs1_weight)).float()
        ideal = torch.from_numpy(np.where(is_fgs1(wavelength), rules.fgs1_sigma, rules.airs_sigma)).float()
        graph = {"edge_index": edge_index, "edge_weight": edge_weight}
        for name, buffer in {"metric_weight": weight, "ideal_sigma": ideal, **graph}.items():
            self.register_buffer(name, buffer, persistent=False)

    def forward(
        self,
        mean: Tensor,
        sigma: Tensor,
        truth: Tensor,
        step: int,
        scale_height: Tensor | float = terms.SCALE_HEIGHT,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch and the parts it is the sum of, scalars, "likelihood" first.

        Reckoned in the buffers' precision whatever the network's: one per mille of a depth is lost in 16 bits.

        Args:
            mean: (batch, n_wavelength) predicted [(Rp/Rs)^2].
            sigma: (batch, n_wavelength) predicted [(Rp/Rs)^2].
            truth: (batch, n_wavelength) [(Rp/Rs)^2].
            step: optimiser steps made, for the warm-up.
            scale_height: of each planet's air (batch,), or one for all [planetary radii].
        """
        with torch.autocast(mean.device.type, enabled=False):
            mean, sigma, truth = (part.to(self.metric_weight.dtype) for part in (mean, sigma, truth))
            parts = {"likelihood": self._likelihood(mean, sigma, truth).mean()}
            for name, weight in self.weights.items():
                violation = self._violation(name, mean, sigma, truth, scale_height)
                parts[name] = weight * self.warmth(step) * violation.mean()
            return torch.stack(list(parts.values())).sum(), parts

    def warmth(self, step: int) -> float:
        """Return the fraction of the terms' weights that a step has reached, in [0, 1]."""
        return min(1.0, step / self.config.warm_up_steps) if self.config.warm_up_steps else 1.0

    def _likelihood(self, mean: Tensor, sigma: Tensor, truth: Tensor) -> Tensor:
        if self.config.likelihood == "score" and self.naive is not None:
            rules = self.metric_weight, self.ideal_sigma, self.naive, self.per_element
            return -differentiable_score(mean, sigma, truth, *rules)
        return gaussian_nll(mean, sigma, truth, self.metric_weight)

    def _violation(self, name: str, mean: Tensor, sigma: Tensor, truth: Tensor, scale_height: Tensor | float) -> Tensor:
        """Return a term's violation of each planet, (batch,)."""
        if name == "sigma_calibration":
            return terms.sigma_calibration(mean, sigma, truth)
        if name == "graph_laplacian" and self.edge_index is not None and self.edge_weight is not None:
            return terms.graph_laplacian(mean, self.operators, self.edge_index, self.edge_weight)
        if name in _HEIGHT_TERMS:
            return _HEIGHT_TERMS[name](mean, self.operators, scale_height)
        return _SHAPE_TERMS[name](mean, self.operators)


def _log_normal(y: Tensor, mean: Tensor, sigma: Tensor) -> Tensor:
    """Return ln N(y | mean, sigma) element by element."""
    return -0.5 * ((y - mean) / sigma).square() - sigma.log() - _HALF_LOG_TWO_PI
