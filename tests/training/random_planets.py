"""Planets for the tests of training: features without physics, and truths that a network can learn from them."""

import numpy as np

from spectramind_kit.features.planet import CONTEXT, NODE, Features
from spectramind_kit.features.visit import SEQUENCE
from spectramind_kit.training.examples import Examples

WAVELENGTH = np.concatenate([[0.7], np.linspace(1.95, 3.9, 282)])
N_TIME = 30


def random_planet(planet_id: int, rng: np.random.Generator, n_visit: int = 1, n_time: int = N_TIME) -> Features:
    """Return features drawn from a normal, those of the context nearly alike; mean 0.01-0.02, sigma 1e-4."""
    n = len(WAVELENGTH)
    visits = tuple(rng.standard_normal((n_time, len(SEQUENCE))).astype(np.float32) for _ in range(n_visit))
    node = rng.standard_normal((n, len(NODE))).astype(np.float32)
    context = (rng.standard_normal() + 0.3 * rng.standard_normal(len(CONTEXT))).astype(np.float32)
    return Features(planet_id, visits, node, context, np.full(n, rng.uniform(0.01, 0.02)), np.full(n, 1e-4))


def random_examples(n: int = 24, seed: int = 0, folds: int = 3) -> Examples:
    """Return planets whose standardised residual is that of their context, and little else."""
    rng = np.random.default_rng(seed)
    features = tuple(random_planet(100 + i, rng, n_visit=1 + i % 2) for i in range(n))
    residual = np.array([2.0 * each.context.mean() for each in features])[:, None]
    residual = residual + 0.1 * rng.standard_normal((n, len(WAVELENGTH)))
    truth = np.stack([each.mean + each.sigma * shift for each, shift in zip(features, residual)])
    return Examples(features, truth, np.arange(n) % folds, WAVELENGTH)
