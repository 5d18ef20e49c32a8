"""Regressors over tables: they hear what features say, never see the planet that they judge, and fail alone."""

import logging

import numpy as np
import pytest

from spectramind_kit.features.planet import NODE
from spectramind_kit.features.table import TABLE, table
from spectramind_kit.own_models.regressors import are_regressors, corrected_by_regressors, train_regressors
from spectramind_kit.settings.model import ModelConfig
from tests.training.random_planets import WAVELENGTH, random_examples

FGS1 = WAVELENGTH < 1.0


class Recalled:
    """Knows the targets of the planets it has seen, by their first feature; says so with ``folds`` too."""

    def fit(self, features, targets, folds):
        assert len(folds) == len(features)
        self.known = {round(float(row[0]), 9): target for row, target in zip(features, targets)}
        self.n = targets.shape[1]

    def predict(self, features):
        return np.array([self.known.get(round(float(row[0]), 9), np.zeros(self.n)) for row in features])


class Shouting:
    """Says far more than any fit can be wrong by, and that all sigmas are wrong by a factor of a million."""

    def fit(self, features, targets):
        pass

    def predict(self, features):
        return np.full(len(features), 1e6), np.full(len(features), -14.0)


class Failing:
    """Answers in a shape that fits nothing."""

    def fit(self, features, targets):
        pass

    def predict(self, features):
        return np.zeros((len(features), 5))


def model(name, **options):
    kind = f"{__name__}:{name}"
    return ModelConfig(kind, 8, 2, 1, 1, 1, 2, 10, 0.0, 1, options or None)


@pytest.fixture
def examples():
    return random_examples(12)


def trained(examples, folder, name, **options):
    train_regressors(model(name, **options), examples.features, examples.truth, examples.fold, FGS1, folder)
    return folder


def test_a_row_holds_what_its_names_say(examples):
    rows = table(examples.features, FGS1)
    assert rows.shape == (12, len(TABLE)) and len(set(TABLE)) == len(TABLE)
    place = TABLE.index("airs_node_ln_sigma")
    expected = [each.node[~FGS1, NODE.index("ln_sigma")].mean() for each in examples.features]
    assert rows[:, place] == pytest.approx(expected, abs=1e-6)


def test_no_regressor_judges_a_planet_that_it_has_seen(examples, tmp_path):
    folder = trained(examples, tmp_path / "networks", "Recalled")
    assert are_regressors(folder)
    out = corrected_by_regressors(folder, examples.features, examples.fold.tolist(), WAVELENGTH)
    for planet, answer in zip(examples.features, out):
        assert answer is not None and np.array_equal(answer[0], planet.mean)
    # All together do know it, or this test could not fail.
    known = corrected_by_regressors(folder, examples.features[:1], [None], WAVELENGTH)[0]
    assert known is not None and not np.allclose(known[0], examples.features[0].mean)


def test_no_answer_is_farther_out_or_surer_than_a_fit_can_be_wrong(examples, tmp_path):
    folder = trained(examples, tmp_path / "networks", "Shouting")
    planet = examples.features[0]
    answer = corrected_by_regressors(folder, [planet], [None], WAVELENGTH)[0]
    assert answer is not None
    assert np.allclose((answer[0] - planet.mean) / planet.sigma, 10.0)
    assert np.allclose(answer[1] / planet.sigma, np.exp(-2.0))


def test_an_answer_that_fits_nothing_costs_that_planet_only_the_correction(examples, tmp_path, caplog):
    folder = trained(examples, tmp_path / "networks", "Failing")
    with caplog.at_level(logging.WARNING):
        assert corrected_by_regressors(folder, examples.features[:2], [None, None], WAVELENGTH) == [None, None]
    assert "the regressor failed on planet" in caplog.text


def test_a_planet_is_answered_the_same_whatever_its_neighbours(examples, tmp_path):
    train_regressors(
        ModelConfig("spectramind_kit.model_templates.ridge:Ridge", 8, 2, 1, 1, 1, 2, 10, 0.0, 1),
        examples.features,
        examples.truth,
        examples.fold,
        FGS1,
        tmp_path / "networks",
    )
    folds = examples.fold.tolist()
    together = corrected_by_regressors(tmp_path / "networks", examples.features, folds, WAVELENGTH)
    for planet, fold, answer in zip(examples.features, folds, together):
        (alone,) = corrected_by_regressors(tmp_path / "networks", [planet], [fold], WAVELENGTH)
        assert alone is not None and answer is not None
        assert np.array_equal(alone, answer)
