"""Violations of a set of predicted spectra, for the report: a number a planet and term, a ranking of planets.

This is what SpectraMind V50 called its symbolic engine (SymbolicLoss, SymbolicLogicEngine): the terms of the loss, read
as a diagnosis. Nothing here feeds back into a prediction.
"""

import numpy as np
import torch
from torch import Tensor

from spectramind_kit.shapes import require_shape
from spectramind_kit.symbolic import terms
from spectramind_kit.symbolic.operators import neighbour_edges
from spectramind_kit.symbolic.terms import SpectralOperators


def violations(
    mean: np.ndarray, sigma: np.ndarray, wavelength: np.ndarray, truth: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Return every term's violation of every planet, (n_planet,) each, by the term's name.

    Args:
        mean: (n_planet, n_wavelength) [(Rp/Rs)^2], FGS1 first.
        sigma: (n_planet, n_wavelength) [(Rp/Rs)^2].
        wavelength: (n_wavelength,) [um].
        truth: as ``mean``, where it is known: only then can sigmas be judged ("sigma_calibration").

    Raises:
        ProductError: on shapes that differ.
    """
    spectra, operators = _prepare(mean, wavelength)
    require_shape("violations", "sigma", sigma, mean.shape)
    edge_index, weight = (torch.from_numpy(part) for part in neighbour_edges(wavelength))
    found = {term.__name__: term(spectra, operators) for term in terms.SHAPE_TERMS}
    found["graph_laplacian"] = terms.graph_laplacian(spectra, operators, edge_index, weight)
    if truth is not None:
        require_shape("violations", "truth", truth, mean.shape)
        found["sigma_calibration"] = terms.sigma_calibration(spectra, _tensor(sigma), _tensor(truth))
    return {name: value.numpy() for name, value in found.items()}


def rank_planets(found: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Rank planets by how much they violate, whatever the terms' sizes.

    Args:
        found: violations (n_planet,) by term.

    Returns:
        Places of the planets, worst first (n_planet,), and their scores (n_planet,): the mean over terms of the
        fraction of planets that violate the term less.
    """
    table = np.array(list(found.values()))  # (n_term, n_planet)
    less = (table[:, None, :] < table[:, :, None]).mean(axis=2)
    score = less.mean(axis=0)
    return np.argsort(-score, kind="stable"), score


def _prepare(mean: np.ndarray, wavelength: np.ndarray) -> tuple[Tensor, SpectralOperators]:
    require_shape("violations", "mean", mean, (None, len(wavelength)))
    return _tensor(mean), SpectralOperators(wavelength, torch.float64)


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float64))
