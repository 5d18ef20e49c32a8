"""Families of a random world: sizes, spectra, colours, and that each is what its name says."""

import numpy as np
import pytest

from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.products import Star
from spectramind_kit.random_world import drifts, limb_darkening, noise, pointing, spots
from spectramind_kit.random_world.stationary import draw_stationary
from spectramind_kit.random_world.timeline import FAST_STEP, N_FAST, N_SLOW, SLOW_STEP, binned, visit_phase
from spectramind_kit.simulation.star_spots import lens_area

WAVELENGTH = np.array([0.7, 1.95, 2.9, 3.9])


def rng(seed=0):
    return np.random.default_rng(seed)


class TestDrifts:
    @pytest.mark.parametrize("kind", drifts.KINDS)
    def test_curves_are_slow_and_of_size_one(self, kind):
        family = drifts.draw_drift_family(kind, rng())
        curves = family.draw_curves(300, rng(1))
        assert curves.shape == (300, N_SLOW)
        np.testing.assert_allclose(curves.mean(axis=1), 0.0, atol=1e-6)
        assert 0.1 < curves.std() < 2.0
        quick = np.diff(binned(curves, 125), axis=1).std()
        assert quick < 0.25 * curves.std()

    def test_powers_are_polynomials_of_the_order(self):
        family = drifts.draw_drift_family("powers", rng())
        curve = family.draw_curves(1, rng(1))[0]
        fitted = np.polynomial.Polynomial.fit(visit_phase(), curve, family.order)
        np.testing.assert_allclose(fitted(visit_phase()), curve, atol=1e-9)

    def test_channels_share_a_curve_or_have_their_own(self):
        for seed in range(12):
            family = drifts.draw_drift_family(None, rng(seed))
            colours = family.colours(WAVELENGTH)
            assert colours.shape == (family.n_curve, 4)
            assert (colours[-1, 0] == 0.0) == (family.common and len(family.red) > 1)
            assert np.count_nonzero(colours[:, 0]) == 1
            assert family.common == bool(colours[0, 0])


class TestNoise:
    @pytest.mark.parametrize("kind", ["ou", "flicker", "matern", "granulation"])
    def test_series_have_variance_one(self, kind):
        family = noise.draw_noise_family(kind, rng())
        assert family.draw_series(400, rng(1)).std() == pytest.approx(1.0, abs=0.12)

    def test_an_ornstein_uhlenbeck_series_forgets_exponentially(self):
        memory = 2000.0
        series = draw_stationary(lambda f: 1.0 / (1.0 + (2 * np.pi * f * memory) ** 2), 400, 2000, 20.0, rng())
        for lag in (25, 100):
            correlation = (series[:, lag:] * series[:, :-lag]).mean() / series.var()
            assert correlation == pytest.approx(np.exp(-20.0 * lag / memory), abs=0.04)

    def test_steps_jump_and_stay(self):
        series = noise.draw_noise_family("steps", rng()).draw_series(200, rng(1))
        jumps = (np.abs(np.diff(series, axis=1)) > 0.0).sum(axis=1)
        assert jumps.min() >= 1 and jumps.max() == 3

    def test_none_is_nothing(self):
        assert not noise.draw_noise_family("none", rng()).draw_series(3, rng()).any()

    def test_the_memory_of_matern_is_within_the_range_asked_for(self):
        memories = [noise.draw_noise_family("matern", rng(seed)).memory for seed in range(200)]
        assert 600.0 <= min(memories) < 800.0 and 4000.0 < max(memories) <= 5400.0


