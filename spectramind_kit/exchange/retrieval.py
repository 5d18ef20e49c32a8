"""The likelihood of a spectrum for retrieval codes, with a covariance of reduced rank.

    ln L(m) = -1/2 [r^T C^-1 r + ln det(2 pi C)],   r = m - mean,   C = F F^T + diag(d)

F and d are those of factor analysis by maximum likelihood (Joreskog 1967, Psychometrika 32, 443): for given d, F holds
the largest eigenvectors of the matrix whitened by d, and d is what F leaves of the variances, in turn; so the sigma of
every wavelength stays as it is. With the full rank C is the matrix itself.

Evaluated by the singular value decomposition U S of diag(d)^-1/2 F: with z = r / sqrt(d) and p = U^T z,

    r^T C^-1 r = |z - U p|^2 + sum_k p_k^2 / (1 + S_k^2),   ln det C = sum ln d + sum ln(1 + S_k^2),

which adds up what is positive, where Woodbury's formula subtracts numbers of almost the same size.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spectramind_kit.errors import ProductError
from spectramind_kit.shapes import Product, require_shape

LARGEST_DIVERGENCE = 0.01
"""Of the reduced from the whole likelihood [nat]: the mean of their difference, which no retrieval could tell."""
_RANKS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192)
"""That are tried where none is asked for."""
_ROUNDS = 15
_CONVERGED = 1e-4


@dataclass(frozen=True, repr=False, eq=False)
class SpectrumLikelihood(Product):
    """A Gaussian likelihood of a model's spectrum.

    Attributes:
        wavelength: (n_wavelength,) [um].
        mean: (n_wavelength,) depths [(Rp/Rs)^2].
        factor: (n_wavelength, n_rank), of the covariance F F^T + diag(d).
        diagonal: (n_wavelength,), d, above 0.
        divergence: Kullback-Leibler divergence from the likelihood with the whole covariance [nat].
    """

    wavelength: np.ndarray
    mean: np.ndarray
    factor: np.ndarray
    diagonal: np.ndarray
    divergence: float = 0.0

    def __post_init__(self):
        n = len(self.wavelength)
        require_shape("SpectrumLikelihood", "mean", self.mean, (n,))
        require_shape("SpectrumLikelihood", "factor", self.factor, (n, None))
        require_shape("SpectrumLikelihood", "diagonal", self.diagonal, (n,))

    @property
    def covariance(self) -> np.ndarray:
        """(n_wavelength, n_wavelength), with the rank that it has here."""
        return self.factor @ self.factor.T + np.diag(self.diagonal)

    def log_likelihood(self, model_spectrum: np.ndarray) -> np.ndarray | float:
        """Return ln L of spectra that a model predicts at ``wavelength``.

        Args:
            model_spectrum: (n_wavelength,), or (..., n_wavelength) for many at once [(Rp/Rs)^2].
        """
        if np.shape(model_spectrum)[-1:] != self.mean.shape:
            wanted = f"(..., {len(self.mean)}), depths at .wavelength"
            raise ProductError("model spectrum", wanted=wanted, got=f"shape {np.shape(model_spectrum)}")
        basis, stretch = self._whitened
        z = (np.asarray(model_spectrum, dtype=np.float64) - self.mean) / np.sqrt(self.diagonal)
        p = z @ basis
        chi_squared = np.square(z - p @ basis.T).sum(axis=-1) + (p**2 / (1.0 + stretch**2)).sum(axis=-1)
        return -0.5 * (chi_squared + self._ln_det)

    @cached_property
    def _whitened(self) -> tuple[np.ndarray, np.ndarray]:
        basis, stretch, _ = np.linalg.svd(self.factor / np.sqrt(self.diagonal)[:, None], full_matrices=False)
        return basis, stretch

    @cached_property
    def _ln_det(self) -> float:
        ln_two_pi = len(self.mean) * np.log(2.0 * np.pi)
        return float(ln_two_pi + np.log(self.diagonal).sum() + np.log1p(self._whitened[1] ** 2).sum())


def spectrum_likelihood(
    wavelength: np.ndarray, mean: np.ndarray, covariance: np.ndarray, rank: int | None = None
) -> SpectrumLikelihood:
    """Return the likelihood of a spectrum.

    Args:
        wavelength: (n_wavelength,) [um].
        mean: (n_wavelength,) depths [(Rp/Rs)^2].
        covariance: (n_wavelength, n_wavelength) of them.
        rank: columns of the factor; the number of wavelengths for the covariance as it is, None for the fewest whose
            divergence is below ``LARGEST_DIVERGENCE``.

    Raises:
        ProductError: if the covariance is not positive definite, or there is no such rank.
    """
    n = len(mean)
    if rank is not None and not 0 <= rank <= n:
        raise ProductError("rank of a spectrum's likelihood", wanted=f"0 to {n}", got=rank)
    sigma = np.sqrt(np.diag(covariance).clip(0.0))
    if not (np.isfinite(sigma) & (sigma > 0)).all():
        raise ProductError("covariance of a spectrum", wanted="variances above 0", got=np.diag(covariance).min())
    correlation = covariance / np.outer(sigma, sigma)
    values, vectors = np.linalg.eigh(correlation)
    if not values[0] > 0.0:
        raise ProductError("covariance of a spectrum", wanted="a positive definite matrix", got=f"{values[0]:g} in it")
    ranks = [each for each in _RANKS if each < n - 1] + [n] if rank is None else [rank]
    for each in ranks:
        factor, left = _as_it_is(values, vectors) if each >= n - 1 else _factors(correlation, values[0], each)
        divergence = _divergence(correlation, values, factor, left)
        if divergence < LARGEST_DIVERGENCE:
            break
    return SpectrumLikelihood(wavelength, mean, sigma[:, None] * factor, sigma**2 * left, divergence)


def _as_it_is(values: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a correlation matrix in full: its eigenvectors above the smallest one's level, and that level."""
    return vectors[:, 1:] * np.sqrt(values[1:] - values[0]), np.full(len(values), values[0])


def _factors(correlation: np.ndarray, smallest: float, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return factor (n, rank) and what it leaves of a correlation matrix's diagonal (n,), above 0."""
    n = len(correlation)
    factor, left = np.zeros((n, rank)), 1.0 / np.diag(np.linalg.inv(correlation))
    for _ in range(_ROUNDS):
        root = np.sqrt(left)
        values, vectors = np.linalg.eigh(correlation / np.outer(root, root))
        top = slice(n - rank, None)
        factor = root[:, None] * vectors[:, top] * np.sqrt((values[top] - 1.0).clip(0.0))
        before, left = left, np.maximum(1.0 - np.square(factor).sum(axis=1), smallest)
        if np.abs(left / before - 1.0).max() < _CONVERGED:
            break
    total = np.square(factor).sum(axis=1) + left  # one, but where the smallest value stopped it
    return factor / np.sqrt(total)[:, None], left / total


def _divergence(correlation: np.ndarray, values: np.ndarray, factor: np.ndarray, left: np.ndarray) -> float:
    """Return the divergence of the reduced from the whole correlation matrix, whose eigenvalues are known [nat]."""
    reduced = factor @ factor.T + np.diag(left)
    difference = np.trace(np.linalg.solve(reduced, correlation)) - len(left)
    return max(0.0, float(0.5 * (difference + np.linalg.slogdet(reduced)[1] - np.log(values).sum())))
