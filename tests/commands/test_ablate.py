"""Leaving parts out one by one: which parts there are, what each is worth, and how sure that is."""

import csv
import json

import pytest

from spectramind_kit.commands import ablate
from spectramind_kit.config import load_config
from spectramind_kit.ledger.ablation import possible_ablations
from tests.ledger.recorded import planet_scores, record


@pytest.mark.parametrize(
    "overrides, there, absent",
    [
        ([], {"correction: dark", "background subtraction", "network"}, {"conformal sigmas", "loss term: curvature"}),
        (["model=none"], {"recalibration of sigmas"}, {"network", "time flips"}),
        (
            ["calibration.dark=false", "photometry.extraction=sum"],
            {"network"},
            {"correction: dark", "optimal extraction"},
        ),
        (["loss=symbolic", "training.injections=2"], {"loss term: curvature", "injected transits"}, {"loss term: x"}),
    ],
)
def test_what_a_configuration_has_can_be_left_out(overrides, there, absent):
    config = load_config(overrides)
    found = {each.name: each.overrides for each in possible_ablations(config)}
    assert there <= set(found) and not absent & set(found)
    for each in list(found.values())[::4]:
        assert load_config([*overrides, *each]) != config, f"{each} changes nothing"


@pytest.fixture
def trained(monkeypatch, competition):
    """Trainings that only record scores: without the dark it is worse, without the flat it fails."""
    ran = []

    def execute(words):
        ran.append(list(words))
        work = type(competition.data)(words[words.index("--work") + 1])
        if "calibration.flat=false" in words:
            return 1
        gain = -0.05 if "calibration.dark=false" in words else 0.0
        record(work, scores=planet_scores(gain=gain, seed=len(ran)))
        return 0

    monkeypatch.setattr(ablate, "execute", execute)
    return ran


def test_parts_are_ranked_by_what_they_are_worth(trained, competition, tmp_path, spectramind):
    (tmp_path / "fits").mkdir()
    (tmp_path / "fits" / "7_0.npz").write_bytes(b"stored")
    folders = "--data", competition.data, "--work", tmp_path
    status, out, _ = spectramind("ablate", *folders, "--only", "correction", "model=none")
    assert status == 0 and len(trained) == 5
    assert trained[0][-1] == "model=none" and trained[2][-2:] == ["model=none", "calibration.dark=false"]
    (folder,) = (tmp_path / "sweeps").iterdir()
    assert (folder / "3" / "fits" / "7_0.npz").is_symlink()
    rows = list(csv.reader((folder / "ablation.csv").read_text().splitlines()))
    assert rows[1][0] == "correction: dark" and rows[1][3].startswith("+0.05") and rows[1][5] == "100%"
    assert rows[-1][0] == "correction: flat" and rows[-1][2] == "failed" and len(rows) == 5
    for text in ((folder / "ablation.md").read_text(), (folder / "ablation.html").read_text(), out):
        assert "these help: correction: dark; these harm: none" in text
    assert "http" not in (folder / "ablation.html").read_text()


def test_a_dry_run_says_what_it_would_do(trained, competition, tmp_path, spectramind):
    folders = "--data", competition.data, "--work", tmp_path / "w"
    status, out, _ = spectramind("ablate", *folders, "--dry-run", "model=none")
    assert status == 0 and "correction: dark: calibration.dark=false" in out and not trained
    parts = json.loads(spectramind("ablate", *folders, "--dry-run", "--json", "model=none")[1])
    assert out.splitlines()[-1] == f"{1 + len(parts)} trainings" and not (tmp_path / "w").exists()


def test_nothing_is_compared_with_a_baseline_that_failed(competition, tmp_path, spectramind, monkeypatch):
    monkeypatch.setattr(ablate, "execute", lambda words: 1)
    assert spectramind("ablate", "--data", competition.data, "--work", tmp_path)[0] == 1
