"""Products in a notebook: a line of words and pictures that need no other file."""

import base64
import re
import subprocess
import sys

import numpy as np
import pytest

import spectramind_kit as sm
from spectramind_kit.diagnostics.notebook import html_of
from spectramind_kit.flags import Flag
from spectramind_kit.products import DepthEstimate, LightCurves, Spectrum, TransitFit

WAVELENGTHS = {"FGS1 and AIRS-CH0": [0.7, 2.0, 3.0], "one": [2.0], "FGS1": [0.7], "AIRS-CH0": [2.0, 3.0]}


def products_of(wavelength):
    n, time = len(wavelength), np.linspace(0.0, 25200.0, 30)
    flux = 1.0 + 1e-4 * np.random.default_rng(0).standard_normal((30, n))
    flux[3, 0] = np.nan
    fit = TransitFit(
        *(7, 0, wavelength, np.full(n, 0.01), 1e-8 * np.eye(n), {}, time, flux, np.ones_like(flux), np.ones(n)),
        flags={Flag.FLUX_JUMP: "<b>"},
    )
    yield LightCurves(7, 0, time, 100.0, flux, np.full(flux.shape, 1e-4), wavelength, np.empty((30, 0)))
    yield fit
    yield DepthEstimate(7, fit.depth, fit.covariance, 1, fits=(fit,))
    yield Spectrum(7, wavelength, fit.depth, fit.sigma, "fit")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("wavelength", WAVELENGTHS)
def test_every_product_draws_itself_whatever_channels_it_has(wavelength):
    for product in products_of(np.array(WAVELENGTHS[wavelength])):
        page = html_of(product)
        pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
        assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures) and pictures
        assert f"{type(product).__name__}(planet 7" in page
        if product.__class__ is TransitFit:
            assert "flux jump (&lt;b&gt;)" in page and len(pictures) == 2


def test_the_words_of_the_kit_bring_the_pictures_and_load_none_before_one_is_drawn():
    curves = sm.light_curves(np.arange(0.0, 7200.0, 60.0), np.ones(120), 2.0, np.array([1e-4]))
    assert "<img" in curves._repr_html_()
    code = "import sys, spectramind_kit as sm; sm.fit; sm.Planet(1); print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_has_no_picture_keeps_its_repr():
    assert html_of(np.ones(3)) is None
