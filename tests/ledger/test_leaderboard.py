"""Runs in the order of their scores, and how much that order is worth."""

import json

import numpy as np
import pytest

from spectramind_kit.ledger.leaderboard import rank_runs
from spectramind_kit.ledger.recorded_runs import find_runs, write_notes
from spectramind_kit.ledger.shake_up import simulate_shake_up
from spectramind_kit.work_folder.standing import keep_standing
from tests.ledger.recorded import planet_scores, record


@pytest.fixture
def work(tmp_path):
    """Three trainings: one clearly behind, two that differ by luck alone; and a submission of other planets."""
    record(tmp_path, scores=planet_scores(gain=-0.05), overrides=["fit.drift_order=2"])
    record(tmp_path, scores=planet_scores(gain=0.001, seed=2))
    record(tmp_path, scores=planet_scores(seed=3), overrides=["workers=3", "kaggle.owner=ada"])
    record(tmp_path, command="submit", scores={900 + i: 0.9 for i in range(5)})
    return tmp_path


def trainings(work):
    return [run for run in find_runs([work]) if run.command == "train"]


def test_runs_are_ranked_and_told_apart_by_what_changes_a_score(work):
    board = rank_runs(trainings(work), 1100)
    assert [place.score for place in board.places] == sorted((p.score for p in board.places), reverse=True)
    assert [place.settings for place in board.places] == [{"fit.drift_order": value} for value in (5, 5, 2)]
    first, second, last = board.places
    assert first.behind is None and first.interval is not None and first.interval[0] < first.score < first.interval[1]
    assert second.behind is not None and second.behind.within_noise
    assert last.behind is not None and last.behind.chance > 0.999


def test_a_choice_that_rests_on_less_than_its_noise_is_a_warning(work):
    (warning,) = rank_runs(trainings(work), 1100).warnings()
    assert warning.startswith("warning: to choose") and "rests on less than its noise" in warning
    clear = [run for run in trainings(work) if run.manifest["config"]["workers"] == 0]
    assert rank_runs(clear, 1100).warnings() == [] and rank_runs([], 1100).places == ()


def test_scores_on_kaggle_are_those_noted_or_those_of_the_submission(work):
    first, second, third = trainings(work)
    write_notes(first, {"public_score": 0.41})
    write_notes(second, {"submission": 7})
    submissions = {7: {"public_score": 0.43, "private_score": None}}
    found = {place.run.name: place.public for place in rank_runs([first, second, third], 1100, submissions).places}
    assert found == {first.name: 0.41, second.name: 0.43, third.name: None}


def test_a_public_part_shakes_up_what_is_close_and_nothing_else():
    clear = simulate_shake_up([planet_scores(200, gain=0.05), planet_scores(200, seed=2)], 1100)
    luck = simulate_shake_up([planet_scores(200), planet_scores(200, seed=2)], 1100)
    assert clear is not None and luck is not None
    assert clear.agreement == 1.0 and clear.places == 0.0 and clear.regret == 0.0 and clear.winners == (1.0, 0.0)
    assert luck.agreement < 1.0 and 0.0 < luck.regret < 0.002
    # 40 % of 1,100 planets against the others, which scatter by 0.1 and a little: sqrt(1 / 440 + 1 / 660) of it.
    assert luck.spread == pytest.approx(0.1 * np.sqrt(1 / 440 + 1 / 660), rel=0.15)
    assert simulate_shake_up([{1: 0.5}], 1100) is None and simulate_shake_up([], 1100) is None
    assert simulate_shake_up([{1: 0.5, 2: 0.6}, {3: 0.5, 4: 0.5}], 1100) is None


def test_the_command_shows_it_to_people_and_programs(work, spectramind, tmp_path):
    spectramind(
        "runs", "note", trainings(work)[1].name, "--work", work, "--remark", "wider aperture", "--submission", 7
    )
    budget = {"left": 2}
    answer = {"asked": "2026-11-01T00:00:00+00:00", "budget": budget, "submissions": [{"ref": 7, "public_score": 0.43}]}
    keep_standing(work / "standing.json", answer)
    status, out, _ = spectramind("leaderboard", "--work", work)
    lines = out.splitlines()
    assert status == 0 and lines[1].startswith("1") and lines[3].rstrip().endswith("fit.drift_order=2")
    assert "wider aperture" in out and "0.4300" in out and "rests on less than its noise" in out
    assert "the public winner wins in private" in out and "2 were left" in lines[-1]
    facts = json.loads(spectramind("leaderboard", "--work", work, "--json", "--top", 2)[1])
    assert len(facts["runs"]) == 2 and facts["runs"][1]["best_minus_this"]["n"] == 40
    assert facts["shake_up"]["n_planet"] == 40
    assert (
        json.loads(spectramind("leaderboard", "--work", work, "--of", "submit", "--json")[1])["runs"][0]["score"] == 0.9
    )
    assert "no run has a score yet" in spectramind("leaderboard", "--work", tmp_path / "empty")[1]
