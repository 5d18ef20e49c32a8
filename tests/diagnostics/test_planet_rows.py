"""The table of planets: why one should look at a planet, and in which order."""

import dataclasses

import numpy as np
import pytest

from spectramind_kit.diagnostics.planet_digest import digested
from spectramind_kit.diagnostics.planet_products import PlanetProducts
from spectramind_kit.diagnostics.planet_rows import PlanetRow, planet_rows, reason_to_look, weakness, worst_first
from spectramind_kit.diagnostics.planet_view import PlanetView
from spectramind_kit.diagnostics.work_record import WorkRecord
from spectramind_kit.flags import Flag
from spectramind_kit.products import Planet

USUAL = PlanetRow(planet=1, split="test", visits=1, rung="fit", depth=1.0, sigma=40.0, fgs1_sigma=50.0)
TYPICAL = 40.0, 50.0


@pytest.mark.parametrize(
    "change, reason",
    [
        ({}, ""),
        ({"rung": "population"}, 'rests on the rung "population"'),
        ({"fgs1_z": -3.2}, "FGS1 is off by 3.2 sigma (160 ppm)"),
        ({"airs_z": 2.4}, "AIRS-CH0 errs by 2.4 times its sigma"),
        ({"sigma": 120.0}, "AIRS-CH0 sigma is 3.0 times the typical one (120 ppm)"),
        ({"beta": 1.8}, "residuals over 20 min scatter 1.8 times"),
        ({"flags": ("flux jump (at 3 s)",)}, "flux jump (at 3 s)"),
        ({"problems": ("visit 1 is damaged",)}, "visit 1 is damaged"),
    ],
)
def test_a_planet_says_why_one_should_look_at_it(change, reason):
    found = reason_to_look(dataclasses.replace(USUAL, **change), TYPICAL)
    assert (reason in found) if reason else found == ""


def test_a_low_score_without_a_reason_is_uncertain_or_chance():
    judged = dataclasses.replace(USUAL, score=0.5, error=60.0, airs_z=1.5)
    assert weakness(dataclasses.replace(judged, sigma=90.0), 40.0).startswith("less certain than most")
    assert "1.5 sigma in AIRS-CH0, as chance has it" in weakness(judged, 40.0)
    both = weakness(dataclasses.replace(judged, fgs1_z=-1.4), 40.0)
    assert both.startswith("an error of 1.4 sigma in FGS1 and 1.5 sigma in AIRS-CH0, as chance has it")
    assert weakness(dataclasses.replace(judged, airs_z=0.9), 40.0).startswith("nothing stands out")


def test_planets_without_a_truth_come_first_by_urgency_and_the_others_by_score():
    rows = [
        dataclasses.replace(USUAL, planet=1, score=0.9),
        dataclasses.replace(USUAL, planet=2, score=0.2),
        dataclasses.replace(USUAL, planet=3),
        dataclasses.replace(USUAL, planet=4, flags=("a flag",)),
        dataclasses.replace(USUAL, planet=5, rung="population"),
    ]
    assert [row.planet for row in worst_first(rows)] == [5, 4, 3, 2, 1]


def test_rows_hold_what_was_measured(predicted, fitted, white_noise):
    p = predicted(3, split="train")
    noise = white_noise.copy()
    noise[:, 1:] += 1e-3 * np.repeat(np.random.default_rng(0).standard_normal(23), 10)[:225, None]
    fit, curves = fitted(noise, planet=101, flags={Flag.OUTLIERS: "3 %"})
    digest = digested(PlanetProducts(Planet(101), "train", (fit,), {0: curves}), PlanetView())
    record = WorkRecord(events=({"stage": "train", "problems": {"102": "visit 1 is lost"}},))
    rows = planet_rows(p, p, {101: digest}, record)
    assert [row.planet for row in rows] == [100, 101, 102]
    assert rows[0].score == rows[0].fit_score == pytest.approx(float(p.planet_scores[0]))
    assert rows[1].beta > 2.0 and rows[1].flags == ("points rejected as outliers (3 %)",) and rows[1].visits == 1
    assert rows[2].problems == ("visit 1 is lost",) and rows[0].beta is None
