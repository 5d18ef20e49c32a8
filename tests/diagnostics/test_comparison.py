"""Two runs side by side: paired differences, settings that differ, files that are none."""

import dataclasses

import pytest

from spectramind_kit.diagnostics.comparison import (
    compared,
    comparison_figure,
    differing_settings,
    figures_of_folder,
    read_figures,
    write_figures,
)
from spectramind_kit.diagnostics.work_record import WorkRecord
from spectramind_kit.errors import SpectraMindError

RECORD = WorkRecord(manifest={"config": {"seed": 1, "fit": {"drift_order": 4, "supersample": 3}}})
OTHER = WorkRecord(manifest={"config": {"seed": 1, "fit": {"drift_order": 2}}})


@pytest.fixture
def runs(predicted):
    """Two runs, the second with larger errors at half of the planets."""
    ours, mean = predicted(30), None
    mean = ours.mean.copy()
    mean[15:] += 1.5 * ours.sigma[15:]
    theirs = dataclasses.replace(ours, mean=mean)
    return figures_of_folder("a", [ours], RECORD), figures_of_folder("b", [theirs], OTHER)


def test_differences_are_paired_planet_by_planet(runs):
    (found,) = compared(*runs)
    assert found.split == "test" and found.n_planet == 30
    assert found.difference == pytest.approx(found.scores[0] - found.scores[1]) and found.difference > 0
    assert found.standard_error < found.difference / 3
    assert len(found.changed) == 8 and all(planet >= 115 for planet, _, _ in found.changed)


def test_only_settings_that_differ_are_named(runs):
    assert differing_settings(*runs) == [("fit.drift_order", "4", "2"), ("fit.supersample", "3", "not recorded")]


def test_a_run_compares_with_itself_through_a_file(runs, tmp_path):
    path = tmp_path / "report.json"
    write_figures(runs[0], path)
    back = read_figures(path)
    (found,) = compared(runs[0], back)
    assert found.difference == 0.0 and found.changed == [] and differing_settings(runs[0], back) == []
    figure = comparison_figure(runs[0], back, "test")
    assert figure.traces[0]["x"] == figure.traces[0]["y"]


@pytest.mark.parametrize("content", ["", "[]", '{"format": 99}', '{"format": 1, "planets": [{"planet": 1}]}'])
def test_what_is_no_report_is_a_sentence(tmp_path, content):
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(SpectraMindError, match="wanted report.json of this version, or a work folder"):
        read_figures(tmp_path / "report.json")
    with pytest.raises(SpectraMindError, match="spectramind diagnose"):
        read_figures(tmp_path / "none.json")
