"""All planets of a split: who is tried again, how, and what is recorded of it."""

import dataclasses

import numpy as np
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.execution.supervisor import OUT_OF_TIME
from spectramind_kit.execution.time_budget import TimeBudget
from spectramind_kit.prediction import planets
from spectramind_kit.prediction.stand_ins import UsableModel, labels_model, population_spectra
from spectramind_kit.work_folder.growing_submission import GrowingSubmission

HANGS, LATE, DIES = 34983, 4294967311, 7


@pytest.fixture
def answer(write_competition, config, tmp_path, monkeypatch):
    """A run in which no process comes back; the calls are recorded."""
    folder = open_competition(write_competition())
    usable = labels_model(folder, config.uncertainty)
    sample = folder.sample_submission()
    ids = sample["planet_id"].to_list()
    growing = GrowingSubmission(
        population_spectra(ids, usable.model, config.uncertainty, "not yet"), sample, tmp_path / "submission.csv"
    )
    calls, reasons = [], {HANGS: "not done after 225 s", LATE: OUT_OF_TIME, DIES: "its process died"}

    def nothing_comes_back(task, wanted, settings, lost, label, came, until, stored=None):
        calls.append((task, list(wanted), settings))
        results = {planet: lost(planet, reasons[planet]) for planet in wanted}
        for planet, result in results.items():
            came(planet, result)
        return results

    monkeypatch.setattr(planets, "for_each_planet", nothing_comes_back)

    def run(wanted, found=usable, workers=1):
        settings = dataclasses.replace(config, workers=workers)
        budget = TimeBudget(9.0)
        return planets.spectra_of(wanted, found, tmp_path, folder.root, tmp_path, settings, growing, budget)

    return run, calls


def test_what_hangs_or_dies_is_tried_again_frugally_and_what_is_late_is_not(answer):
    run, calls = answer
    spectra = {s.planet_id: s for s in run([HANGS, LATE, DIES])}
    (first, everyone, patient), (second, again, hasty) = calls
    assert everyone == [HANGS, LATE, DIES] and again == [HANGS, DIES]
    assert not first.frugal and second.frugal and second.pace is None
    assert patient.planet_seconds + hasty.planet_seconds == pytest.approx(300.0), "a hang costs its budget, no more"
    assert hasty.workers == 2, "what killed a process is not tried in this one"
    assert {s.source for s in spectra.values()} == {"population"}
    assert spectra[HANGS].problems[0] == "not done after 225 s" and spectra[LATE].problems == (OUT_OF_TIME,)


def test_without_any_model_nothing_is_measured(answer):
    run, calls = answer
    spectra = run([HANGS, LATE], UsableModel(None, ("no labels",)))
    assert calls == [] and all(s.problems == ("no labels",) and np.isfinite(s.mean).all() for s in spectra)
