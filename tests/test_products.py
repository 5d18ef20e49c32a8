"""Products refuse arrays that do not fit together, and show shapes instead of numbers."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.errors import ProductError
from spectramind_kit.likelihood import VisitLikelihood
from spectramind_kit.products import CalibrationFrames, DepthEstimate, LightCurves, RawCube, Spectrum, TransitFit

WAVELENGTH = np.array([0.7, 2.0, 3.0])


def spectrum(**changed):
    parts = {"mean": np.full(3, 0.01), "sigma": np.full(3, 1e-4)} | changed
    return Spectrum(5, WAVELENGTH, parts["mean"], parts["sigma"], "fit")


def test_raw_cube_counts_must_match_pixels_and_times():
    row = column = np.arange(4)
    with pytest.raises(ProductError, match=r"RawCube.counts: wanted shape \(4, 6\), got shape \(6, 4\)"):
        RawCube("FGS1", np.zeros((6, 4), np.uint16), row, column, np.arange(6.0))
    cube = RawCube("FGS1", np.zeros((4, 6), np.uint16), row, column, np.arange(6.0))
    assert "counts=uint16[4, 6]" in repr(cube)


def test_calibration_frames_are_picked_at_pixels():
    grid = np.arange(6.0).reshape(2, 3)
    frames = CalibrationFrames(grid, grid > 4, grid + 1, grid, np.stack([grid, grid * 2]), 0.4, -1000.0)
    picked = frames.at(np.array([1, 0]), np.array([2, 1]))
    np.testing.assert_array_equal(picked.dark, [5, 1])
    np.testing.assert_array_equal(picked.dead, [True, False])
    np.testing.assert_array_equal(picked.linearity, [[5, 1], [10, 2]])
    with pytest.raises(ProductError, match="linearity"):
        CalibrationFrames(grid, grid > 4, grid, grid, grid, 0.4, -1000.0)


def test_light_curves_need_a_name_for_every_regressor():
    time = np.arange(5.0)
    flux = np.ones((5, 3))
    with pytest.raises(ProductError, match=r"regressors: wanted shape \(5, 1\), got shape \(5, 2\)"):
        LightCurves(1, 0, time, 1.0, flux, flux, WAVELENGTH, np.zeros((5, 2)), ("row",))


def test_fit_gives_residual_and_sigma():
    fit = TransitFit(
        planet_id=1,
        visit=0,
        wavelength=WAVELENGTH,
        depth=np.full(3, 0.01),
        covariance=np.diag([1e-8, 4e-8, 9e-8]),
        parameters={},
        time=np.arange(2.0),
        flux=np.full((2, 3), 0.99),
        model=np.full((2, 3), 0.98),
        noise_scale=np.ones(3),
    )
    np.testing.assert_allclose(fit.sigma, [1e-4, 2e-4, 3e-4])
    np.testing.assert_allclose(fit.residual, 0.01)


def visit_likelihood():
    return VisitLikelihood(
        names=("impact_squared", "fgs1_u1"),
        reference=np.zeros(2),
        information=np.eye(2),
        score=np.zeros(2),
        depth=np.full(3, 0.01),
        variance=np.full(3, 1e-8),
        response=np.zeros((3, 2)),
        prior_mean=np.zeros(2),
        prior_scatter=np.ones(2),
        length=27_000.0,
        ln_likelihood=-1.0,
        extra_variance=np.zeros(3),
    )


@pytest.mark.parametrize("name", ["reference", "information", "score", "response", "prior_mean", "prior_scatter"])
def test_a_likelihood_needs_a_place_for_every_parameter(name):
    short = np.asarray(getattr(visit_likelihood(), name))[..., :1]
    with pytest.raises(ProductError, match=f"VisitLikelihood.{name}"):
        replace(visit_likelihood(), **{name: short})


@pytest.mark.parametrize(
    "extra_variance", [{"growth": 2.0}, {"common_extra_variance": 1e-6}, {"extra_variance": np.array([1e-6, 0.0, 0.0])}]
)
def test_a_visit_of_which_anything_is_doubted_is_doubted(extra_variance):
    assert not visit_likelihood().inflated and replace(visit_likelihood(), **extra_variance).inflated


def test_depth_estimate_refuses_what_is_not_finite():
    with pytest.raises(ProductError, match="depths of planet 9: wanted finite"):
        DepthEstimate(9, np.array([0.01, np.nan]), np.eye(2), 1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, -1e-5, 1.5])
@pytest.mark.parametrize("name", ["mean", "sigma"])
def test_spectrum_refuses_what_a_submission_could_not_hold(name, bad):
    values = np.array([0.01, 0.01, bad])
    with pytest.raises(ProductError, match=f"Spectrum.{name} of planet 5.*{bad:g} at wavelength 3"):
        spectrum(**{name: values})
    assert spectrum().source == "fit"
