"""Stored products: whole or not there, made anew when their inputs change or their file is damaged."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from spectramind_kit.flags import Flag
from spectramind_kit.likelihood import VisitLikelihood
from spectramind_kit.products import DepthEstimate, Estimate, LightCurves, TransitFit
from spectramind_kit.work_folder.store import (
    load_or_make,
    load_product,
    save_product,
    stored_key,
)

WAVELENGTH = np.array([0.7, 2.0])


def light_curves(level=1.0):
    flux = np.full((3, 2), level)
    return LightCurves(
        planet_id=4294967311,
        visit=1,
        time=np.arange(3.0),
        bin_seconds=72.0,
        flux=flux,
        flux_err=np.array([[0.1, np.inf]] * 3),
        wavelength=WAVELENGTH,
        regressors=np.zeros((3, 1)),
        regressor_names=("row",),
        flags={Flag.STAR_ROW_MISSING: "", Flag.OUTLIERS: "1.5 %"},
        applied=("adc (official)", "cds"),
        saturated=np.array([2, 0]),
    )


def assert_same(a, b):
    for field in dataclasses.fields(a):
        got, wanted = getattr(a, field.name), getattr(b, field.name)
        if isinstance(wanted, np.ndarray):
            np.testing.assert_array_equal(got, wanted)
            assert got.dtype == wanted.dtype
        elif isinstance(wanted, VisitLikelihood):
            assert_same(got, wanted)
        else:
            assert got == wanted and type(got) is type(wanted), field.name


class Maker:
    """Counts how often the product was really made."""

    def __init__(self, level=1.0):
        self.made, self.level = 0, level

    def __call__(self):
        self.made += 1
        return light_curves(self.level)


def test_light_curves_come_back_as_they_were(tmp_path):
    save_product(tmp_path / "deep" / "a.npz", light_curves())
    assert_same(load_product(tmp_path / "deep" / "a.npz", LightCurves), light_curves())


def transit_fit(likelihood=None):
    return TransitFit(
        planet_id=3,
        visit=0,
        wavelength=WAVELENGTH,
        depth=np.array([0.01, 0.02]),
        covariance=np.eye(2),
        parameters={"mid_time": Estimate(12.5, 0.25)},
        time=np.arange(4.0),
        flux=np.ones((4, 2)),
        model=np.ones((4, 2)),
        noise_scale=np.ones(2),
        likelihood=likelihood,
    )


def test_fits_come_back_with_their_parameters(tmp_path):
    save_product(tmp_path / "fit.npz", transit_fit())
    assert_same(load_product(tmp_path / "fit.npz", TransitFit), transit_fit())


def test_fits_come_back_with_the_likelihood_of_their_light_curves(tmp_path):
    likelihood = VisitLikelihood(
        names=("impact_squared", "noise_fgs1/0"),
        reference=np.array([0.2, 0.0]),
        information=np.array([[2.0, 0.5], [0.5, 1.0]]),
        score=np.array([0.1, -0.3]),
        depth=np.array([0.01, 0.02]),
        variance=np.array([1e-8, 2e-8]),
        response=np.array([[1e-4, 0.0], [2e-4, 0.5]]),
        prior_mean=np.zeros(2),
        prior_scatter=np.array([0.3, np.inf]),
        length=27_000.0,
        ln_likelihood=-12.5,
        growth=2.0,
        extra_variance=np.array([0.0, 1e-6]),
        common_extra_variance=1e-7,
        masked=np.array([False, True]),
    )
    save_product(tmp_path / "fit.npz", transit_fit(likelihood))
    assert_same(load_product(tmp_path / "fit.npz", TransitFit), transit_fit(likelihood))


def test_made_once_and_remade_for_another_key(tmp_path):
    path, first = tmp_path / "a.npz", Maker()
    for _ in range(3):
        load_or_make(path, "k1", LightCurves, first)
    assert first.made == 1 and stored_key(path) == "k1"
    second = Maker(level=2.0)
    assert load_or_make(path, "k2", LightCurves, second).flux[0, 0] == 2.0
    assert second.made == 1 and stored_key(path) == "k2"


@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.98])
def test_a_truncated_file_is_made_anew(tmp_path, kept):
    path, maker = tmp_path / "a.npz", Maker()
    load_or_make(path, "k", LightCurves, maker)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    assert_same(load_or_make(path, "k", LightCurves, maker), light_curves())
    assert maker.made == 2


def test_flipped_bytes_in_any_array_are_noticed(tmp_path):
    path, maker = tmp_path / "a.npz", Maker()
    load_or_make(path, "k", LightCurves, maker)
    content = path.read_bytes()
    flux = content.index(np.ones(6).tobytes())
    path.write_bytes(content[: flux + 8] + b"\xff\xff\xff\xff" + content[flux + 12 :])
    assert stored_key(path) == "k"
    assert_same(load_or_make(path, "k", LightCurves, maker), light_curves())
    assert maker.made == 2


def test_a_file_of_another_kind_is_made_anew(tmp_path):
    path = tmp_path / "a.npz"
    save_product(path, DepthEstimate(1, np.ones(2), np.eye(2), 1), "k")
    assert_same(load_or_make(path, "k", LightCurves, Maker()), light_curves())


def test_writing_is_atomic(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    save_product(path, light_curves(), "old")

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_product(path, light_curves(2.0), "new")
    assert stored_key(path) == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_a_product_that_cannot_be_stored_is_still_returned(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    product = load_or_make(tmp_path / "file" / "a.npz", "k", LightCurves, Maker())
    assert_same(product, light_curves())
    assert "cannot be stored" in caplog.text


def test_threads_do_not_write_into_each_others_file(tmp_path):
    path = tmp_path / "a.npz"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda level: save_product(path, light_curves(level), "k"), np.arange(40.0)))
    assert stored_key(path) == "k" and load_product(path, LightCurves).flux.shape == (3, 2)
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_a_stored_product_is_opened_once(tmp_path, monkeypatch):
    path, opened = tmp_path / "a.npz", []
    load_or_make(path, "k", LightCurves, Maker())
    monkeypatch.setattr(np, "load", lambda path, load=np.load, **more: opened.append(path) or load(path, **more))
    assert_same(load_or_make(path, "k", LightCurves, Maker()), light_curves())
    assert opened == [path]
