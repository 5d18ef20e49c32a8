"""The three public baselines: they learn, repeat themselves, survive files, and know what they do not know."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from spectramind_kit.errors import CompetitionDataError, ConfigurationError, ProductError
from spectramind_kit.public_baselines import residual_mlp
from spectramind_kit.public_baselines.baseline import (
    DESIGNS,
    FACTS,
    WEIGHTS,
    load_baseline,
    save_baseline,
    train_baseline,
)
from spectramind_kit.public_baselines.front_end import FEATURE_NAMES
from spectramind_kit.public_baselines.sigma_rule import CONSTANT

REGRESSOR, PAIR, IMPACT = "fawad_awan_spectrum_regressor", "thang_do_duc", "v1ctorious_80bl_128hd_impact"


def planets(n, seed=0):
    """Return features and spectra of planets whose dip is deeper than the covered area by what the star adds."""
    rng = np.random.default_rng(seed)
    depth, radius = rng.uniform(0.005, 0.03, n), rng.uniform(0.6, 1.6, n)
    features = np.column_stack(
        [
            1e4 * depth * (1 + 0.02 * radius),
            radius,
            rng.uniform(86, 90, n),
            rng.uniform(0, 0.6, n),
            rng.uniform(4e-4, 8e-4, n),
            rng.uniform(5e-5, 9e-5, n),
        ]
    )
    return features, depth[:, None] * (1 + 0.02 * np.sin(np.linspace(0, 6, 283)))


@pytest.fixture(scope="module")
def regressor():
    return train_baseline(REGRESSOR, *planets(150), seed=3)


@pytest.fixture(scope="module")
def pair():
    """The pair after one epoch: enough to be told from others, too few to be good."""
    return train_baseline(PAIR, *planets(20), seed=3, max_epochs=1)


@pytest.fixture
def shallow(monkeypatch):
    """Residual networks of two blocks, which train in no time."""
    monkeypatch.setattr(residual_mlp, "N_BLOCK", 2)


def test_the_regressor_learns_depths_of_planets_it_has_not_seen(regressor):
    features, spectra = planets(60, seed=1)
    mean, sigma = regressor.predict(features)
    assert mean.shape == sigma.shape == (60, 283)
    assert np.sqrt(np.mean((mean - spectra) ** 2)) < 0.1 * spectra.std()
    assert regressor.n_planets == 150 and len(regressor.epochs) == 1


def test_the_pair_learns_as_well(shallow):
    features, spectra = planets(60, seed=1)
    mean, _ = train_baseline(PAIR, *planets(150), seed=0).predict(features)
    assert np.sqrt(np.mean((mean - spectra) ** 2)) < 0.2 * spectra.std()


def test_parameters_are_the_published_number(pair, regressor):
    assert round(pair.parameters / 1e6, 2) == 2.90, "0.18 million of FGS1's and 2.72 of AIRS-CH0's"
    assert regressor.parameters == sum(p.numel() for p in regressor.networks[0].parameters())


def test_only_the_impact_network_sees_the_impact_parameter(shallow):
    assert {name: DESIGNS[name].inputs for name in DESIGNS} == {
        PAIR: ("depth", "stellar_radius", "inclination"),
        IMPACT: ("depth", "stellar_radius", "inclination", "impact_parameter"),
        REGRESSOR: ("depth", "stellar_radius", "inclination"),
    }
    features, spectra = planets(12)
    impact = train_baseline(IMPACT, features, spectra, seed=0, max_epochs=1)
    features[0, FEATURE_NAMES.index("impact_parameter")] += 0.5
    assert np.abs(impact.predict(features)[0][0] - impact.predict(planets(12)[0])[0][0]).max() > 0


@pytest.mark.parametrize("name", DESIGNS)
def test_the_seed_rules_everything(name, shallow):
    features, spectra = planets(12)
    state = torch.random.get_rng_state()
    one, again, other = (
        train_baseline(name, features, spectra, seed=s, max_epochs=1).predict(features) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one[0], again[0])
    assert np.abs(one[0] - other[0]).max() > 0
    assert torch.equal(torch.random.get_rng_state(), state), "nobody else's random numbers are touched"


def test_what_is_not_known_of_a_planet_gives_the_population(regressor):
    features, spectra = planets(150)
    features = features[:4].copy()
    features[1, FEATURE_NAMES.index("depth")] = np.nan
    features[2, FEATURE_NAMES.index("stellar_radius")] = np.inf
    features[3, FEATURE_NAMES.index("impact_parameter")] = np.nan  # which this one does not look at
    mean, sigma = regressor.predict(features)
    for lost in (1, 2):
        np.testing.assert_allclose(mean[lost], spectra.mean(axis=0))
        np.testing.assert_allclose(sigma[lost], spectra.std(axis=0))
    assert (sigma[[0, 3]] < 1e-3).all()
    alone = regressor.predict(features[1:3])
    np.testing.assert_array_equal(alone[0], mean[1:3])


def test_a_training_planet_without_features_counts_for_the_population_only():
    features, spectra = planets(30)
    features[:5, 0] = np.nan
    baseline = train_baseline(REGRESSOR, features, spectra, seed=0, max_epochs=3)
    assert baseline.n_planets == 25
    np.testing.assert_allclose(baseline.scaling.population_mean, spectra.mean(axis=0))
    assert all(torch.isfinite(p).all() for p in baseline.networks[0].parameters())


def test_means_are_possible_depths_and_sigma_follows_the_rule(regressor):
    features, _ = planets(10)
    features[:, 0] = np.linspace(-1e6, 1e6, 10)
    mean, _ = regressor.predict(features)
    assert (mean > 0).all() and (mean <= 1).all()
    constant = replace(regressor, sigma_rule="constant")
    assert (constant.predict(features)[1] == CONSTANT).all()
    assert regressor.predict(features)[1].std() > 0, "the rule by planet is the default"


@pytest.mark.parametrize("which", ["regressor", "pair"])
def test_files_and_back(which, tmp_path, request):
    baseline = request.getfixturevalue(which)
    folder = save_baseline(baseline, tmp_path / "model")
    back, features = load_baseline(folder), planets(9, seed=5)[0]
    for was, is_now in zip(baseline.predict(features), back.predict(features)):
        np.testing.assert_array_equal(was, is_now)
    for name in ("name", "sigma_rule", "epochs", "n_planets", "seed", "parameters"):
        assert getattr(back, name) == getattr(baseline, name)
    facts = json.loads((folder / FACTS).read_text())
    assert facts["features"] == list(FEATURE_NAMES) and facts["parameters"] == baseline.parameters


def test_damaged_files_are_named(regressor, tmp_path):
    with pytest.raises(CompetitionDataError, match="train it first"):
        load_baseline(tmp_path)
    for spoil in (
        lambda: (tmp_path / WEIGHTS).write_bytes((tmp_path / WEIGHTS).read_bytes()[:1000]),
        lambda: (tmp_path / FACTS).unlink(),
        lambda: (tmp_path / FACTS).write_text('{"name": "thang_do_duc"}'),
        lambda: (tmp_path / FACTS).write_text("{"),
        lambda: (tmp_path / FACTS).write_text("[]"),
    ):
        save_baseline(regressor, tmp_path)
        spoil()
        with pytest.raises(CompetitionDataError, match="train it again"):
            load_baseline(tmp_path)


def test_wrong_names_shapes_and_too_few_planets_are_refused(regressor):
    features, spectra = planets(4)
    with pytest.raises(ConfigurationError, match="thang_do_duc or v1ctorious"):
        train_baseline("best", features, spectra, seed=0)
    with pytest.raises(ConfigurationError, match="sigma rule.*'guess'"):
        train_baseline(PAIR, features, spectra, seed=0, sigma_rule="guess")
    with pytest.raises(ConfigurationError, match=r"\(n_planet, 6\): depth"):
        regressor.predict(features[:, :3])
    with pytest.raises(ProductError, match="training planets.spectra"):
        train_baseline(PAIR, features, spectra[:3], seed=0)
    features[:2, 0] = np.nan
    with pytest.raises(CompetitionDataError, match="3 with depth and star, got 2"):
        train_baseline(PAIR, features, spectra, seed=0)


def test_three_planets_are_enough(shallow):
    features, spectra = planets(3)
    mean, _ = train_baseline(PAIR, features, spectra, seed=0, max_epochs=1).predict(features)
    assert np.isfinite(mean).all()
