"""One planet's way to its spectrum, and what every failure on the way becomes."""

import dataclasses
import os
import shutil

import numpy as np
import polars as pl
import pytest

from spectramind_kit.errors import FitError
from spectramind_kit.fitting import posterior
from spectramind_kit.flags import Flag
from spectramind_kit.photometry import light_curves
from spectramind_kit.prediction import measure
from spectramind_kit.prediction.inference import infer
from spectramind_kit.prediction.measure import Measurement, PlanetTask, describe, training_labels
from spectramind_kit.prediction.population import learn_population
from spectramind_kit.prediction.spectrum import predict_spectrum
from spectramind_kit.products import DepthEstimate
from spectramind_kit.public_baselines import front_end
from spectramind_kit.uncertainty.recalibration import no_recalibration
from spectramind_kit.work_folder import provenance
from spectramind_kit.work_folder.provenance import code_hash

WAVELENGTH = np.concatenate([[0.7], np.linspace(1.95, 3.9, 282)])


@pytest.fixture(scope="module")
def population():
    rng = np.random.default_rng(0)
    levels = rng.uniform(0.004, 0.03, 40)
    return learn_population(levels[:, None] * (1 + rng.normal(0, 0.005, (40, 283))), WAVELENGTH)


@pytest.fixture(scope="module")
def uncertainty(config):
    return config.uncertainty


ODD = {Flag.OUTLIERS: "2 %"}


def measured(depth, sigma, **more):
    estimate = DepthEstimate(7, np.full(283, depth), np.eye(283) * sigma**2, 1, **more)
    return Measurement(7, estimate)


def scaled_by(fgs1, airs, flag=1.0):
    plain = no_recalibration()
    coefficients = plain.coefficients.copy()
    coefficients[:, 0], coefficients[:, 3] = np.log([fgs1, airs]), np.log(flag)
    return dataclasses.replace(plain, coefficients=coefficients)


def predict(measurement, population, config, recalibration=no_recalibration()):  # noqa: B008 - it is frozen
    return predict_spectrum(infer(measurement, population), recalibration, WAVELENGTH, config)


def test_a_sharp_measurement_speaks_for_itself(population, uncertainty):
    spectrum = predict(measured(0.02, 1e-5, flags=ODD), population, uncertainty)
    assert (spectrum.source, spectrum.problems, spectrum.flags) == ("fit", (), ODD)
    np.testing.assert_allclose(spectrum.mean, 0.02, atol=5e-5)
    assert (spectrum.sigma < 1.2e-5).all()


def test_sigma_is_scaled_and_has_a_floor(population, uncertainty):
    plain = predict(measured(0.02, 1e-4), population, uncertainty)
    scaled = predict(measured(0.02, 1e-4), population, uncertainty, scaled_by(3.0, 2.0, flag=1.5))
    np.testing.assert_allclose(scaled.sigma / plain.sigma, np.where(np.arange(283) == 0, 3.0, 2.0))
    flagged = predict(measured(0.02, 1e-4, flags=ODD), population, uncertainty, scaled_by(3.0, 2.0, flag=1.5))
    np.testing.assert_allclose(flagged.sigma / scaled.sigma, 1.5)
    floored = predict(measured(0.02, 1e-4), population, dataclasses.replace(uncertainty, sigma_floor=5e-3))
    assert (floored.sigma == 5e-3).all()


def test_no_fit_knows_less_than_the_population(population, uncertainty):
    blind = predict(measured(0.02, 10.0), population, uncertainty, scaled_by(5.0, 5.0))
    fallback = predict(Measurement(7, None), population, uncertainty)
    assert (blind.sigma <= fallback.sigma).all()
    np.testing.assert_allclose(blind.mean, population.labels.mean, rtol=0.02)


def test_a_depth_below_zero_becomes_a_small_one_and_not_a_fallback(population, uncertainty):
    spectrum = predict(measured(-3e-4, 2e-5), population, uncertainty)
    assert spectrum.source == "fit" and (spectrum.mean > 0).all() and spectrum.mean.max() < 1e-4


