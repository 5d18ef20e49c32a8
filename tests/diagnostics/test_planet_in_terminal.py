"""A planet in the terminal."""

import io
import re

import numpy as np
import pytest
from rich.console import Console

from spectramind_kit.diagnostics.planet_in_terminal import drawn, inspected
from spectramind_kit.errors import SpectraMindError


def printed(*arguments):
    console = Console(width=120, file=io.StringIO())
    console.print(inspected(*arguments))
    return console.file.getvalue()


def test_a_planet_is_shown_from_its_light_curve_to_its_spectrum(competition, trained_work):
    planet = int(next((competition.data / "test").iterdir()).name)
    text = printed(competition.data, trained_work, planet)
    assert f"Planet {planet}, test planet" in text and re.search(r"rung +(fit|network): ", text)
    assert "corrections: " in text and "error [ppm]" in text and "2.7 um bands" in text
    assert re.search(r"semi-major axis +R★ +[\d.]+ +[\d.]+ ± [\d.]+ ", text) and "20 min" in text


def test_a_planet_that_was_not_predicted_is_a_sentence(competition, trained_work):
    with pytest.raises(SpectraMindError, match="planet 99: wanted one that was predicted"):
        inspected(competition.data, trained_work, 99)


def test_curves_are_drawn_from_their_lowest_to_their_highest_value():
    assert drawn(np.array([0.0, 1.0, np.nan, 0.5])) == "▁█ ▄"
    assert drawn(np.full(3, np.nan)) == "" and len(drawn(np.arange(1000.0), 40)) == 40
