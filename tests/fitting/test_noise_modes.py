"""Correlated noise in few time functions: the covariance of their amplitudes is that of drawn noise."""

import numpy as np
import pytest

from spectramind_kit.fitting.noise_modes import (
    MEMORIES,
    N_MODE,
    SMOOTH,
    USUAL,
    cosines,
    kernel_covariances,
    slow_noise,
    usual_covariance,
)

LENGTH = 27_000.0
KINDS = ("white", *MEMORIES, "walk", "smooth")
"""Of the kernels, in their order: Matern kernels by their memory."""
TIME = (np.arange(225) + 0.5) * 120.0


def matern(rng, memory, n_draw):
    """Draw a Matern 3/2 process of unit variance (n_draw, n_time), a covariance written down a second time."""
    apart = np.sqrt(3.0) * np.abs(TIME[:, None] - TIME) / memory
    root = np.linalg.cholesky((1.0 + apart) * np.exp(-apart) + 1e-9 * np.eye(len(TIME)))
    return rng.standard_normal((n_draw, len(TIME))) @ root.T


def drawn(kind, n_draw=4000):
    """Draw noise of one kernel, (n_draw, n_time)."""
    rng = np.random.default_rng(KINDS.index(kind))
    if kind == "white":
        return rng.standard_normal((n_draw, len(TIME)))
    if kind == "walk":
        return np.cumsum(rng.standard_normal((n_draw, len(TIME))), axis=1) / np.sqrt(len(TIME))
    if kind == "smooth":
        covariance = np.exp(-0.5 * ((TIME[:, None] - TIME) / SMOOTH) ** 2) + 1e-9 * np.eye(len(TIME))
        return rng.standard_normal((n_draw, len(TIME))) @ np.linalg.cholesky(covariance).T
    return matern(rng, kind, n_draw)


def test_cosines_of_evenly_spaced_times_are_orthogonal_and_have_no_mean():
    modes = cosines(TIME, N_MODE)
    np.testing.assert_allclose(modes @ modes.T / len(TIME), 0.5 * np.eye(N_MODE), atol=1e-12)
    np.testing.assert_allclose(modes.mean(axis=1), 0.0, atol=1e-12)


def test_cosines_do_not_depend_on_when_a_visit_began():
    np.testing.assert_allclose(cosines(TIME + 1e6, 5), cosines(TIME, 5), atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_the_amplitudes_of_drawn_noise_have_the_covariance_of_their_kernel(kind):
    """Bins of 120 s have a variance of one in white noise, too: that is what its unit means."""
    amplitudes = drawn(kind) @ cosines(TIME, N_MODE).T * 2.0 / len(TIME)
    measured = amplitudes.T @ amplitudes / len(amplitudes)
    expected = kernel_covariances(LENGTH, N_MODE)[KINDS.index(kind)]
    size = np.sqrt(np.diag(expected))
    # 4000 draws: a variance is known to 2.2 %, a correlation to 1.6 %; bins cut what is faster than they are.
    np.testing.assert_allclose(np.diag(measured)[:16] / size[:16] ** 2, 1.0, atol=0.1)
    np.testing.assert_allclose(
        (measured / np.outer(size, size))[:16, :16], (expected / np.outer(size, size))[:16, :16], atol=0.1
    )


def test_kernels_are_covariances_and_the_longer_memory_is_the_redder():
    kernels = kernel_covariances(LENGTH, N_MODE)
    assert len(kernels) == len(KINDS) == len(USUAL)
    for kernel in kernels:
        assert np.linalg.eigvalsh(kernel)[0] > -1e-12 * kernel.max()
    first = [kernel[:4, :4].trace() / kernel.trace() for kernel in kernels]
    assert (np.diff(first[: 1 + len(MEMORIES)]) > 0.0).all() and first[KINDS.index("walk")] > 0.8
    fast = [kernel[20:, 20:].trace() / kernel.trace() for kernel in kernels]
    assert np.argmin(fast) == KINDS.index("smooth") and min(fast) < 1e-3


def test_the_modes_hold_almost_all_of_slow_noise():
    """What is left out is faster than 15 min."""
    for kind, most in ((MEMORIES[1], 0.05), (MEMORIES[2], 0.005), ("walk", 0.03)):
        noise = drawn(kind, 200)
        noise = noise - noise.mean(axis=1, keepdims=True)
        modes = cosines(TIME, N_MODE)
        left = noise - noise @ modes.T * 2.0 / len(TIME) @ modes
        assert (left**2).mean() < most * (noise**2).mean(), kind


def test_usual_noise_is_the_sum_of_all_kinds():
    size = np.sqrt(np.trace(usual_covariance(LENGTH, N_MODE)) / 2.0)
    assert 1e-5 < size < 4e-5
    expected = sum(s**2 * kernel for s, kernel in zip(USUAL, kernel_covariances(LENGTH, N_MODE)))
    np.testing.assert_allclose(usual_covariance(LENGTH, N_MODE), expected)


def test_kept_kernels_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        kernel_covariances(LENGTH, N_MODE)[0, 0, 0] = 1.0


def measured(noise, white, lost=0.1, seed=5):
    """Return size and remainder (n, 2) of several series beside white noise, with some times lost."""
    rng = np.random.default_rng(seed)
    weight = np.where(rng.random(len(TIME)) < lost, 0.0, white**-2.0)
    return np.array([slow_noise(TIME, 120.0, one + white * rng.standard_normal(len(TIME)), weight) for one in noise])


@pytest.mark.parametrize("size", [0.0, 1.0, 10.0, 100.0])
def test_the_slow_noise_is_found(size):
    root = np.linalg.cholesky(usual_covariance(LENGTH, N_MODE))
    usual = (root @ np.random.default_rng(6).standard_normal((N_MODE, 60))).T @ cosines(TIME, N_MODE)
    found, left = measured(size * usual, 1e-5).mean(axis=0)
    assert abs(found - size) < 0.3 + 0.3 * size and abs(left - 1.0) < 0.05


def test_of_noise_as_fast_as_the_times_follow_one_another_nearly_all_is_left():
    """It is the same in all wavelengths, so that none of them scatters as much as their mean does."""
    left = measured(4e-4 * drawn("white", 20), 2e-5)[:, 1]
    assert abs(left.mean() - 401.0) < 40.0


def test_few_times_know_no_size_of_noise():
    assert measured(np.ones((1, len(TIME))), 1e-5, lost=0.75).tolist() == [[0.0, 1.0]]
