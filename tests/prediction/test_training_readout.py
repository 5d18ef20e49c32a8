"""A folder that has lost ADC constants or axes is read with those of training, which travel with the model."""

import dataclasses
import os
import shutil

import numpy as np
import pytest

from spectramind_kit import runs
from spectramind_kit.competition.folder import open_competition
from spectramind_kit.prediction.training_readout import keep_readout, readout_losses, training_readout
from spectramind_kit.work_folder.model_record import write_model_record


@pytest.fixture
def root(write_competition):
    return write_competition()


@pytest.fixture
def model(root, tmp_path):
    keep_readout(open_competition(root), tmp_path / "model")
    write_model_record(tmp_path / "model", {})
    return tmp_path / "model"


def test_what_was_kept_comes_back(root, model):
    known, folder = training_readout(model), open_competition(root)
    assert known is not None and known.adc is not None and known.axis is not None
    assert known.edition == "2025" and known.adc["AIRS-CH0_adc_offset"] == -1000.0
    np.testing.assert_array_equal(known.axis.wavelength, folder.axis.wavelength)
    for channel, times in folder.axis.frame_time.items():
        np.testing.assert_array_equal(known.axis.frame_time[channel], times)
    assert readout_losses(folder, model) == ()


@pytest.mark.parametrize("damage", ["gone", "half", "of another training", "no record", "no model"])
def test_what_is_damaged_or_another_s_is_not_used(model, damage):
    path = model / "readout.npz"
    if damage == "gone":
        path.unlink()
    elif damage == "half":
        path.write_bytes(path.read_bytes()[:300])
    elif damage == "of another training":
        np.savez(path, another=np.zeros(3))
    elif damage == "no record":
        (model / "model.json").unlink()
    else:
        shutil.rmtree(model)
    assert training_readout(model) is None


def test_losses_say_what_stands_in(root, model, tmp_path):
    (root / "adc_info.csv").unlink()
    (root / "axis_info.parquet").unlink()
    folder = open_competition(root)
    for loss in readout_losses(folder, model):
        assert "cannot be used: those of the training folder are used" in loss
    without = readout_losses(folder, tmp_path / "nothing")
    assert len(without) == 2 and all("the model remembers none, and no cube can be read" in loss for loss in without)


def test_lost_tables_cost_no_answer(competition, trained_work, tmp_path):
    data, work = tmp_path / "data", tmp_path / "work"
    shutil.copytree(competition.data, data, ignore=shutil.ignore_patterns("train"), copy_function=os.link)
    for part in ("light_curves", "fits"):
        shutil.copytree(trained_work / part, work / part, copy_function=os.link)
    config = dataclasses.replace(competition.config, model=dataclasses.replace(competition.config.model, kind="none"))
    before = runs.submit(data, work, config, model=trained_work / "model")
    lost = ("adc_info.csv", "axis_info.parquet")
    for name in lost:
        (data / name).unlink()
    after = runs.submit(data, work, config, model=trained_work / "model")
    assert after.fallbacks == {} and all(any(name in loss for loss in after.losses) for name in lost)
    for one, other in zip(before.spectra, after.spectra):
        np.testing.assert_array_equal(one.mean, other.mean)
        np.testing.assert_array_equal(one.sigma, other.sigma)
    assert [remark.count("of the training folder") for remark in after.remarks.values()] == [2, 2]
