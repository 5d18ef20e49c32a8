"""A planet's story: four paragraphs that say what the run's own files say, each with its picture, or why it is not."""

import json
import re
import shutil

import numpy as np
import pytest

from spectramind_kit.diagnostics.planet_story import judged, predicted, show_planet
from spectramind_kit.prediction.held_out_coverage import coverage_record
from spectramind_kit.products import Spectrum
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.submission import read_submission, submission_arrays

HEADS = ("What is measured.", "How the fit works.", "What is predicted.", "How far to trust it.")


@pytest.fixture
def story(competition, trained_work):
    planet = int(read_submission(trained_work / "submission.csv")["planet_id"][0])
    return planet, show_planet(trained_work, "test", planet, competition.data)


def test_it_has_four_paragraphs_with_a_picture_each(story):
    planet, told = story
    assert [passage.text.split(". ")[0] + "." for passage in told.passages] == list(HEADS)
    page = told._repr_html_()
    assert page.count("<p ") == page.count("<img ") == 4 and page.count("data:image/png;base64,") == 4
    assert all(len(alt) > 20 for alt in re.findall(r'alt="([^"]*)"', page)) and "max-width: 100%" in page
    assert f"planet {planet} " in repr(told) and repr(told).count("\n\n") == 3


def test_numbers_are_those_of_the_runs_files(story, trained_work, competition):
    planet, told = story
    planets, mean, sigma = submission_arrays(read_submission(trained_work / "submission.csv"))
    row = planets.tolist().index(planet)
    assert f"spans {1e6 * np.ptp(mean[row, 1:]):.0f} ppm" in told.passages[2].text
    assert f"sigma is {1e6 * np.median(sigma[row, 1:]):.0f} ppm" in told.passages[2].text
    record = json.loads((trained_work / "model" / "model.json").read_text())
    assert f"score {record['out_of_fold_score']:.3f}" in told.passages[3].text
    assert f"{record['n_planets']} planets with labels" in told.passages[2].text


def test_a_training_planet_is_told_as_the_other_folds_predict_it(competition, trained_work):
    path = WorkFolder(trained_work).predictions("train")
    planet = int(read_submission(path)["planet_id"][0])
    told = show_planet(trained_work, "train", planet, competition.data)
    assert all(passage.figure is not None for passage in told.passages)


def without_held_out(model):
    """Take out of a model's record what it says of held-out planets, as earlier ones have none."""
    path = model / "model.json"
    record = json.loads(path.read_text())
    del record["held_out"]
    path.write_text(json.dumps(record))
    return model


def test_a_model_that_is_alone_says_itself_how_far_to_trust_it(story, trained_work, tmp_path):
    planet, told = story
    keep = shutil.ignore_patterns("predictions", "model")
    work = shutil.copytree(trained_work, tmp_path / "work", ignore=keep)
    model = shutil.copytree(trained_work / "model", tmp_path / "attached" / "model")
    alone = show_planet(work, "test", planet, None, model)

    assert alone.passages[3].text == told.passages[3].text and alone.passages[3].figure is not None


def test_what_the_record_says_is_what_the_predictions_say(story, competition, trained_work, tmp_path):
    planet, told = story
    work = shutil.copytree(trained_work, tmp_path / "work")
    without_held_out(work / "model")

    assert show_planet(work, "test", planet, competition.data).passages[3].text == told.passages[3].text


def test_held_out_predictions_are_found_beside_an_attached_model(competition, trained_work, tmp_path):
    work = shutil.copytree(trained_work, tmp_path / "work", ignore=shutil.ignore_patterns("predictions", "model"))
    earlier = shutil.copytree(trained_work, tmp_path / "earlier")
    planet = int(read_submission(work / "submission.csv")["planet_id"][0])
    attached = show_planet(work, "test", planet, competition.data, without_held_out(earlier / "model"))
    assert attached.passages[3].text.startswith(HEADS[3])
    alone = show_planet(work, "test", planet, competition.data)
    assert alone.passages[3].text.startswith("no picture: held-out predictions")
    assert "No model's record lies beside it" in alone.passages[2].text


def test_what_is_missing_becomes_a_sentence(tmp_path):
    told = show_planet(tmp_path, "test", 7)
    assert all(passage.text.startswith("no picture: ") and passage.figure is None for passage in told.passages)
    assert "<img" not in told._repr_html_()


def spectrum():
    return Spectrum(7, np.linspace(0.7, 3.9, 5), np.full(5, 0.01), np.full(5, 1e-4), "fit")


@pytest.mark.parametrize(
    "record, said",
    [
        ({"kind": "none"}, "the model is the fit alone"),
        ({"kind": "v50", "network_share": {"FGS1": 0.0, "AIRS-CH0": 0.0}}, "v50 gained nothing on held-out planets"),
        ({"kind": "v50", "network_share": {"FGS1": 0.25, "AIRS-CH0": 0.5}}, "25 % in FGS1 and 50 % in AIRS-CH0"),
        ({}, "No model's record"),
    ],
)
def test_the_network_has_the_say_that_the_record_states(record, said):
    assert said in predicted(spectrum(), record).text


def test_calibration_is_counted_channel_by_channel():
    sigma = np.ones((4, 3))
    mean = np.array([[0.5, 0.5, 2.0]] * 3 + [[2.0, 0.5, 2.0]])
    assert "75 % of the depths in FGS1 and of 50 % in AIRS-CH0" in judged(coverage_record(mean / sigma), {}).text
