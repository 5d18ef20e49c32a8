"""What moves the network: kinds of inputs that together are all of them, exchanged and nothing else."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.config import load_config
from spectramind_kit.diagnostics.importance import (
    GROUPS,
    Importance,
    exchanged,
    importance_figure,
    permutation_importance,
)
from spectramind_kit.features.planet import CONTEXT, NODE, Features
from spectramind_kit.features.visit import SEQUENCE
from spectramind_kit.prediction.trained_model import load_model, save_model

WITHOUT = {"visits": {"time"}, "node": {"fgs1", "ln_wavelength"}, "context": set()}
"""What is the same for every planet, and cannot be exchanged."""


def features(value, n_time=9):
    shape = (5, len(NODE))
    visits = (np.full((n_time, len(SEQUENCE)), value, dtype=np.float32),)
    return Features(1, visits, np.full(shape, value), np.full(len(CONTEXT), value), np.ones(5), np.ones(5))


@pytest.mark.parametrize("part, names", [("visits", SEQUENCE), ("node", NODE), ("context", CONTEXT)])
def test_every_input_is_of_one_kind(part, names):
    grouped = [name for where, channels in GROUPS.values() if where == part for name in channels]
    assert len(grouped) == len(set(grouped)) and set(grouped) == set(names) - WITHOUT[part]


def test_only_the_named_channels_are_exchanged():
    ours, other = features(1.0), features(2.0, n_time=4)
    found = exchanged(ours, other, "visits", ("airs_residual",))
    place = SEQUENCE.index("airs_residual")
    assert (found.visits[0][:, place] == 2.0).all() and found.visits[0].sum() == 9 * (len(SEQUENCE) + 1)
    assert (ours.visits[0] == 1.0).all() and found.node is ours.node
    node = exchanged(ours, other, "node", (NODE[0],)).node
    assert (node[:, 0] == 2.0).all() and (node[:, 1:] == 1.0).all()


def test_the_most_important_kind_is_on_top():
    figure = importance_figure([Importance("a", 0.2, 0.01), Importance("b", 0.5, 0.02)], 12)
    assert figure.traces[0]["y"] == ["a", "b"] and "12 held-out planets" in figure.note


def test_a_trained_network_is_measured_on_planets_it_has_not_seen(competition, trained_work, tmp_path):
    work = shutil.copytree(trained_work, tmp_path / "work")
    folder, config = open_competition(competition.data), load_config(["diagnostics.importance_seconds=0.01"])
    planets = folder.planet_ids("train")
    model = load_model(work / "model")

    def weighted(calibration, weight):
        return replace(calibration, blending_weight=np.full_like(calibration.blending_weight, weight))

    for weight, measured in ((0.0, 0), (0.5, 4)):
        folds = tuple(weighted(each, weight) for each in model.fold_calibrations)
        save_model(
            replace(model, calibration=weighted(model.calibration, weight), fold_calibrations=folds), work / "model"
        )
        found, n_planet = permutation_importance(folder, work, planets, config)
        assert n_planet == measured and {each.name for each in found} == (set(GROUPS) if measured else set())
        assert all(np.isfinite([each.drop, each.standard_error]).all() for each in found)
