"""Violations of a set of predicted spectra, for the report: a number a planet and term, a ranking of planets.

This is what SpectraMind V50 called its symbolic engine (SymbolicLoss, SymbolicLogicEngine): the terms of the loss, read
as a diagnosis. Nothing here feeds back into a prediction.
"""

from collections.abc import Callable
from functools import partial

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
    found = {name: term(spectra) for name, term in _shape_terms(operators, wavelength).items()}
    if truth is not None:
        require_shape("violations", "truth", truth, mean.shape)
        found["sigma_calibration"] = terms.sigma_calibration(spectra, _tensor(sigma), _tensor(truth))
    return {name: value.numpy() for name, value in found.items()}


def violations_by_wavelength(mean: np.ndarray, wavelength: np.ndarray) -> dict[str, np.ndarray]:
    """Return every shape term's violation attributed to wavelengths, (n_planet, n_wavelength) each, by its name.

    A planet's violation is divided among its wavelengths in proportion to the size of its gradient there: to how much
    a depth that moves would change it. The sum over wavelengths is the violation.

    Args:
        mean: (n_planet, n_wavelength) [(Rp/Rs)^2], FGS1 first.
        wavelength: (n_wavelength,) [um].

    Raises:
        ProductError: on shapes that differ.
    """
    spectra, operators = _prepare(mean, wavelength)
    found = {}
    for name, term in _shape_terms(operators, wavelength).items():
        leaf = spectra.clone().requires_grad_()
        violation = term(leaf)
        (gradient,) = torch.autograd.grad(violation.sum(), leaf, allow_unused=True, materialize_grads=True)
        size = gradient.abs()
        part = size / size.sum(dim=1, keepdim=True).clamp_min(1e-300)
        found[name] = (part * violation.detach()[:, None]).numpy()
    return found


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


def _shape_terms(operators: SpectralOperators, wavelength: np.ndarray) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return the terms that need a mean alone, by name, each from spectra to violations (n_planet,)."""
    edge_index, weight = (torch.from_numpy(part) for part in neighbour_edges(wavelength))
    found: dict[str, Callable[[Tensor], Tensor]] = {
        term.__name__: partial(term, operators=operators) for term in terms.SHAPE_TERMS
    }
    laplacian = partial(terms.graph_laplacian, operators=operators, edge_index=edge_index, weight=weight)
    return {**found, "graph_laplacian": laplacian}


def _prepare(mean: np.ndarray, wavelength: np.ndarray) -> tuple[Tensor, SpectralOperators]:
    require_shape("violations", "mean", mean, (None, len(wavelength)))
    return _tensor(mean), SpectralOperators(wavelength, torch.float64)


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float64))
