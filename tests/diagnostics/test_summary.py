"""The summary in plain words follows the figures, with a truth and without."""

import dataclasses

import numpy as np
import pytest

from spectramind_kit.diagnostics.planet_rows import planet_rows
from spectramind_kit.diagnostics.residuals import residual_statistics
from spectramind_kit.diagnostics.sigma_figures import coverages
from spectramind_kit.diagnostics.summary import Facts, summarised
from spectramind_kit.diagnostics.work_record import WorkRecord

NETWORK = {"kind": "v50", "network_share": {"FGS1": 0.5, "AIRS-CH0": 0.8}}


def facts(*splits, record=WorkRecord(model={"kind": "none"}), fit=None, residuals=()):  # noqa: B008  (frozen)
    by_split = {p.split: p for p in splits}
    judged = {split: coverages(p) for split, p in by_split.items() if p.truth is not None}
    rows = {split: planet_rows(p, None, {}, record) for split, p in by_split.items()}
    return Facts(by_split, judged, rows, residuals, fit, record)


def told(found):
    return {paragraph.heading: " ".join(paragraph.sentences) for paragraph in summarised(found)}


def test_a_good_run_says_so(predicted):
    p = predicted()
    text = told(facts(p))
    assert text["How good is it?"].startswith(f"Score {p.score:.3f} ± ")
    assert text["Are the sigmas calibrated?"].startswith("Yes")
    assert "there is none" in text["What did the network add?"]


def test_sigmas_that_are_too_small_are_named_with_a_remedy(predicted):
    text = told(facts(predicted(error=2.0)))
    assert "AIRS-CH0: too small by about 2.0" in text["Are the sigmas calibrated?"]
    assert "Sigmas of FGS1 and AIRS-CH0" in text["What should I try next?"]
    assert "uncertainty.conformal=0.68" in text["What should I try next?"]


def test_the_worst_planet_comes_first_and_says_why(predicted):
    p = predicted()
    mean = p.mean.copy()
    mean[17] += 5 * p.sigma[17]
    text = told(facts(dataclasses.replace(p, mean=mean)))["Which planets should I look at?"]
    assert text.startswith(f"The lowest scores of 60 planets, whose median is {np.median(p.planet_scores):.2f}:")
    assert ": [[test/117]] scores " in text and "AIRS-CH0 errs by 5.0 times its sigma" in text


def test_what_the_network_added_is_measured_planet_by_planet(predicted):
    fit = predicted(split="train", error=1.5)
    ours = dataclasses.replace(fit, mean=fit.known + (fit.mean - fit.known) / 1.5)
    text = told(facts(ours, record=WorkRecord(model=NETWORK), fit=fit))["What did the network add?"]
    gain = ours.planet_scores - fit.planet_scores
    assert f"by {gain.mean():+.4f} ± " in text and "better" in text and "AIRS-CH0 80 %" in text
    worse = told(facts(fit, record=WorkRecord(model=NETWORK), fit=ours))["What should I try next?"]
    assert "makes held-out planets worse" in worse
    idle = WorkRecord(model=NETWORK | {"network_share": {"FGS1": 0.0, "AIRS-CH0": 0.0}})
    assert told(facts(fit, record=idle, fit=fit))["What did the network add?"].startswith("Nothing that counts")


def test_a_hidden_test_has_sentences_that_are_true(predicted):
    model = NETWORK | {"out_of_fold_score": 0.61234, "out_of_fold_score_of_the_fit": 0.6}
    record = WorkRecord(model=model, manifest={"fallbacks": {"100": "no light"}})
    text = told(facts(predicted(known=False), record=record))
    assert "no score" in text["How good is it?"] and "0.612" in text["How good is it?"]
    assert "cannot be judged" in text["Are the sigmas calibrated?"]
    assert "0.6123 with it and 0.6000 without" in text["What did the network add?"]
    planets = text["Which planets should I look at?"]
    assert (
        planets.startswith("[[test/100]], whose truth is not known") and "Fallen back to the population: 1." in planets
    )
    assert "nan" not in " ".join(text.values())


@pytest.mark.parametrize("size, named", [(0.0, False), (2e-4, True)])
def test_what_residuals_show_is_what_to_try_next(predicted, fitted, white_noise, size, named):
    steps = np.repeat(np.random.default_rng(1).standard_normal(23), 10)[:225, None]
    fit, curves = fitted(white_noise + size * (steps + curves_of(fitted, white_noise)))
    text = told(facts(predicted(), residuals=(residual_statistics(fit, curves),)))["What should I try next?"]
    assert ("fit.drift_order" in text) is named and ("Residuals follow airs row centroid" in text) is named


def curves_of(fitted, noise):
    """The pointing of the maker's visits (n_time, 1)."""
    return fitted(noise)[1].regressors[:, 1:2]