@pytest.mark.parametrize("problems, kept", [((), ("not measured",)), (("no file", "no sun"), ("no file", "no sun"))])
def test_without_a_measurement_the_population_answers_widely(population, uncertainty, problems, kept):
    spectrum = predict(Measurement(7, None, problems), population, uncertainty)
    assert (spectrum.planet_id, spectrum.source, spectrum.problems) == (7, "population", kept)
    np.testing.assert_array_equal(spectrum.mean, population.labels.mean)
    np.testing.assert_allclose(spectrum.sigma, uncertainty.fallback_inflation * population.labels.spread)


def test_an_impossible_measurement_falls_back_with_its_reason(population, uncertainty):
    spectrum = predict(measured(3.0, 1e-6), population, uncertainty)
    assert spectrum.source == "population" and "Spectrum.mean of planet 7" in spectrum.problems[-1]
    unusable = DepthEstimate(7, np.full(283, 0.01), -np.eye(283), 1)
    spectrum = predict(Measurement(7, unusable, ("visit lost",)), population, uncertainty)
    assert spectrum.source == "population" and spectrum.problems[0] == "visit lost"


def test_errors_are_told_in_one_line():
    assert describe(FitError("depths", wanted="finite", got="NaN")) == "depths: wanted finite, got NaN"
    assert describe(ValueError("two\nlines")) == "ValueError: two lines"


def test_labels_that_change_are_read_anew(competition, tmp_path):
    for table in (path for path in competition.data.iterdir() if path.is_file()):
        shutil.copy(table, tmp_path)
    before, path = training_labels(tmp_path), tmp_path / "train.csv"
    assert training_labels(tmp_path) is before
    pl.read_csv(path).with_columns(pl.exclude("planet_id") * 2.0).write_csv(path)
    os.utime(path, ns=(10**18, 10**18))
    after = training_labels(tmp_path)
    assert before and after.keys() == before.keys()
    assert all(np.allclose(after[planet], 2.0 * spectrum) for planet, spectrum in before.items())


