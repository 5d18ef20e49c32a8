"""Simulated competition folders: layout, types, determinism, both editions."""

import dataclasses
import hashlib
import json

import numpy as np
import polars as pl
import pytest

from spectramind_kit.competition.folder import open_competition, read_spectra
from spectramind_kit.competition.frames import decode_pixels, detector_pixels, read_calibration_frames
from spectramind_kit.errors import ConfigurationError, SpectraMindError
from spectramind_kit.instruments import AIRS, CHANNELS, FGS1
from spectramind_kit.simulation.simulated_folder import channel_cadences, simulate_folder


@pytest.fixture(scope="module")
def tiny(config):
    """Nine and forty-five stored pairs: quick, and still a whole visit."""
    return dataclasses.replace(config.simulation, airs_average=625, fgs1_average=1500, two_visit_fraction=0.5)


@pytest.fixture(scope="module")
def simulated(tiny, tmp_path_factory):
    out = tmp_path_factory.mktemp("simulated") / "competition"
    done = []
    simulate_folder(out, 4, 2, tiny, seed=3, progress=done.append)
    assert done == [1] * 6
    return out


def checksums(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_tables_have_the_competitions_columns(simulated):
    sample = pl.read_csv(simulated / "sample_submission.csv")
    wavelengths, sigmas = ([f"{kind}_{i + 1}" for i in range(283)] for kind in ("wl", "sigma"))
    assert sample.columns == ["planet_id", *wavelengths, *sigmas]
    assert sample["planet_id"].dtype == pl.Int64 and (sample["wl_1"] == 0.456).all()
    assert pl.read_csv(simulated / "train.csv").columns == ["planet_id", *wavelengths]
    stars = pl.read_csv(simulated / "test_star_info.csv")
    assert stars.columns == ["planet_id", "Rs", "Ms", "Ts", "Mp", "e", "P", "sma", "i"]
    assert stars["planet_id"].to_list() == sample["planet_id"].to_list()
    adc = pl.read_csv(simulated / "adc_info.csv")
    assert adc.shape == (1, 4) and adc["AIRS-CH0_adc_gain"][0] == 0.4369
    row = pl.read_csv(simulated / "wavelengths.csv").row(0)
    assert [row[0], row[1], row[-1]] == pytest.approx([0.7, 1.951761, 3.895036], abs=1e-6)


def test_axis_is_padded_with_null(simulated, tiny):
    axis = pl.read_parquet(simulated / "axis_info.parquet")
    cadences = channel_cadences(tiny)
    n_airs, n_fgs1 = (2 * cadences[c.name].n_pair for c in (AIRS, FGS1))
    lengths = {name: len(axis) - nulls for name, nulls in zip(axis.columns, axis.null_count().row(0))}
    assert lengths == {
        "AIRS-CH0-axis0-h": n_airs,
        "AIRS-CH0-axis2-um": 356,
        "AIRS-CH0-integration_time": n_airs,
        "FGS1-axis0-h": n_fgs1,
    }
    assert all(kind == pl.Float64 for kind in axis.dtypes)
    assert axis["AIRS-CH0-integration_time"][:4].to_list() == [0.1, 4.5, 0.1, 4.5]
    assert axis["AIRS-CH0-axis2-um"].drop_nulls().is_sorted(descending=True)


def test_frames_and_calibration_are_stored_as_the_real_ones(simulated, tiny):
    folder = next((simulated / "train").iterdir())
    for channel in CHANNELS.values():
        signal = pl.read_parquet(folder / f"{channel.name}_signal_0.parquet")
        assert signal.shape == (2 * channel_cadences(tiny)[channel.name].n_pair, channel.n_pixel)
        assert set(signal.dtypes) == {pl.UInt16}
        assert signal.columns[:2] == ["column_0", "column_1"]
        tables = {p.stem: pl.read_parquet(p) for p in (folder / f"{channel.name}_calibration_0").iterdir()}
        assert set(tables) == {"dark", "dead", "flat", "read", "linear_corr"}
        assert set(tables["dead"].dtypes) == {pl.Boolean}
        assert tables["linear_corr"].shape == (192, channel.n_column)
        assert all(tables[n].shape == channel.shape and tables[n].dtypes[0] == pl.Float64 for n in ("dark", "flat"))


def test_the_reader_gets_rows_frames_and_times_right(simulated):
    folder = open_competition(simulated)
    planet_id = folder.planet_ids("train")[0]
    observation = folder.observations("train", planet_id)[0]
    assert observation.planet.flags == {} and observation.planet.orbit is not None
    for channel in CHANNELS.values():
        rows, columns = detector_pixels(channel)
        cube = decode_pixels(observation, channel.name, rows, columns).cube()
        frames = read_calibration_frames(observation, channel.name)
        light = (cube.counts[:, 1::2].astype(float) - cube.counts[:, ::2]).mean(axis=1).reshape(channel.shape)
        assert light.sum(axis=1).argmax() in (15, 16)
        dead = light[frames.dead]
        assert (np.abs(dead) < 20).all(), "no light in dead pixels"


def test_planets_have_one_or_two_visits_with_transits_of_their_own(simulated):
    folder = open_competition(simulated)
    ids = [(split, p) for split in ("train", "test") for p in folder.planet_ids(split)]
    visits = {p: folder.observations(split, p) for split, p in ids}
    assert {len(v) for v in visits.values()} == {1, 2}
    first, second = next(v for v in visits.values() if len(v) == 2)
    assert first.files[AIRS.name].signal.name == "AIRS-CH0_signal_0.parquet"
    white = []
    for visit in (first, second):
        cube = decode_pixels(visit, AIRS.name, *detector_pixels(AIRS, AIRS.science_columns)).cube()
        exposure = cube.counts[:, 1::2].astype(float) - cube.counts[:, ::2]
        white.append(exposure.sum(axis=0) / exposure.sum(axis=0).max())
    assert np.abs(white[0] - white[1]).max() > 1e-4, "another transit time and noise"


def test_labels_and_truth_are_the_splits_spectra(simulated):
    folder = open_competition(simulated)
    ids, spectra = folder.labels()
    assert sorted(ids) == folder.planet_ids("train") and spectra.shape == (4, 283)
    test_ids, truth = read_spectra(simulated / "truth" / "test.csv")
    assert sorted(test_ids) == folder.planet_ids("test") == sorted(folder.sample_submission()["planet_id"].to_list())
    assert (truth > 1e-3).all() and (truth < 0.08).all()
    record = json.loads((simulated / "simulation.json").read_text())
    assert record["seed"] == 3 and record["complete"] is True and record["simulation"]["read_noise"] == 13.0


def test_the_same_bytes_with_one_or_two_processes(simulated, tiny, tmp_path):
    simulate_folder(tmp_path / "again", 4, 2, tiny, seed=3, workers=2)
    assert checksums(tmp_path / "again") == checksums(simulated)


def test_another_seed_gives_other_planets_in_place_of_the_old(tiny, tmp_path):
    simulate_folder(tmp_path, 2, 1, tiny, seed=1)
    before = checksums(tmp_path)
    simulate_folder(tmp_path, 1, 0, tiny, seed=2)
    after = checksums(tmp_path)
    assert not {name for name in before if name.startswith(("train/", "test/"))} & set(after)
    assert before["train.csv"] != after["train.csv"]
    assert open_competition(tmp_path).planet_ids("test") == []


def test_refuses_a_folder_that_is_not_a_simulation(tiny, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(SpectraMindError, match="thesis.tex.*choose another"):
        simulate_folder(tmp_path, 1, 0, tiny, seed=1)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_refuses_an_unknown_edition(tiny, tmp_path):
    with pytest.raises(ConfigurationError, match="2023"):
        simulate_folder(tmp_path, 1, 0, tiny, seed=1, edition="2023")


def test_2024_layout(tiny, tmp_path):
    simulate_folder(tmp_path, 2, 1, tiny, seed=5, edition="2024")
    names = {path.name for path in tmp_path.iterdir()}
    assert {"train_labels.csv", "train_adc_info.csv", "test_adc_info.csv", "sample_submission.csv"} <= names
    assert not names & {"train.csv", "adc_info.csv", "train_star_info.csv", "test_star_info.csv"}
    folder = open_competition(tmp_path)
    assert folder.edition == "2024" and folder.wavelength[0] == 0.705
    for planet_id in folder.planet_ids("train"):
        (observation,) = folder.observations("train", planet_id)
        assert observation.files["FGS1"].signal.name == "FGS1_signal.parquet"
        assert (observation.files["FGS1"].gain, observation.files["FGS1"].offset) == (0.84, -343.0)
        cube = decode_pixels(observation, "AIRS-CH0", *detector_pixels(AIRS)).cube()
        assert cube.counts.max() < 65_535, "no pixel clipped by the converter"
    adc = pl.read_csv(tmp_path / "train_adc_info.csv")
    assert set(adc.columns) == {"planet_id", "star", *(f"{c}_adc_{k}" for c in CHANNELS for k in ("gain", "offset"))}
