"""Simulated visits whose light is known: scatter at the photon and read noise, depths without bias."""

import sys
from pathlib import Path

import numpy as np
import pytest

from spectramind_kit.config import load_config

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
VISITS = range(2001, 2007)


@pytest.fixture(scope="module")
def benchmark():
    """The benchmark of the photometry as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import photometry

        yield photometry
    for name in ("photometry", "known_visit"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def visits(benchmark):
    config = load_config()
    return config, [benchmark.simulate_known_visit(config, seed) for seed in VISITS]


@pytest.fixture(scope="module")
def mirrored(benchmark):
    """The same visits with noise of the other sign."""
    config = load_config()
    return [benchmark.simulate_known_visit(config, seed, mirrored=True) for seed in VISITS]


def test_light_scatters_as_photons_and_reads_do(benchmark, visits):
    config, known = visits
    found = [benchmark.measure_scatter(visit, config) for visit in known]
    mean = {kind: {n: np.nanmean([f[kind][n] for f in found]) for n in found[0][kind]} for kind in benchmark.KINDS}
    assert mean["sum"]["AIRS white"] < 1.08 and mean["optimal"]["AIRS white"] < 1.05  # their own error is 0.02
    assert mean["sum"]["AIRS median"] < 1.03 and mean["optimal"]["AIRS median"] < 1.0
    assert mean["optimal"]["red tenth"] < 0.95 * mean["sum"]["red tenth"]
    assert mean["optimal"]["FGS1"] < 0.95 * mean["sum"]["FGS1"] < 1.05
    # One or two columns a visit, each told to 0.2: too few for a level, but every kind sees the same ones.
    bad = {kind: mean[kind]["columns with bad pixels"] for kind in benchmark.KINDS}
    assert bad["optimal"] < bad["sum"] < bad["dropped"] and bad["optimal"] < 1.2


@pytest.mark.parametrize("kind", ["sum", "optimal"])
def test_depths_have_no_bias_and_the_error_they_are_told(benchmark, visits, mirrored, kind):
    """Noise of either sign: what is left in the mean of a pair is the bias, far below the noise of one depth."""
    config, known = visits
    found = [benchmark.measure_depths(visit, config, (kind,))[kind] for visit in (*known, *mirrored)]
    airs = np.array([errors["AIRS"] for errors in found])
    assert airs.std() == pytest.approx(1.0, abs=0.08)
    assert abs(airs.mean()) < 0.01
    assert abs(np.mean([errors["white"] for errors in found])) < 0.1
    assert np.std([errors["white"] for errors in found]) > 0.5, "the noise itself must be there"
    assert abs(np.mean([errors["FGS1"] for errors in found])) < 4 / np.sqrt(len(VISITS))  # pointing has no mirror


@pytest.mark.parametrize("label", ["slopes -20 %", "slopes +20 %", "widths -20 %", "widths +20 %"])
def test_wings_that_are_not_as_configured_move_no_depth(benchmark, visits, label):
    config, known = visits
    moved = [benchmark.depths_moved(visit, config, label) for visit in known]
    for name in ("FGS1", "white"):
        changes = np.abs([change[name] for change in moved])
        assert 0.0 < changes.mean() < 0.1 and changes.max() < 0.3


def test_the_foreground_is_told_to_a_thousandth_of_the_starlight(benchmark, visits):
    """Left over or taken too much, foreground dilutes or deepens every transit by its share of the light."""
    config, known = visits
    left_in = load_config(["photometry.background=false"]).photometry
    for visit in known:
        edges = benchmark.visit_edges(visit, config)
        for name, channel in visit.items():
            bins = benchmark.bin_known(channel, edges, config)
            star, _ = channel.binned_truth(edges)
            flux, _ = benchmark.extract_as("sum", bins, config.photometry)
            bare, _ = benchmark.extract_as("sum", bins, left_in)
            window = slice(*channel.cadence.channel.science_columns)
            n_row = 16 if name == "AIRS-CH0" else 16 * 18 / 32
            true = channel.light.foreground[window] * n_row
            taken, true = (bare - flux).mean(axis=1), true if name == "AIRS-CH0" else true.sum(keepdims=True)
            error = np.abs(taken - true) / star.mean(axis=1)
            assert np.median(error) < 2e-4 and error.max() < 1e-3
