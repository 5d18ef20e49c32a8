"""Counts of held-out errors: right for errors whose distribution is known, and of planets with a label only."""

import json

import numpy as np
import pytest

from spectramind_kit.prediction.held_out_coverage import PROMISED, coverage, coverage_record, held_out_errors
from spectramind_kit.products import Spectrum


def test_normal_errors_are_covered_as_promised():
    errors = np.random.default_rng(1).normal(size=(4000, 4)) * [2.0, 1.0, 1.0, 1.0]
    found = coverage(errors, PROMISED)

    assert np.allclose(found["AIRS-CH0"], PROMISED, atol=0.02)
    assert np.all(np.array(found["FGS1"]) < np.array(PROMISED) - 0.01)


def test_record_can_be_written_and_counts_at_one_sigma():
    record = json.loads(json.dumps(coverage_record(np.array([[0.5, 0.5, 2.0], [-2.0, 0.5, -2.0]]))))

    assert record["planets"] == 2 and record["within_one_sigma"] == {"FGS1": 0.5, "AIRS-CH0": 0.5}
    assert len(record["promised"]) == len(record["observed"]["FGS1"]) == len(PROMISED)


def test_errors_are_those_of_planets_with_a_label():
    spectra = [Spectrum(n, np.linspace(0.7, 3.9, 3), np.full(3, 0.02), np.full(3, 0.005), "fit") for n in (1, 2)]
    labels = np.array([2, 3]), np.full((2, 3), 0.01)

    assert held_out_errors(spectra, labels) == pytest.approx(np.full((1, 3), 2.0))
    assert held_out_errors([], labels).shape == (0, 3)
