"""Visits whose light curves are linear in all parameters: likelihoods that are drawn, with a truth."""

from collections.abc import Sequence

import numpy as np

from spectramind_kit.likelihood import VisitLikelihood


def linear_visit(
    rng: np.random.Generator,
    names: Sequence[str],
    shared: np.ndarray,
    spectrum: np.ndarray,
    *,
    error: np.ndarray,
    response: np.ndarray,
    depth_error: float = 1e-4,
    prior_mean: np.ndarray | None = None,
    prior_scatter: np.ndarray | None = None,
    reference: np.ndarray | None = None,
    noise: float = 1.0,
) -> VisitLikelihood:
    """Draw a visit.

    Args:
        rng: of the errors.
        names: of the shared parameters.
        shared: (n_shared,) true.
        spectrum: (n_wavelength,) true depths.
        error: (n_shared,) with which the light curves measure the shared parameters, beside the depths.
        response: (n_wavelength, n_shared), slope of the measured depths by the shared parameters.
        depth_error: of the depths at given shared parameters.
        prior_mean: (n_shared,), zero by default.
        prior_scatter: (n_shared,), one by default.
        reference: (n_shared,), zero by default.
        noise: drawn errors over those that the visit claims.
    """
    n, zero = len(spectrum), np.zeros(len(names))
    reference = zero if reference is None else reference
    measured = shared + noise * error * rng.standard_normal(len(names))
    # depths | shared = depth + response (shared - reference): at the true shared parameters they are the spectrum.
    depth = spectrum - response @ (shared - reference) + noise * depth_error * rng.standard_normal(n)
    return VisitLikelihood(
        names=tuple(names),
        reference=reference,
        information=np.diag(error**-2.0),
        score=error**-2.0 * (measured - reference),
        depth=depth,
        variance=np.full(n, depth_error**2),
        response=response,
        prior_mean=zero if prior_mean is None else prior_mean,
        prior_scatter=zero + 1.0 if prior_scatter is None else prior_scatter,
        length=27_000.0,
        ln_likelihood=0.0,
        extra_variance=np.zeros(n),
        masked=np.zeros(n, dtype=bool),
    )
