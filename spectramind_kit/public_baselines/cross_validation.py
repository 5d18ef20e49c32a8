"""A public baseline under cross-validation: one for each held-out fold, and one of all planets for new ones.

<networks>/fold0/ ... <networks>/all/     what ``save_baseline`` leaves
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spectramind_kit.public_baselines.baseline import load_baseline, save_baseline, train_baseline


def train_baselines(
    name: str, features: np.ndarray, truth: np.ndarray, fold: np.ndarray, seed: int, networks: Path
) -> None:
    """Train a baseline without each fold, and one on all planets.

    Args:
        name: of the baseline.
        features: (n_planet, n_feature) of its front end.
        truth: (n_planet, n_wavelength) [(Rp/Rs)^2].
        fold: (n_planet,) cross-validation fold.
        seed: of weights and order.
        networks: folder they are left in.
    """
    for held_out in (None, *sorted(set(fold.tolist()))):
        known = np.ones(len(fold), dtype=bool) if held_out is None else fold != held_out
        baseline = train_baseline(name, features[known], truth[known], seed=seed)
        save_baseline(baseline, networks / _name(held_out))


def baseline_predictions(
    networks: Path, features: np.ndarray, folds: Sequence[int | None]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return mean and sigma (n_wavelength,) of every planet, from the baseline that was trained without it.

    Args:
        networks: folder of the baselines.
        features: (n_planet, n_feature) of the front end.
        folds: the fold of each planet; None for one that is no training planet.
    """
    predictions: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for fold in set(folds):
        places = [i for i, own in enumerate(folds) if own == fold]
        mean, sigma = load_baseline(networks / _name(fold)).predict(features[places])
        predictions |= {place: (mean[i], sigma[i]) for i, place in enumerate(places)}
    return [predictions[i] for i in range(len(folds))]


def _name(held_out: int | None) -> str:
    return "all" if held_out is None else f"fold{held_out}"
