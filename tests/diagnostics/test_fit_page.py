"""The page of one fit shows what the fit states: ellipses with its errors and correlation, gaps left out."""

import json

import numpy as np
import pytest

from spectramind_kit.diagnostics.fit_page import describe_fit, plot_fit_page
from spectramind_kit.diagnostics.sampled_fit import describe_sampled, sampled_facts
from spectramind_kit.fitting.sampled_transit import SampledTransit
from spectramind_kit.flags import Flag
from spectramind_kit.products import Estimate, TransitFit

N_TIME, CORRELATION = 40, -0.8


@pytest.fixture
def fit():
    rng = np.random.default_rng(0)
    flux = 1.0 + 1e-3 * rng.standard_normal((N_TIME, 4))
    flux[3] = np.nan
    parameters = {"mid_time": Estimate(13500.0, 8.0), "semi_major_axis": Estimate(10.0, 0.2)}
    return TransitFit(
        planet_id=7,
        visit=1,
        wavelength=np.array([0.7, 2.0, 3.0, 3.9]),
        depth=np.full(4, 0.01),
        covariance=np.diag(np.full(4, 1e-8)),
        parameters=parameters | {"duration": Estimate(9000.0, 30.0)},
        time=120.0 * np.arange(N_TIME),
        flux=flux,
        model=np.ones((N_TIME, 4)),
        noise_scale=np.ones(4),
        flags={Flag.NO_TRANSIT: "", Flag.OUTLIERS: "2.0 %"},
        correlation_names=("mid_time", "semi_major_axis"),
        correlation=np.array([[1.0, CORRELATION], [CORRELATION, 1.0]]),
    )


def test_ellipses_have_the_errors_and_the_correlation_of_the_fit(fit):
    ellipse = next(a for a in plot_fit_page(fit).axes if len(a.lines) == 2 and a.get_ylabel() == "a / Rs").lines[0]
    x, y = (ellipse.get_xdata() - 13500.0) / 8.0, (ellipse.get_ydata() - 10.0) / 0.2
    assert (x**2 - 2 * CORRELATION * x * y + y**2) / (1 - CORRELATION**2) == pytest.approx(np.ones(len(x)))


def test_unused_times_are_left_out_of_the_light_curves(fit):
    points = plot_fit_page(fit).axes[0].lines[0].get_ydata()
    assert np.isnan(points[3]) and np.isfinite(np.delete(points, 3)).all()


def test_the_fit_is_told_in_words(fit):
    text = describe_fit(fit)
    assert "depth FGS1       1.0000 +- 0.0100 %" in text and "flag: no transit found\n" in text
    assert "flag: points rejected as outliers (2.0 %)" in text


def test_samples_stand_beside_laplaces_approximation_and_under_the_corner(fit):
    rng = np.random.default_rng(1)
    samples = np.column_stack([13500.0 + 8.0 * rng.standard_normal(400), 10.0 + 0.2 * rng.standard_normal(400)])
    laplace = {"mid_time": Estimate(13500.0, 8.0), "semi_major_axis": Estimate(10.0, 0.2)}
    names = ("mid_time", "semi_major_axis")
    sampled = SampledTransit(7, 1, names, samples, laplace, 88.0, 5000, Estimate(-12.3, 0.4), confined=True)
    text = describe_sampled(sampled)
    assert "88 effective samples of 400, 5000 likelihoods, ln evidence -12.3 +- 0.4" in text
    assert "13500 +- 8" in text and "take more --live-points" in text and "wider still" in text
    facts = sampled_facts(sampled)
    assert facts["parameters"]["mid_time"]["median"] == pytest.approx(13500.0, abs=2.0)
    assert facts["parameters"]["semi_major_axis"]["laplace_error"] == 0.2 and json.dumps(facts)
    page = plot_fit_page(fit, sampled)
    joint = next(a for a in page.axes if a.get_ylabel() == "a / Rs")
    assert len(joint.lines) == 3 and np.array_equal(joint.lines[0].get_xdata(), samples[:, 0])
