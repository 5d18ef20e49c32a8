"""The DVC pipeline: stages depend on all code that they import, keep what the store can resume, and run only once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from spectramind_kit.config import load_config, read_settings
from spectramind_kit.work_folder.provenance import PACKAGE, import_closure

PROJECT = Path(__file__).resolve().parents[1]
STAGES = OmegaConf.to_container(OmegaConf.load(PROJECT / "dvc.yaml"), resolve=False)["stages"]
MADE_BY = {
    "simulate": ("simulation", "random_world"),
    "calibrate": ("calibration", "photometry"),
    "train": ("training",),
    "submit": ("prediction",),
    "diagnose": ("diagnostics",),
}
"""Folders of the modules that do a stage's work."""
DVC = shutil.which("dvc", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
QUICK = """
model: none
workers: 1
simulation: {airs_average: 75, fgs1_average: 900}
diagnostics: {planets_shown: 1}
"""


def imported_places(*folders):
    """Folders and files of the package that the modules of some folders consist of or import."""
    paths = [path for folder in folders for path in (PACKAGE / folder).rglob("*.py") if path.name != "__init__.py"]
    modules = [f"spectramind_kit.{'.'.join(path.relative_to(PACKAGE).with_suffix('').parts)}" for path in paths]
    tops = {module.split(".")[1] for module in import_closure(*modules) if "." in module}
    return {f"spectramind_kit/{top}{'' if (PACKAGE / top).is_dir() else '.py'}" for top in tops}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_all_the_code_that_it_imports_and_on_the_settings(stage):
    listed = {place for place in STAGES[stage]["deps"] if place.startswith("spectramind_kit/")}
    assert listed == imported_places(*MADE_BY[stage]) | {"spectramind_kit/conf"}
    assert STAGES[stage]["params"] == [{"params.yaml": None}] and STAGES[stage]["cmd"].endswith("--config params.yaml")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_keeps_what_it_resumes(stage):
    kept = [out for kind in ("outs", "metrics", "plots") for out in STAGES[stage].get(kind, ())]
    assert kept and all(options["persist"] and not options["cache"] for out in kept for options in out.values())


@pytest.mark.parametrize("kind, ignored", [("outs", True), ("metrics", False), ("plots", False)])
def test_git_keeps_figures_to_compare_with_and_no_products(kind, ignored):
    if not (PROJECT / ".git").exists():
        pytest.skip("no checkout of Git")
    outs = [place for stage in STAGES.values() for out in stage.get(kind, ()) for place in out]
    places = [place.replace("${work}", "work") for place in outs]
    for place in [place if Path(place).suffix else f"{place}/x" for place in places]:
        done = subprocess.run(["git", "check-ignore", "--quiet", "--no-index", place], cwd=PROJECT)
        assert done.returncode == (0 if ignored else 1), place


def test_the_settings_of_the_pipeline_are_settings():
    assert load_config(settings=read_settings(PROJECT / "params.yaml")) == load_config()


@pytest.mark.skipif(DVC is None, reason="dvc is not installed: pip install 'spectramind-kit[dvc]'")
def test_the_pipeline_runs_once_and_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy(PROJECT / name, tmp_path)
    pipeline = tmp_path / "dvc.yaml"
    pipeline.write_text(pipeline.read_text().replace("--train 24 --test 8", "--train 3 --test 1"))
    (tmp_path / "params.yaml").write_text(QUICK)
    (tmp_path / "spectramind_kit").symlink_to(PACKAGE)
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "spectramind").write_text(f'#!/bin/sh\nexec {sys.executable} -m spectramind_kit "$@"\n')
    (commands / "spectramind").chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}:{Path(DVC or '').parent}:/usr/bin:/bin")
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")

    def dvc(*arguments):
        done = subprocess.run(["dvc", *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    dvc("init", "--no-scm")
    out = dvc("repro", "diagnose")
    assert out.count("Running stage") == 5 and (tmp_path / "work" / "report.html").is_file()
    assert "Running stage" not in dvc("repro", "diagnose")
    assert "held_out_score" in dvc("metrics", "show")
    assert "planets.csv" in dvc("plots", "show", "--show-vega", "work/latest/train/planets.csv")
    fits = {path: path.stat().st_mtime_ns for path in (tmp_path / "work" / "fits").rglob("*.npz")}
    (tmp_path / "work" / "submission.csv").unlink()  # as an interrupted stage leaves it
    assert "Running stage 'submit'" in dvc("repro", "diagnose")
    assert {path: path.stat().st_mtime_ns for path in fits} == fits, "what was there was used again"
