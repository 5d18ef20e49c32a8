"""Which path is taken: the wanted one where it works, else the nearest, never in silence."""

import numpy as np
import polars as pl
import pytest

from spectramind_kit.calibration import fused, paths
from spectramind_kit.competition.frames import DecodedPixels
from spectramind_kit.config import load_config
from spectramind_kit.instruments import FGS1
from spectramind_kit.products import CalibrationFrames


@pytest.fixture(autouse=True)
def forget():
    paths.working_path.cache_clear()
    yield
    paths.working_path.cache_clear()


def pixels(level=1000):
    counts = np.tile([level, 2 * level], 5).astype(np.uint16)
    table = pl.DataFrame({"a": counts, "b": counts})
    return DecodedPixels("FGS1", table, np.array([3, 4]), np.array([7, 7]), np.arange(10) * 0.1)


def frames(n_coefficient=6):
    linearity = np.zeros((n_coefficient, *FGS1.shape))
    linearity[1] = 1.0
    zero = np.zeros(FGS1.shape)
    return CalibrationFrames(zero, zero > 0, zero + 1.0, zero + 13.0, linearity, gain=0.5, offset=-1000.0)


def bin_with(path, **options):
    weight, bounds = np.ones((1, 2)), np.array([0, 5])
    return paths.bin_decoded_pixels(pixels(), frames(**options), load_config().calibration, bounds, weight, path)


@pytest.mark.parametrize("path", ["auto", "fused", "readable"])
def test_every_path_gives_the_same(path, caplog):
    bins = bin_with(path)
    np.testing.assert_allclose(bins.light, 2000.0)
    np.testing.assert_allclose(bins.moments, 4000.0)
    assert not caplog.records


def test_the_compiled_path_is_the_one_taken():
    assert paths.working_path("auto") == paths.working_path("fused") == "fused"


@pytest.mark.parametrize("path", ["auto", "fused"])
def test_a_compiler_that_fails_is_told_and_gone_around(path, monkeypatch, caplog):
    def broken():
        raise OSError("no libLLVM")

    monkeypatch.setattr(fused, "probe", broken)
    assert paths.working_path(path) == "readable"
    assert "OSError: no libLLVM" in caplog.text
    np.testing.assert_allclose(bin_with(path).light, 2000.0)


def test_a_compiler_that_is_wrong_is_noticed(monkeypatch):
    monkeypatch.setattr(fused, "mean_between", lambda signal, bounds: (signal + 1, signal.mean(axis=1)))
    with pytest.raises(ArithmeticError, match="gave"):
        fused.probe()
    assert paths.working_path("auto") == "readable"


def test_no_device_means_the_cpu(monkeypatch, caplog):
    monkeypatch.setattr(paths, "usable_cuda", lambda: None)
    assert paths.working_path("gpu") == "fused"
    assert "no usable CUDA device" in caplog.text


def test_a_device_that_works_is_taken(monkeypatch):
    monkeypatch.setattr(paths, "usable_cuda", lambda: "some device")
    assert paths.working_path("gpu") == "gpu"


def test_a_longer_polynomial_takes_the_readable_path():
    np.testing.assert_allclose(bin_with("fused", n_coefficient=8).light, 2000.0)


@pytest.mark.parametrize("path", ["fused", "readable"])
def test_counts_of_zero_are_told(path):
    args = frames(), load_config().calibration, np.array([0, 5]), np.ones((1, 2))
    assert paths.bin_decoded_pixels(pixels(0), *args, path) is None
