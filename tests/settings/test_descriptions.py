"""What settings mean: every key has words, every number a range, and what is shipped lies in it."""

import pytest

from spectramind_kit.config import Config, load_config
from spectramind_kit.settings.descriptions import describe_settings, search_settings

SETTINGS = describe_settings(Config, load_config())


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_every_key_has_a_meaning_and_every_number_a_range(setting):
    assert setting.meaning, "no words"
    if setting.kind in ("number", "whole number"):
        assert setting.low is not None and setting.high is not None, "no range"
        assert setting.low <= setting.shipped <= setting.high
    if setting.choices:
        assert setting.shipped in setting.choices


def test_units_and_ranges_are_read_from_the_settings():
    known = {setting.key: setting for setting in SETTINGS}
    assert known["planet_seconds"].unit == "s" and known["uncertainty.sigma_floor"].unit == "(Rp/Rs)^2"
    assert known["fit.drift_order"].range == "whole number from 0, at most 12"
    assert known["fit.drift_scatter"].range == "number above 0, at most 1"
    assert known["executor"].range == "processes or dask"
    assert known["photometry.airs_rows"].range == "list of 2 values, each whole number"
    assert known["calibration.dark"].range == "true or false"
    assert "probability that a planet" in known["training.time_flip"].meaning


def test_a_search_wants_every_word():
    assert [s.key for s in search_settings(SETTINGS, "half-open airs")] == [
        "photometry.airs_rows",
        "photometry.airs_background_rows",
    ]
    assert search_settings(SETTINGS, "xyzzy") == []