class TestPointing:
    @pytest.mark.parametrize("kind", pointing.KINDS)
    def test_one_motion_or_two(self, kind):
        for seed in range(6):
            family = pointing.draw_pointing_family(kind, rng(seed))
            motion = family.draw_motion(rng(seed))
            assert motion[FGS1.name].shape == (2, N_FAST)
            same = np.corrcoef(motion[FGS1.name][0], motion[AIRS.name][0])[0, 1]
            assert (same > 0.999) == family.common

    def test_an_oscillation_swings_with_its_period(self):
        family = pointing.draw_pointing_family("oscillation", rng(2))
        power = np.abs(np.fft.rfft(family.draw_motion(rng())[FGS1.name][0])) ** 2
        frequency = np.fft.rfftfreq(N_FAST, FAST_STEP)
        assert frequency[power.argmax()] == pytest.approx(1.0 / family.time, rel=0.15)

    def test_excursions_decay(self):
        family = pointing.draw_pointing_family("excursions", rng(1))
        slow = binned(family.draw_motion(rng())[FGS1.name], N_FAST // 25)
        assert np.abs(slow).max() > 4 * np.median(np.abs(slow))

    def test_light_reacts_by_channel_and_colour(self):
        family = pointing.draw_pointing_family(None, rng(1))
        airs, fgs1 = (family.couplings(name, WAVELENGTH) for name in (AIRS.name, FGS1.name))
        assert airs.shape == (2, 4) and np.ptp(airs[0, 1:]) > 0.0 and not np.allclose(airs[:, 0], fgs1[:, 0])


class TestLimbDarkening:
    @pytest.mark.parametrize("kind", limb_darkening.KINDS)
    def test_limbs_are_dark_most_in_the_blue_and_of_cool_stars(self, kind):
        mu = np.linspace(0.1, 1.0, 10)[None]
        for seed in range(8):
            family = limb_darkening.draw_darkening_family(kind, rng(seed))
            cool, hot = (
                family.law(Star(1.0, 1.0, temperature), WAVELENGTH, np.zeros(3)).intensity(mu)
                for temperature in (4500.0, 6500.0)
            )
            np.testing.assert_allclose(cool[:, -1], 1.0, atol=1e-9)
            assert (cool > 0.0).all()
            if kind == "none":
                assert (cool == 1.0).all()
            else:
                assert cool[0, 2] < cool[3, 2] < 1.0 and cool[0, 2] < hot[0, 2]

    def test_gravity_counts(self):
        family = limb_darkening.draw_darkening_family("power2", rng())
        dwarf, giant = (
            family.law(Star(radius, 1.0, 5500.0), WAVELENGTH, np.zeros(3)).intensity(np.array([[0.3]]))
            for radius in (0.8, 2.5)
        )
        assert np.abs(dwarf - giant).max() > 1e-3

    def test_a_stars_own_offsets_make_its_limb_darker(self):
        for kind in limb_darkening.KINDS[1:]:
            family = limb_darkening.draw_darkening_family(kind, rng())
            plain, strong = (
                family.law(Star(1.0, 1.0, 5500.0), WAVELENGTH, offsets).intensity(np.array([[0.3]]))
                for offsets in (np.zeros(3), np.array([0.2, 0.0, 0.0]))
            )
            assert strong[0] < plain[0] and strong[1] == pytest.approx(plain[1])

    def test_the_light_of_the_disc_is_the_integral_over_it(self):
        law = limb_darkening.draw_darkening_family("atmosphere", rng()).law(
            Star(1.0, 1.0, 5500.0), WAVELENGTH, np.zeros(3)
        )
        r = (np.arange(20_000) + 0.5) / 20_000
        integral = (law.intensity(np.sqrt(1.0 - r**2)[None]) * 2.0 * np.pi * r).mean(axis=1)
        np.testing.assert_allclose(integral, law.disc_light, rtol=1e-5)


class TestSpots:
    def test_kinds(self):
        none, passed, crossed = (spots.draw_spot_family(kind, rng(3)) for kind in spots.KINDS)
        assert none.draw_covering(rng()) == 0.0 and 0.0 < passed.draw_covering(rng()) < 0.1
        draws = [family.draw_crossing(0.3, 0.12, rng(seed)) for family in (passed, crossed) for seed in range(60)]
        assert not any(draws[:60]) and 5 < sum(c is not None for c in draws[60:]) < 55

    def test_spots_deepen_transits_more_in_the_blue(self):
        family = spots.draw_spot_family("passed", rng())
        flux = family.dimmed(np.full((4, 1), 0.99), 0.02, 5500.0, WAVELENGTH)[:, 0]
        assert (np.diff(flux) > 0.0).all() and flux[-1] < 0.99

    def test_lenses(self):
        area = lens_area(np.array([0.0, 0.05, 0.5, 2.0, np.inf]), 0.2, 0.1)
        np.testing.assert_allclose(area[[0, 1]], np.pi * 0.01)
        np.testing.assert_allclose(area[2:], 0.0, atol=1e-12)
        x = (np.arange(2000) + 0.5) / 2000 - 0.5
        inside = (np.hypot(x[:, None], x) < 0.2) & (np.hypot(x[:, None] - 0.22, x) < 0.1)
        assert lens_area(np.array([0.22]), 0.2, 0.1)[0] == pytest.approx(inside.mean(), rel=1e-3)


def test_the_grids_fit_a_visit():
    assert N_SLOW * SLOW_STEP == pytest.approx(N_FAST * FAST_STEP) == pytest.approx(27_000.0)
