"""The label's wavelengths and small grids whose measurements can be reckoned by hand."""

import numpy as np
import pytest
import torch

from spectramind_kit.simulation.system import draw_system, label_wavelengths
from spectramind_kit.symbolic.scale_height import scale_height
from spectramind_kit.symbolic.terms import SpectralOperators


@pytest.fixture(scope="session")
def wavelength():
    """The 283 wavelengths of a label [um]."""
    return label_wavelengths()


@pytest.fixture(scope="session")
def operators(wavelength):
    """The measurements of the label's grid, in double precision."""
    return SpectralOperators(wavelength, torch.float64)


@pytest.fixture(scope="session")
def physical_spectra():
    """Spectra (40, 283) of simulated atmospheres: bands, haze and cloud, no noise."""
    return torch.from_numpy(np.array([draw_system(i, np.random.default_rng(i)).label() for i in range(40)]))


@pytest.fixture(scope="session")
def own_heights():
    """Scale heights (40,) of the same planets, as their star table has them [planetary radii]."""
    systems = [draw_system(i, np.random.default_rng(i)) for i in range(40)]
    table = [
        (each.star.radius, each.star.temperature, each.published_orbit.semi_major_axis, each.planet.mass, each.depth)
        for each in systems
    ]
    return scale_height(*torch.tensor(table, dtype=torch.float64).T)


@pytest.fixture(scope="session")
def rough_spectra(physical_spectra):
    """The same with white noise of 50 ppm: what no instrument of resolving power 100 lets through."""
    noise = np.random.default_rng(3).normal(scale=5e-5, size=physical_spectra.shape)
    return physical_spectra + torch.from_numpy(noise)
