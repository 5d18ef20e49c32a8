"""Planets damaged on purpose: what they teach widens those like them, and nobody else."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.flags import Flag
from spectramind_kit.prediction.inference import infer
from spectramind_kit.prediction.input_ranges import STATISTICS
from spectramind_kit.prediction.measure import Measurement
from spectramind_kit.prediction.plausibility import Safeguards
from spectramind_kit.prediction.predict import calibrated_spectra
from spectramind_kit.prediction.trained_model import TrainedModel
from spectramind_kit.prediction.training_set import TrainingSet
from spectramind_kit.products import DepthEstimate
from spectramind_kit.training.damaged_planets import DAMAGES, learn_safeguards, planets_to_damage
from spectramind_kit.uncertainty.posthoc import fit_calibration
from spectramind_kit.uncertainty.recalibration import no_recalibration
from tests.training.fitted_light_curves import fitted

WAVELENGTH = np.concatenate([[0.7], np.linspace(1.95, 3.9, 282)])
N_PLANET, SIGMA, WRONG_TIME = 24, 5e-5, STATISTICS.index("FGS1: wrong time")


@pytest.fixture(scope="module")
def world():
    """A model, its held-out planets, and six of them whose level is off by forty sigma, and whose light shows it."""
    rng = np.random.default_rng(2)
    levels = rng.uniform(0.008, 0.03, N_PLANET)
    truth = levels[:, None] * (1.0 + rng.normal(0, 0.005, (N_PLANET, 1)) * np.sin(WAVELENGTH))
    fold = np.arange(N_PLANET) % 4
    known = TrainingSet(np.arange(N_PLANET), truth, fold, WAVELENGTH)
    model = TrainedModel(known, fit_calibration(no_recalibration(), 283), n_measured=N_PLANET)
    populations = {f: known.population(f) for f in range(4)}

    def inferred(planet, error):
        covariance = SIGMA**2 * (1.0 + 0.2 * np.eye(283))
        estimate = DepthEstimate(planet, truth[planet] + error + rng.normal(0, 0.3 * SIGMA, 283), covariance, 1)
        one = infer(Measurement(planet, estimate), populations[planet % 4])
        return replace(one, statistics=rng.uniform(0.0, 1.0, (1, 2, len(STATISTICS))) * [[[1.0], [0.0]]])

    held_out = [inferred(planet, rng.normal(0, SIGMA)) for planet in range(N_PLANET)]
    damaged = [inferred(planet, 40.0 * SIGMA * sign) for planet, sign in zip(range(6), (1, -1) * 3)]
    for place, one in enumerate(damaged):
        one.statistics[0, 0, WRONG_TIME] = 5.0 + 0.2 * place
    return model, held_out, fold, damaged, truth


def spectra(model, planets, config):
    return calibrated_spectra(model, planets, [None] * len(planets), config)


def z_of(found, truth):
    return np.array([np.abs((s.mean - truth[s.planet_id]) / s.sigma).max() for s in found])


def test_what_is_damaged_is_flagged_and_widened_and_the_others_stay_as_they_are(world, config):
    model, held_out, fold, damaged, truth = world
    before = spectra(model, held_out, config)
    assert z_of(spectra(model, damaged, config), truth).min() > 15.0
    guarded = replace(model, safeguards=learn_safeguards(model, held_out, fold, damaged, config))
    widened = spectra(guarded, damaged, config)
    assert all(Flag.UNLIKE_TRAINING in s.flags and "FGS1: wrong time" in s.flags[Flag.UNLIKE_TRAINING] for s in widened)
    assert z_of(widened, truth).max() < 2.0
    for one, other in zip(before, spectra(guarded, held_out, config)):
        np.testing.assert_array_equal(one.mean, other.mean)
        np.testing.assert_array_equal(one.sigma, other.sigma)
        assert one.flags == other.flags


def test_flags_of_planets_as_they_were_have_no_factor(world, config):
    model, held_out, fold, damaged, _ = world
    cut = [replace(one, flags={Flag.INGRESS_CUT: ""}, statistics=held_out[0].statistics) for one in damaged]
    assert learn_safeguards(model, held_out, fold, cut, config).factors[Flag.INGRESS_CUT] > 10.0
    cut_before = [replace(held_out[0], flags={Flag.INGRESS_CUT: ""}), *held_out[1:]]
    assert Flag.INGRESS_CUT not in learn_safeguards(model, cut_before, fold, cut, config).factors


def test_few_planets_teach_what_is_usual(world, config):
    model, held_out, fold, damaged, _ = world
    found = learn_safeguards(model, held_out[:12], fold[:12], damaged, config)
    usual = Safeguards()
    assert (found.ranges, found.factors, found.significance) == (None, {}, usual.significance)
    assert planets_to_damage(range(12)) == () and len(planets_to_damage(range(200))) == 8
    blind = [replace(one, statistics=np.zeros((0, 2, len(STATISTICS)))) for one in held_out]
    assert learn_safeguards(model, blind, fold, damaged, config).ranges is None, "nobody looked"


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_what_its_name_says(name):
    own = fitted()[0]
    other = replace(own, flux=2.0 * own.flux, regressors=own.regressors + 1.0)
    before = own.flux.copy()
    found = DAMAGES[name](own, other, np.random.default_rng(0))
    np.testing.assert_array_equal(own.flux, before)
    fgs1 = np.arange(283) == 0
    if "another" in name:
        part = fgs1 == name.startswith("FGS1")
        np.testing.assert_array_equal(found.flux, np.where(part, 2.0 * own.flux, own.flux))
    elif "missing" in name:
        part = fgs1 == name.startswith("FGS1")
        assert np.isinf(found.flux_err[:, part]).all() and len(found.flags) == len(own.flags) + 1
        np.testing.assert_array_equal(found.flux[:, ~part], own.flux[:, ~part])
    elif "cut" in name:
        assert 0.4 <= len(found.time) / len(own.time) <= 0.6 and found.flux.shape == (len(found.time), 283)
    else:
        changed = (found.flux != own.flux).any(axis=0)
        assert changed.sum() == 3 and not changed[0]
