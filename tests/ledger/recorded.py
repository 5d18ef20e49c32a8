"""Runs recorded for tests of what is read out of them: nothing is computed."""

from functools import lru_cache

import numpy as np

from spectramind_kit.config import load_config
from spectramind_kit.ledger.recorded_runs import RecordedRun, find_run
from spectramind_kit.work_folder.planet_scores import write_planet_scores
from spectramind_kit.work_folder.run_record import PLANETS, recorded

composed = lru_cache(load_config)
"""Composing takes a sixth of a second, and the tests record the same settings over and over."""


def record(work, command="train", overrides=(), scores=None, outputs=None, inputs=(), **arguments) -> RecordedRun:
    """Record a run that leaves some files and scores of planets."""
    with recorded(work, command, composed(tuple(overrides)), **arguments) as run:
        run.inputs(*inputs)
        for name, content in (outputs or {}).items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_bytes(content)
            run.outputs(work / name)
        if scores is not None:
            run.keep(PLANETS, lambda path: write_planet_scores(path, scores))
            run.metrics(held_out_score=float(np.mean(list(scores.values()))))
    return find_run([work], run.folder.name)


def planet_scores(n=40, gain=0.0, scatter=0.01, seed=1) -> dict[int, float]:
    """Scores of planets that differ much, and of a run that gains the same on each but for some scatter."""
    common = 0.6 + 0.1 * np.random.default_rng(0).standard_normal(n)
    own = scatter * np.random.default_rng(seed).standard_normal(n)
    return dict(enumerate((common + gain + own).tolist()))
