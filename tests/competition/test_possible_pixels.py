"""Calibration tables that cannot be: finite numbers of no detector make dead pixels, those of real ones none."""

import numpy as np
import pytest

from spectramind_kit.competition.possible_pixels import possible_pixels
from spectramind_kit.instruments import AIRS, FGS1


def tables(channel):
    rng = np.random.default_rng(2)
    dark = np.abs(rng.normal(0.0065, 0.0014, channel.shape))
    dark[3, 3:6] = 0.5, 12.0, 500.0  # hot pixels are pixels
    linearity = np.zeros((6, *channel.shape))
    linearity[:3] = np.array([0.2, 1.0, -6e-9])[:, None, None] * rng.normal(1.0, 0.02, (3, *channel.shape))
    flat = rng.normal(1.0, 0.04, channel.shape)
    flat[5, 5] = -0.05  # as in the real maps: the flat's own limit judges it
    return {"dark": dark, "flat": flat, "read_noise": rng.normal(13.0, 1.0, channel.shape), "linearity": linearity}


@pytest.mark.parametrize("channel", [AIRS, FGS1])
def test_a_detector_s_own_tables_are_possible(channel):
    assert possible_pixels(channel, **tables(channel)).all()


@pytest.mark.parametrize(
    "table, value",
    [
        ("dark", -1e4), ("dark", -1e3), ("dark", -50.0), ("dark", 1e7), ("flat", 50.0), ("flat", 1e30),
        ("read_noise", -13.0), ("read_noise", 1e5),
    ],
)  # fmt: skip
def test_one_impossible_number_costs_its_pixel(table, value):
    damaged = tables(AIRS)
    damaged[table][16, 180] = value
    possible = possible_pixels(AIRS, **damaged)
    assert not possible[16, 180] and possible.sum() == AIRS.n_pixel - 1


@pytest.mark.parametrize("power, value", [(0, 1e6), (1, 0.0), (1, 10.0), (2, 1e-3), (5, 1e-10), (3, -1e300)])
def test_an_impossible_power_costs_its_pixel(power, value):
    damaged = tables(AIRS)
    damaged["linearity"][power, 16, 180] = value
    with np.errstate(all="ignore"):
        possible = possible_pixels(AIRS, **damaged)
    assert not possible[16, 180] and possible.sum() == AIRS.n_pixel - 1


def test_real_tables_lose_no_pixel(real_data):
    from spectramind_kit.competition.folder import open_competition
    from spectramind_kit.competition.frames import read_calibration_frames

    folder = open_competition(real_data)
    (observation, *_) = folder.observations("train", folder.planet_ids("train")[0])
    for channel in (AIRS, FGS1):
        assert read_calibration_frames(observation, channel.name).flags == {}


@pytest.mark.filterwarnings("error")
def test_no_pixel_is_possible_where_a_whole_table_is_missing():
    lost = tables(AIRS)
    lost["linearity"][:] = np.nan
    assert not possible_pixels(AIRS, **lost).any()
