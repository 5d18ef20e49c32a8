"""Each term: a value by hand, its gradient, nothing for what physics allows, something for a violation, no scale."""

import math

import numpy as np
import pytest
import torch

from spectramind_kit.symbolic import terms
from spectramind_kit.symbolic.operators import neighbour_edges
from spectramind_kit.symbolic.terms import SHAPE_TERMS, SpectralOperators

EVEN = np.array([0.7, *(2.0 * np.exp(0.1 * np.arange(3)))])
"""FGS1 and three AIRS-CH0 points, evenly spaced in ln(lambda)."""


def spectrum(*depths):
    return torch.tensor([depths], dtype=torch.float64)


def small_operators(wavelength):
    return SpectralOperators(np.asarray(wavelength), torch.float64)


def rho(measurement):
    return math.hypot(1.0, measurement) - 1.0


@pytest.fixture(scope="module")
def graph(wavelength):
    edge_index, weight = neighbour_edges(wavelength)
    return torch.from_numpy(edge_index), torch.from_numpy(weight)


@pytest.fixture(scope="module", params=[*(term.__name__ for term in SHAPE_TERMS), "graph_laplacian"])
def term(request, operators, graph):
    """A term of the mean alone on the label's grid."""
    if request.param == "graph_laplacian":
        return lambda mean: terms.graph_laplacian(mean, operators, *graph)
    return lambda mean: getattr(terms, request.param)(mean, operators)


def test_shape_in_per_mille_of_the_airs_level():
    shape = terms.relative_shape(spectrum(0.02, 0.009, 0.010, 0.011), small_operators(EVEN))
    np.testing.assert_allclose(shape, [[1000.0, -100.0, 0.0, 100.0]], atol=1e-9)


def test_curvature_by_hand():
    level = 0.0301 / 3
    value = terms.curvature(spectrum(0.05, 0.0100, 0.0101, 0.0100), small_operators(EVEN))
    assert value.item() == pytest.approx(rho(1e-4 / level * 1e3))


def test_graph_laplacian_by_hand():
    edges, weight = torch.tensor([[1, 1], [2, 3]]), torch.tensor([3.0, 1.0], dtype=torch.float64)
    value = terms.graph_laplacian(spectrum(0.05, 0.009, 0.010, 0.011), small_operators(EVEN), edges, weight)
    assert value.item() == pytest.approx((3 * rho(100.0) + rho(200.0)) / 4)


def test_small_differences_make_the_quadratic_form_of_the_laplacian(operators, graph):
    mean = 0.01 * (1.0 + 1e-6 * torch.randn(1, 283, dtype=torch.float64, generator=torch.manual_seed(0)))
    (source, target), weight = graph
    adjacency = torch.zeros(283, 283, dtype=torch.float64)
    adjacency[source, target] = weight
    adjacency = adjacency + adjacency.T
    shape = terms.relative_shape(mean, operators)[0]
    form = shape @ (torch.diag(adjacency.sum(dim=1)) - adjacency) @ shape
    value = terms.graph_laplacian(mean, operators, *graph)
    assert value.item() == pytest.approx(0.5 * form.item() / weight.sum().item(), rel=1e-5)


def test_bounds_by_hand():
    # level .01; FGS1 lies .2 of it below zero, .3 below a margin of a tenth
    value = terms.bounds(spectrum(-0.002, 0.01, 0.01, 0.01), small_operators(EVEN))
    assert value.item() == pytest.approx(0.3**2 / 4)
    assert terms.bounds(spectrum(1.2, 0.01, 0.01, 0.01), small_operators(EVEN)).item() == pytest.approx(0.2**2 / 4)


def test_fft_tail_of_a_ripple_is_its_variance():
    n, cycles = 64, 20
    operators = small_operators([0.7, *(2.0 * np.exp(0.001 * np.arange(n)))])
    phase = 2 * np.pi * cycles * (np.arange(n) - 0.5 * (n - 1)) / n
    depth = torch.from_numpy(0.01 * (1 + 1e-3 * 3.0 * np.cos(phase)))[None]
    mean = torch.cat([torch.full((1, 1), 0.01, dtype=torch.float64), depth], dim=1)
    frequency = cycles / (n * 0.001)
    assert terms.fft_tail(mean, operators, 0.8 * frequency).item() == pytest.approx(math.sqrt(1 + 4.5) - 1, rel=1e-9)
    assert terms.fft_tail(mean, operators, 1.2 * frequency).item() == pytest.approx(0.0, abs=1e-12)


def test_fgs1_continuity_by_hand():
    operators = small_operators([0.7, 2.0, 2.1, 2.2])
    heights = 0.1 / (2 * terms.SCALE_HEIGHT)
    value = terms.fgs1_continuity(spectrum(0.011, 0.01, 0.01, 0.01), operators)
    assert value.item() == pytest.approx(rho(heights - terms.ALLOWED_SCALE_HEIGHTS))
    assert terms.fgs1_continuity(spectrum(0.0104, 0.01, 0.01, 0.01), operators).item() == 0.0


