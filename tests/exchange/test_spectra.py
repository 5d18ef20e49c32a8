"""Spectra for other tools: nothing is lost on the way to data frames, datasets and files."""

import builtins

import numpy as np
import pytest

from spectramind_kit.errors import ProductError, SpectraMindError
from spectramind_kit.products import DepthEstimate, LightCurves, Spectrum, TransitFit

N = 12


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(0)
    factor, wavelength = 1e-5 * rng.standard_normal((N, 3)), np.r_[0.7, np.linspace(1.95, 3.9, N - 1)]
    covariance = factor @ factor.T + np.diag(rng.uniform(1e-11, 1e-10, N))
    curve = 1.0 + 1e-4 * rng.standard_normal((20, N))
    depth = 0.0145 + 1e-4 * rng.standard_normal(N)
    return TransitFit(7, 1, wavelength, depth, covariance, {}, np.arange(20.0), curve, curve, np.ones(N))


@pytest.fixture(scope="module")
def products(fit):
    """Every product that holds a spectrum."""
    together = DepthEstimate(7, fit.depth, fit.covariance, 1, fits=(fit,))
    return fit, together, Spectrum(7, fit.wavelength, fit.depth, fit.sigma, "fit")


@pytest.fixture(scope="module")
def curves(fit):
    error = np.full(fit.flux.shape, 1e-4)
    regressors = np.arange(20.0)[:, None]
    return LightCurves(7, 1, 60.0 * fit.time, 60.0, fit.flux, error, fit.wavelength, regressors, ("fgs1_row",))


def test_reprs_say_what_it_is_in_a_line(products, curves):
    for product in (*products, curves):
        shown = repr(product)
        assert len(shown) < 160 and shown.startswith(f"{type(product).__name__}(planet 7, ") and str(N) in shown
        assert "array" not in shown and "float64" not in shown


def test_data_frames_hold_depth_and_sigma(products, curves):
    pytest.importorskip("pandas")
    for product in products:
        frame = product.to_pandas()
        assert list(frame.columns) == ["wavelength", "depth", "sigma"]
        assert np.array_equal(frame["depth"], products[0].depth) and np.allclose(frame["sigma"], products[0].sigma)
    frame = curves.to_pandas()
    assert np.array_equal(frame.to_numpy(), curves.flux) and np.array_equal(frame.index, curves.time)
    assert np.array_equal(frame.columns, curves.wavelength)


def test_datasets_hold_the_covariance_and_the_regressors(products, curves):
    pytest.importorskip("xarray")
    fit, _, spectrum = products
    assert np.array_equal(fit.to_xarray()["covariance"], fit.covariance)
    assert np.allclose(np.diag(spectrum.to_xarray()["covariance"]), spectrum.sigma**2)
    assert fit.to_xarray().attrs == {"planet_id": 7, "visit": 1}
    assert fit.to_xarray()["depth"].sel(wavelength=0.7) == fit.depth[0]
    found = curves.to_xarray()
    assert np.array_equal(found["flux_err"], curves.flux_err)
    assert np.array_equal(found["fgs1_row"], curves.regressors[:, 0])


@pytest.mark.parametrize("suffix", [".ecsv", ".fits"])
def test_files_give_the_same_numbers_back(products, tmp_path, suffix):
    table = pytest.importorskip("astropy.table")
    io = pytest.importorskip("astropy.io.fits")
    for number, product in enumerate(products):
        path = product.write(tmp_path / "new" / f"{number}{suffix}")
        product.write(path)  # over the old one
        found, depths = table.QTable.read(path), product.depths()
        assert np.array_equal(found["wavelength"].to_value("um"), depths.wavelength)
        assert np.array_equal(found["depth"], depths.depth) and np.array_equal(found["sigma"], depths.sigma)
        covariance = found["covariance"] if suffix == ".ecsv" else io.getdata(path, "COVARIANCE")
        assert np.array_equal(covariance, depths.covariance)
        assert 7 in found.meta.values()
    assert {path.name for path in (tmp_path / "new").iterdir()} == {f"{number}{suffix}" for number in range(3)}


def test_other_files_are_refused_in_words(fit, tmp_path):
    with pytest.raises(ProductError, match=r"ends in .ecsv or .fits, got .csv"):
        fit.write(tmp_path / "spectrum.csv")


@pytest.mark.parametrize(
    "package, use",
    [
        ("pandas", lambda fit, path: fit.to_pandas()),
        ("xarray", lambda fit, path: fit.to_xarray()),
        ("astropy", lambda fit, path: fit.write(path / "s.ecsv")),
    ],
)
def test_a_missing_package_is_named_with_its_extra(fit, tmp_path, monkeypatch, package, use):
    real = builtins.__import__

    def without(name, *arguments, **more):
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SpectraMindError, match=rf"package {package}: .*spectramind-kit\[science\]"):
        use(fit, tmp_path)
    assert not list(tmp_path.iterdir())
