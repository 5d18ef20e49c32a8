"""Violations of a set of predicted spectra, for the report: a number a planet and term, maps, a ranking of planets.

This is what SpectraMind V50 called its symbolic engine (SymbolicLoss, SymbolicLogicEngine): the terms of the loss, read
as a diagnosis. Nothing here feeds back into a prediction.
"""

import numpy as np
import torch
from torch import Tensor

from spectramind_kit.instruments import is_fgs1
from spectramind_kit.products import require_shape
from spectramind_kit.symbolic import terms
from spectramind_kit.symbolic.operators import neighbour_edges
from spectramind_kit.symbolic.terms import SpectralOperators


def violations(
    mean: np.ndarray, sigma: np.ndarray, wavelength: np.ndarray, truth: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Return every term's violation of every planet, (n_planet,) each, by the term's name.

    Args:
        mean, sigma: (n_planet, n_wavelength) [(Rp/Rs)^2], FGS1 first.
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


def violation_maps(mean: np.ndarray, wavelength: np.ndarray) -> dict[str, np.ndarray]:
    """Return where each violation arises, (n_planet, n_wavelength) by term; a map sums to its planet's violation.

    A measurement's violation is shared out to the wavelengths it looks at, by the size of its coefficients.
    ``fft_tail`` has no map, as a frequency has no place.
    """
    spectra, operators = _prepare(mean, wavelength)
    edge_index, weight = (torch.from_numpy(part) for part in neighbour_edges(wavelength))
    edges = torch.zeros(len(weight), len(wavelength), dtype=torch.float64)
    edges[torch.arange(len(weight)), edge_index[0]] = edges[torch.arange(len(weight)), edge_index[1]] = 1.0
    linear = {
        "curvature": operators.curvature,
        "line_asymmetry": operators.asymmetry,
        "band_coherence": operators.coherence,
    }
    maps = {
        name: _share_out(terms.measured(spectra, matrix, operators) / max(1, len(matrix)), matrix)
        for name, matrix in linear.items()
    }
    share = terms.edge_violations(spectra, operators, edge_index) * weight / weight.sum()
    maps["graph_laplacian"] = _share_out(share, edges)
    maps["bounds"] = terms.bound_violations(spectra, operators) / len(wavelength)
    maps["molecular_consistency"] = _molecule_map(spectra, operators)
    fgs1 = torch.from_numpy(is_fgs1(wavelength)).double()
    maps["fgs1_continuity"] = terms.fgs1_continuity(spectra, operators)[:, None] * fgs1 / fgs1.sum().clamp_min(1.0)
    return {name: value.numpy() for name, value in maps.items()}


def rank_planets(found: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Rank planets by how much they violate, whatever the terms' sizes.

    Args:
        found: violations (n_planet,) by term.

    Returns:
        Places of the planets, worst first (n_planet,), and their scores (n_planet,): the mean over terms of the
        share of planets that violate the term less.
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


def _share_out(elements: Tensor, matrix: Tensor) -> Tensor:
    """Return (n_planet, n_wavelength): each measurement's violation (n_planet, n_row) on the wavelengths of its row."""
    size = matrix.abs()
    return elements @ (size / size.sum(dim=1, keepdim=True))


def _molecule_map(spectra: Tensor, operators: SpectralOperators) -> Tensor:
    """Return the molecular violations on the core of each molecule's lowest band, (n_planet, n_wavelength)."""
    height = terms.relative_shape(spectra, operators) @ operators.height.T
    core = operators.height.clamp_min(0.0)
    total = torch.zeros_like(spectra)
    for bands, violation in zip(operators.molecules, terms.molecule_violations(spectra, operators).T):
        lowest = torch.tensor(bands)[height[:, list(bands)].argmin(dim=1)]
        total += violation[:, None] * core[lowest] / core[lowest].sum(dim=1, keepdim=True)
    return total / max(1, len(operators.molecules))