def test_fgs1_continuity_knows_each_planets_scale_height():
    operators = small_operators([0.7, 2.0, 2.1, 2.2])
    spectra = spectrum(0.011, 0.01, 0.01, 0.01).expand(2, -1)
    high, low = terms.fgs1_continuity(spectra, operators, torch.tensor([0.006, 0.002], dtype=torch.float64)).tolist()
    assert low == pytest.approx(rho(0.1 / (2 * 0.002) - terms.ALLOWED_SCALE_HEIGHTS))
    assert high == pytest.approx(rho(0.1 / (2 * 0.006) - terms.ALLOWED_SCALE_HEIGHTS))


def test_molecular_consistency_by_hand(wavelength, operators):
    fallen = 1.0 - 0.008 * ((wavelength > 3.1) & (wavelength < 3.55))
    shape = 1e3 * (fallen / fallen[1:].mean() - 1.0)
    red = 1e3 * 2 * terms.SCALE_HEIGHT * terms.RED_WINDOW_HEIGHTS * operators.red_share.numpy()
    # Methane's and water's bands in the hole: [1] is water's 3.17 um, whose edge the hole's blue end cuts.
    fallen_bands = operators.height.numpy() @ shape + red
    lowest = [min(fallen_bands[list(bands)]) for bands in operators.molecules]
    value = terms.molecular_consistency(torch.from_numpy(0.01 * fallen)[None], operators)
    assert value.item() == pytest.approx(sum(rho(min(0.0, each)) for each in lowest) / 5, rel=1e-4)
    assert value.item() > 0.1


@pytest.mark.parametrize("heights", [0.5, 0.9])
def test_a_raised_red_window_is_no_emission(heights, wavelength, operators):
    """SO2, H2S and CO2 absorb beyond 3.6 um: the bands below the line through both windows break no rule."""
    own = torch.tensor([terms.SCALE_HEIGHT, 2 * terms.SCALE_HEIGHT], dtype=torch.float64)
    raised = heights * 2 * own[:, None].numpy() * (wavelength > 3.55)
    spectra = torch.from_numpy(0.01 * (1 + raised))
    assert terms.molecular_consistency(spectra, operators, own).max() < 1e-12
    assert terms.molecular_consistency(torch.from_numpy(0.01 * (1 + 4 * raised)), operators, own).min() > 0.1


CARBON_MONOXIDE = np.array([0.7, *(2.285 * np.exp(0.01 * np.arange(7)))])
"""FGS1 and seven AIRS-CH0 points a resolution element apart, on which CO's is the only band with two flanks."""


def test_band_coherence_by_hand():
    # within the band the shape steps by 0, 0, 6, 0 per mille; the least-squares line through these is .6, 1.2, 1.8, 2.4
    shape = np.array([0.0, -6.0, 0.0, 0.0, 0.0, 6.0, 6.0, -6.0])
    mean = torch.from_numpy(0.01 * (1 + 1e-3 * shape))[None]
    by_hand = np.mean([rho(residual) for residual in (0.6, 1.2, 4.2, 2.4)])
    assert terms.band_coherence(mean, small_operators(CARBON_MONOXIDE)).item() == pytest.approx(by_hand)


def test_line_asymmetry_by_hand():
    shape = np.array([0.0, -1.0, 0.0, 2.0, 5.0, 1.0, -3.0, -4.0])
    mean = torch.from_numpy(0.01 * (1 + 1e-3 * shape))[None]
    x, centre = np.log(CARBON_MONOXIDE[1:]), np.log(1e4 / 4260.06)
    step, half = np.arange(1, 9) / 8, centre - np.log(2.29)
    odd = np.interp(centre + half * step, x, shape[1:]) - np.interp(centre - half * step, x, shape[1:])
    by_hand = np.mean([rho(m) for m in (odd - step * odd[-1])[:-1]])
    assert by_hand > 0.1
    assert terms.line_asymmetry(mean, small_operators(CARBON_MONOXIDE)).item() == pytest.approx(by_hand)


def test_sigma_calibration_by_hand():
    truth = torch.zeros(1, 4, dtype=torch.float64)
    value = terms.sigma_calibration(truth + 2.0, torch.ones_like(truth), truth)
    square = 4.0 + 1e-4
    z = np.random.default_rng(0).normal(size=2_000_000)
    missed = [
        1 / (1 + math.exp((2 - level) / 0.2)) - np.mean(1 / (1 + np.exp((np.abs(z) - level) / 0.2)))
        for level in (1.0, 1.959964)
    ]
    assert value.item() == pytest.approx(square - 1 - math.log(square) + sum(m**2 for m in missed), rel=1e-3)


def test_sigma_calibration_is_least_for_honest_sigmas_however_few_independent_errors():
    generator = torch.manual_seed(1)
    z = torch.randn(20_000, 2, dtype=torch.float64, generator=generator)
    factors = np.linspace(0.8, 1.25, 19)
    values = [
        terms.sigma_calibration(z, torch.full_like(z, factor), torch.zeros_like(z)).mean().item() for factor in factors
    ]
    assert factors[int(np.argmin(values))] == pytest.approx(1.0, abs=0.03)


