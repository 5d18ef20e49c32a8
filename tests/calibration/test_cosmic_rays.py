"""Cosmic rays are found in one exposure of one pixel, and nothing else is taken for one."""

import numpy as np
import pytest

from spectramind_kit.calibration.cosmic_rays import find_cosmic_rays, remove_cosmic_rays

SIGMA = 8.0


@pytest.fixture
def exposures():
    """Photon and read noise on pixels from dark to bright: signal and variance (40, 3000)."""
    level = np.geomspace(1.0, 5e4, 40)[:, None]
    variance = np.broadcast_to(level + 2 * 13.0**2, (40, 3000)).astype(np.float32)
    noise = np.random.default_rng(1).normal(size=variance.shape) * np.sqrt(variance)
    return (level + noise).astype(np.float32), variance


def test_clean_exposures_stay_untouched(exposures):
    hit = find_cosmic_rays(*exposures, SIGMA)
    assert not hit.any()
    np.testing.assert_array_equal(remove_cosmic_rays(exposures[0], hit), exposures[0])


@pytest.mark.parametrize("where", [0, 1, 1500, 2998, 2999])
def test_a_hit_is_found_and_replaced_by_its_neighbours(exposures, where):
    clean, variance = exposures
    struck = clean.copy()
    struck[[0, 20], where] = 83_000
    hit = find_cosmic_rays(struck, variance, SIGMA)
    assert sorted(zip(*np.nonzero(hit))) == [(0, where), (20, where)]
    cleaned = remove_cosmic_rays(struck, hit)
    other = np.ones(clean.shape, dtype=bool)
    other[[0, 20], where] = False
    np.testing.assert_array_equal(cleaned[other], clean[other])
    assert np.all(np.abs(cleaned - clean)[~other] < 6 * np.sqrt(variance[[0, 20], where]))


def test_the_replacement_is_the_mean_of_both_neighbours():
    signal = np.array([[9.0, 2.0, 4.0, 50.0, 8.0, 90.0]])
    hit = np.array([[True, False, False, True, False, True]])
    np.testing.assert_array_equal(remove_cosmic_rays(signal, hit), [[2, 2, 4, 6, 8, 8]])


def test_light_that_falls_and_rises_is_no_hit(exposures):
    """Ingress, egress and a deep transit stay: a hit exceeds both its neighbours."""
    clean, variance = exposures
    curve = np.ones(3000)
    curve[1000:2000] = 0.95
    dipped = (clean * curve).astype(np.float32)
    assert not find_cosmic_rays(dipped, variance, SIGMA).any()


def test_jitter_beyond_photon_noise_is_measured_and_is_no_hit(exposures):
    clean, variance = exposures
    jitter = np.random.default_rng(2).normal(size=clean.shape[1])
    shaken = clean + 20 * np.sqrt(variance) * jitter
    assert not find_cosmic_rays(shaken.astype(np.float32), variance, SIGMA).any()


@pytest.mark.parametrize("n_exposure", [1, 2, 3])
def test_too_few_exposures_to_tell(n_exposure):
    signal = np.array([[1e5, 1e3, 9e4]])[:, :n_exposure]
    assert not find_cosmic_rays(signal, np.ones_like(signal), SIGMA).any()
