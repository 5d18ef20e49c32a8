"""A command once for every combination of values, each in a work folder of its own, through Hydra's launcher."""

import json
import math
import subprocess
import sys
from importlib.util import find_spec

import pytest
from omegaconf import OmegaConf

from spectramind_kit.commands import sweep as sweeps
from spectramind_kit.commands.sweep import sweep
from spectramind_kit.errors import ConfigurationError
from tests.ledger.recorded import record


@pytest.fixture
def commands(monkeypatch, tmp_path):
    """The commands that a sweep runs, none of which does more than to record a score; one value fails."""
    ran = []

    def execute(words):
        ran.append(list(words))
        if "fit.drift_order=3" in words:
            return 1
        record(tmp_path / words[words.index("--work") + 1], scores={1: 0.1 * len(ran)})
        return 0

    monkeypatch.setattr(sweeps, "execute", execute)
    return ran


def test_every_combination_is_run_in_a_folder_of_its_own(commands, tmp_path, spectramind):
    work = tmp_path / "work"
    (work / "fits" / "train").mkdir(parents=True)
    (work / "fits" / "train" / "7_0.npz").write_bytes(b"stored")
    words = ["train", "--data", "d", "--work", work, "--multirun", "fit.drift_order=2,3", "fit.supersample=1,2"]
    status, out, _ = spectramind(*words, "fit.max_iterations=9")
    assert status == 1, "one of them failed"
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["0", "done", "0.1000"],
        ["1", "done", "0.2000"],
        ["2", "1", "-"],
        ["3", "1", "-"],
    ]
    (folder,) = (work / "sweeps").iterdir()
    own = [str(folder / str(number)) for number in range(4)]
    assert [command[:5] for command in commands] == [["train", "--data", "d", "--work", place] for place in own]
    assert commands[1][5:] == ["fit.drift_order=2", "fit.supersample=2", "fit.max_iterations=9"]
    assert (folder / "1" / "fits" / "train" / "7_0.npz").is_symlink()
    facts = json.loads((folder / "1" / "swept.json").read_text())
    assert facts["overrides"] == commands[1][5:] and facts["score"] == pytest.approx(0.2)


def test_a_run_that_fails_is_told_to_the_sweeper_as_the_worst_score_and_not_as_nan(commands, tmp_path, monkeypatch):
    told, run = [], sweeps._run
    monkeypatch.setattr(sweeps, "_run", lambda *job: told.append(run(*job)) or told[-1])
    monkeypatch.chdir(tmp_path)
    sweep(["train", "--data", "d", "--work", "work", "fit.drift_order=2,3"])
    assert told == [pytest.approx(0.1), -math.inf]


@pytest.mark.skipif(
    find_spec("hydra_plugins") is None, reason="no plugins of Hydra: pip install 'spectramind-kit[sweep]'"
)
@pytest.mark.parametrize("values", ["2,3", "3"])
def test_optuna_chooses_by_score_and_goes_on_where_a_run_fails(commands, tmp_path, monkeypatch, values):
    monkeypatch.chdir(tmp_path)
    optuna = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=6", "hydra.sweeper.sampler.seed=1"]
    scale = "uncertainty.prior_scale=interval(0.8,1.2)"
    runs = sweep(["train", "--data", "d", "--work", "work", *optuna, f"fit.drift_order=choice({values})", scale])
    assert len(runs) == 6 and {run.status for run in runs} == ({0, 1} if "2" in values else {1})
    best = OmegaConf.load(next((tmp_path / "work" / "sweeps").glob("*/optimization_results.yaml")))
    assert best.best_value == max((run.score for run in runs if run.score is not None), default=-math.inf)


@pytest.mark.skipif(
    find_spec("hydra_plugins") is None, reason="no plugins of Hydra: pip install 'spectramind-kit[sweep]'"
)
def test_two_values_run_side_by_side_in_processes(tmp_path):
    words = ["train", "--multirun", "--data", "nowhere", "--work", str(tmp_path), "training.folds=2,3"]
    words += ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    done = subprocess.run([sys.executable, "-m", "spectramind_kit", *words], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("competition folder nowhere") == 2
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["run", "0", "1"]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["train", "--work", "w", "fit.drift_order=3,99"], "'fit.drift_order': wanted less than"),
        (["train", "--work", "w", "model=none,v51"], "did you mean 'v50'"),
        (["train", "--work", "w", "fit.drift_ordr=3,4"], "did you mean 'fit.drift_order'"),
        (["train", "--work", "w", "fit.drift_order=[3,"], "KEY=VALUE,VALUE"),
        (["score", "fit.drift_order=3,4"], "a command with --work"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_before_the_first_run(commands, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=words):
        sweep(arguments)
    assert not commands and not list(tmp_path.iterdir())


def test_a_real_command_runs_in_a_process_of_its_own(tmp_path):
    """A folder that is none is all that it takes to see that both commands were begun."""
    words = ["train", "--multirun", "--data", "nowhere", "--work", str(tmp_path), "training.folds=2,3"]
    done = subprocess.run([sys.executable, "-m", "spectramind_kit", *words], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("competition folder nowhere") == 2
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["run", "0", "1"]