def test_sigma_calibration_never_moves_the_mean():
    mean = torch.full((2, 5), 0.01, requires_grad=True)
    sigma = torch.full((2, 5), 1e-4, requires_grad=True)
    terms.sigma_calibration(mean, sigma, torch.full((2, 5), 0.0103)).sum().backward()
    assert mean.grad is None
    assert (sigma.grad < 0).all()  # errors of three sigma: wider is better


@pytest.fixture(scope="module")
def impossible_spectra(rough_spectra):
    """Spectra (2, 283) that break every rule: noisy, upside down, FGS1 far off, negative at one wavelength."""
    upside_down = 2 * rough_spectra.mean(dim=1, keepdim=True) - rough_spectra
    strongest = rough_spectra[:, 1:].std(dim=1) / rough_spectra[:, 1:].mean(dim=1)
    spectra = upside_down[strongest.argsort()[-2:]].clone()
    spectra[:, 0] *= 1.2
    spectra[:, 100] *= -1.0
    return spectra


def test_gradients(term, impossible_spectra):
    mean = impossible_spectra.clone().requires_grad_()
    value = term(mean)
    assert (value > 0).all()
    (slope,) = torch.autograd.grad(value.sum(), mean)
    size = slope.abs().max().item()
    assert size > 0
    assert torch.autograd.gradcheck(term, (mean,), eps=1e-8, atol=1e-5 * size, rtol=1e-4, fast_mode=True)


def test_gradient_of_sigma_calibration():
    generator = torch.manual_seed(4)
    z = torch.randn(3, 7, dtype=torch.float64, generator=generator)
    sigma = (1.0 + 0.2 * torch.rand(3, 7, dtype=torch.float64, generator=generator)).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: terms.sigma_calibration(z, s, torch.zeros_like(z)), (sigma,))


@pytest.mark.parametrize("level", [0.0004, 0.0146, 0.05])
def test_nothing_for_a_flat_spectrum(term, level):
    assert term(torch.full((2, 283), level, dtype=torch.float64)).abs().max() < 1e-18


def test_the_same_for_shallow_and_deep_planets(term, rough_spectra):
    torch.testing.assert_close(term(0.03 * rough_spectra), term(rough_spectra), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name, most", [("curvature", 0.05), ("fft_tail", 0.05), ("band_coherence", 1.0)])
def test_an_atmosphere_is_smooth_within_a_resolution_element_and_noise_is_not(
    name, most, operators, physical_spectra, rough_spectra
):
    """Of most planets: the bands of the puffiest are rougher than the noise of a flat one."""
    physical, rough = (getattr(terms, name)(spectra, operators) for spectra in (physical_spectra, rough_spectra))
    assert physical.quantile(0.75) < most
    assert (rough > 5 * physical).all() and (rough / physical).median() > 30


@pytest.mark.parametrize("name", ["bounds", "molecular_consistency", "fgs1_continuity"])
def test_an_atmosphere_keeps_what_hardly_any_mixture_breaks(name, operators, physical_spectra):
    """Four planets of forty may: those of very high air, for which one scale height for all is too low."""
    cost = getattr(terms, name)(physical_spectra, operators)
    assert (cost > 0.1).sum() <= 4 and cost.quantile(0.75) < 1e-3


def test_planets_of_high_air_keep_the_rules_of_their_own_scale_height(operators, physical_spectra, own_heights):
    """Bands may still fall below where other molecules fill the blue window as well."""
    assert terms.fgs1_continuity(physical_spectra, operators).max() > 0.1
    assert terms.fgs1_continuity(physical_spectra, operators, own_heights).max() == 0.0
    own = terms.molecular_consistency(physical_spectra, operators, own_heights)
    assert own.mean() < terms.molecular_consistency(physical_spectra, operators).mean()


def test_emission_where_air_absorbs_is_found(operators, physical_spectra):
    upside_down = 2 * physical_spectra.mean(dim=1, keepdim=True) - physical_spectra
    strong = physical_spectra[:, 1:].std(dim=1) > 3e-3 * physical_spectra[:, 1:].mean(dim=1)
    assert strong.sum() > 5
    assert (terms.molecular_consistency(upside_down, operators)[strong] > 0.5).all()


def test_a_band_off_its_place_is_lopsided(wavelength, operators):
    x = np.log(wavelength)

    def asymmetry(shift):
        band = np.exp(-0.5 * ((x - np.log(3.3118) - shift) / 0.02) ** 2)
        return terms.line_asymmetry(torch.from_numpy(0.01 * (1 + 0.01 * band))[None], operators).item()

    assert asymmetry(0.01) > 3 * asymmetry(0.0)


def test_a_spectrum_of_nothing_stays_finite(term):
    mean = torch.zeros(1, 283, dtype=torch.float64, requires_grad=True)
    value = term(mean).sum()
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(mean.grad).all()


def test_single_precision_suffices(wavelength, operators, rough_spectra):
    single = SpectralOperators(wavelength)
    for term in SHAPE_TERMS:
        exact = term(rough_spectra, operators)
        torch.testing.assert_close(term(rough_spectra.float(), single).double(), exact, rtol=2e-3, atol=1e-5)
