"""Budgets of time: who hurries, and when."""

import math
import time

from spectramind_kit.execution.time_budget import TimeBudget, pace_of


def test_without_a_limit_nobody_hurries():
    budget = TimeBudget(0.0)
    assert budget.for_measuring == budget.for_networks == math.inf
    assert not any(pace_of(range(100), math.inf).too_slow(planet) for planet in range(100))


def test_measuring_ends_before_networks_and_both_before_the_budget():
    now, budget = time.monotonic(), TimeBudget(9.0)
    assert now + 7 * 3600 < budget.for_measuring < budget.for_networks < now + 9 * 3600


def test_planets_hurry_where_the_measured_pace_does_not_suffice(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("spectramind_kit.execution.time_budget.time.monotonic", lambda: clock[0])
    planets = list(range(500, 600))
    pace = pace_of(planets, until=1000.0 + 200.0)
    clock[0] += 100.0
    assert not pace.too_slow(560), "60 planets in 100 s leave time for 40"
    assert pace.too_slow(520), "20 planets in 100 s leave 80 for another 100 s"
    assert not pace.too_slow(502), "two planets are no pace yet"