class TestPlanetTask:
    @pytest.fixture
    def task(self, competition, trained_work, tmp_path):
        """A task of its own on shared data; what the session's run stored is there already."""
        shutil.copytree(trained_work / "fits", tmp_path / "fits")
        shutil.copytree(trained_work / "light_curves", tmp_path / "light_curves")
        return PlanetTask(competition.data, tmp_path, "test", competition.config)

    @pytest.fixture
    def twice(self, competition):
        """A test planet with two visits."""
        return next(int(p.name) for p in (competition.data / "test").iterdir() if len(list(p.glob("*signal*"))) == 4)

    def test_two_visits_are_joined(self, task, twice):
        measurement = task.measure(twice)
        assert measurement.problems == () and measurement.estimate.n_visit == 2
        single = [task.visit(o).fit.sigma for o in _observations(task, twice)]
        assert (np.sqrt(np.diag(measurement.estimate.covariance)) < 1.05 * np.minimum(*single)).mean() > 0.9

    def test_a_fit_that_fails_is_made_again_with_fewer_parameters(self, task, twice, monkeypatch):
        fit, usual = posterior.fit_transit, task.measure(twice).estimate
        shutil.rmtree(task.work / "fits")

        def fails_with_many(curves, planet, config):
            if config.drift_order > 2:
                raise FitError("light curves of planet 7", wanted="fewer parameters")
            return fit(curves, planet, config)

        monkeypatch.setattr(posterior, "fit_transit", fails_with_many)
        measurement = task.measure(twice)
        assert Flag.ROBUST_FIT in measurement.estimate.flags and measurement.estimate.n_visit == 1
        assert all("fewer parameters" in problem for problem in measurement.problems)
        off = np.abs(measurement.estimate.depth - usual.depth) / np.sqrt(np.diag(measurement.estimate.covariance))
        assert np.median(off) < 3.0

    def test_in_haste_it_begins_with_fewer_parameters(self, task, twice):
        measurement = task.measure(twice, frugal=True)
        assert measurement.problems == () and Flag.ROBUST_FIT in measurement.estimate.flags
        assert measurement.visits == (), "networks have not learned from such fits"

    def test_a_panic_in_a_reader_costs_a_visit(self, task, twice, monkeypatch):
        class Panic(BaseException):
            pass

        def panics(self, *_):
            raise Panic("index out of range")

        monkeypatch.setattr(measure.PlanetTask, "_fit_and_see", panics)
        assert "Panic: index out of range" in task.measure(twice).problems[0]

    def test_stored_products_are_taken_up_and_remade_when_an_option_changes(self, task, twice):
        paths = [task.work / kind / "test" / f"{twice}_0.npz" for kind in ("light_curves", "fits")]
        before = [path.stat().st_mtime_ns for path in paths]
        task.measure(twice)
        assert [path.stat().st_mtime_ns for path in paths] == before
        config = task.config
        other = dataclasses.replace(config, fit=dataclasses.replace(config.fit, drift_order=config.fit.drift_order + 1))
        dataclasses.replace(task, config=other).measure(twice)
        after = [path.stat().st_mtime_ns for path in paths]
        assert after[0] == before[0] and after[1] != before[1]

    def test_the_path_and_the_star_table_do_not_touch_light_curves(self, task, twice):
        path = task.work / "light_curves" / "test" / f"{twice}_0.npz"
        before = path.stat().st_mtime_ns
        photometry = dataclasses.replace(task.config.photometry, path="readable")
        other = dataclasses.replace(task, config=dataclasses.replace(task.config, photometry=photometry))
        observation = _observations(other, twice)[0]
        assert other.visit(observation).light_curves is not None
        star = dataclasses.replace(observation.planet.star, temperature=5000.0)
        planet = dataclasses.replace(observation.planet, star=star)
        assert other.visit(dataclasses.replace(observation, planet=planet)).light_curves is not None
        assert path.stat().st_mtime_ns == before

    @pytest.mark.parametrize(
        "edited, remade",
        [
            (measure.LIGHT_CURVES_MADE_BY, {"light_curves", "fits", "features"}),
            (measure.FIT_MADE_BY, {"fits", "features"}),
            (measure.FEATURES_MADE_BY, {"features"}),
        ],
    )
    def test_other_code_makes_a_product_anew_and_what_rests_on_it(self, task, twice, monkeypatch, edited, remade):
        task = with_kind(task, "v50")
        task.measure(twice)
        paths = {kind: task.work / kind / "test" / f"{twice}_0.npz" for kind in ("light_curves", "fits", "features")}
        before = {kind: path.stat().st_mtime_ns for kind, path in paths.items()}
        monkeypatch.setattr(measure, "code_hash", lambda module: "other" if module == edited else code_hash(module))
        task.measure(twice)
        assert {kind for kind, path in paths.items() if path.stat().st_mtime_ns != before[kind]} == remade

    @pytest.fixture
    def counted(self, monkeypatch):
        """What is fingerprinted, read and made, by file or kind."""
        calls = {"fingerprint": [], "read": [], "made": []}

        def count(module, name, what, told):
            original = getattr(module, name)
            monkeypatch.setattr(module, name, lambda *a, **k: calls[what].append(told(*a)) or original(*a, **k))

        count(provenance, "fingerprint", "fingerprint", str)
        count(np, "load", "read", lambda path: f"{path.parent.parent.name}/{path.name}")
        makers = (light_curves, "extract_light_curves"), (posterior, "fit_transit"), (measure, "visit_features")
        for module, name in makers:
            count(module, name, "made", lambda *_, name=name: name)
        count(front_end, "baseline_features", "made", lambda *_: "baseline_features")
        return calls

    @pytest.mark.parametrize("kind, read", [("none", ["fits"]), ("v50", ["fits", "features"])])
    def test_with_everything_stored_only_what_is_returned_is_read(self, task, twice, counted, kind, read):
        task = with_kind(task, kind)
        task.measure(twice)
        for calls in counted.values():
            calls.clear()
        task.measure(twice)
        assert counted["read"] == [f"{folder}/{twice}_{visit}.npz" for visit in (0, 1) for folder in read]
        assert counted["made"] == []

    @pytest.mark.parametrize("kind, last", [("none", "fits"), ("v50", "features"), ("thang_do_duc", "baseline_input")])
    def test_a_planet_is_stored_once_all_that_its_model_looks_at_is(self, task, twice, kind, last):
        task = with_kind(task, kind)
        task.measure(twice)
        assert task.is_stored(twice)
        assert not dataclasses.replace(task, work=task.work / "other").is_stored(twice)
        assert not task.is_stored(99)
        config = task.config
        other = dataclasses.replace(config, fit=dataclasses.replace(config.fit, drift_order=config.fit.drift_order + 1))
        assert not dataclasses.replace(task, config=other).is_stored(twice)
        path = task.work / last / "test" / f"{twice}_0.npz"
        path.write_bytes(path.read_bytes()[:100])
        assert not task.is_stored(twice)

    @pytest.mark.parametrize("stored", [False, True])
    def test_each_file_is_fingerprinted_once(self, task, twice, counted, tmp_path, stored):
        task = with_kind(task, "v50") if stored else with_kind(dataclasses.replace(task, work=tmp_path / "new"), "v50")
        task.measure(twice)
        files = [path for path in (task.data / "test" / str(twice)).rglob("*.parquet")]
        assert sorted(counted["fingerprint"]) == sorted(map(str, files))

    def test_products_in_hand_are_handed_on(self, task, twice, counted, tmp_path):
        """Curves that were just made are fitted, and both are looked at, without reading them back."""
        task = with_kind(dataclasses.replace(task, work=tmp_path / "new"), "v50")
        measurement = task.measure(twice)
        assert measurement.estimate is not None and len(measurement.visits) == 2
        assert counted["made"] == ["extract_light_curves", "fit_transit", "visit_features"] * 2
        # Each place is looked at once, for a stored product, and nothing that was made is read again.
        assert len(counted["read"]) == len(set(counted["read"])) == 6

    def test_what_a_public_baseline_sees_is_stored(self, task, twice, counted):
        task = with_kind(task, "thang_do_duc")
        first, second = task.measure(twice), task.measure(twice)
        assert counted["made"] == ["baseline_features"]
        np.testing.assert_array_equal(first.public, second.public)

    def test_a_planet_that_is_not_there_is_a_problem_not_an_error(self, task):
        measurement = task.measure(99)
        assert measurement.estimate is None and "planet 99: wanted a folder" in measurement.problems[0]
        assert task.calibrate(99).problems == measurement.problems
        assert task.lost(5, "its process died").problems == ("its process died",)

    def test_a_table_that_changes_is_read_again(self, competition, tmp_path):
        data = tmp_path / "data"
        data.mkdir()
        for path in competition.data.iterdir():
            (data / path.name).symlink_to(path) if path.is_dir() else shutil.copy(path, data)
        task = PlanetTask(data, tmp_path / "work", "test", competition.config)
        planet = int(next((data / "test").iterdir()).name)
        assert _observations(task, planet)[0].planet.star is not None
        (data / "test_star_info.csv").unlink()
        assert _observations(task, planet)[0].planet.star is None


def _observations(task, planet):
    found, problems = task._for_each_visit(planet, lambda visit: visit.observation)
    assert not problems
    return found


def with_kind(task, kind):
    """The task for a model of another kind."""
    config = task.config
    return dataclasses.replace(
        task, config=dataclasses.replace(config, model=dataclasses.replace(config.model, kind=kind))
    )
