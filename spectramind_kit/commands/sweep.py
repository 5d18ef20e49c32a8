"""``--multirun``: a command once for every combination of values, through Hydra's sweeper and launcher.

    spectramind train --data D --work W --multirun fit.drift_order=3,4,5 uncertainty.prior_scale=1.0,1.3

Each combination is a command of its own, in a work folder of its own (``W/sweeps/<time>/<number>``), which starts from
W's products of visits. Hydra's own launcher runs one after another; plugins (extra ``sweep``) run several side by side
(``hydra/launcher=joblib hydra.launcher.n_jobs=2``), or choose the next values by the scores of the last
(``hydra/sweeper=optuna``).
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spectramind_kit.commands.options import OVERRIDE
from spectramind_kit.commands.shell import MULTIRUN, execute
from spectramind_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from omegaconf import DictConfig

_HYDRAS = re.compile(r"^\+?hydra[./]")
_NO_SCORE = float("-inf")
"""What a sweeper gets of a run without a score, such as one that failed: its values are to be kept away from. NaN,
which Optuna refuses, would end the sweep."""
_OWN_PLACE = ("hydra.output_subdir=null", "hydra.job.chdir=false", "hydra/job_logging=none", "hydra/hydra_logging=none")
"""Hydra keeps no configuration and no log beside ours."""


@dataclass(frozen=True)
class SweptRun:
    """One run of a sweep.

    Attributes:
        number: of the run, from 0.
        overrides: its values.
        work: its work folder.
        status: exit status of its command.
        score: its held-out score, or the score where the truth is known; None without.
    """

    number: int
    overrides: tuple[str, ...]
    work: str
    status: int
    score: float | None


def sweep(arguments: Sequence[str]) -> list[SweptRun]:
    """Run a command for every combination of the values that its overrides name.

    Args:
        arguments: of the command line, without ``--multirun``.

    Raises:
        ConfigurationError: on a command without ``--work``, or a value that does not fit.
    """
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.core.global_hydra import GlobalHydra

    overrides = [word for word in arguments if OVERRIDE.match(word)]
    command = [word for word in arguments if word not in overrides]
    work = _work_of(command)
    _check_values([override for override in overrides if not _HYDRAS.match(override)])
    folder = work / "sweeps" / time.strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True, exist_ok=True)
    place = [f"hydra.sweep.dir='{folder.resolve()}'", "hydra.sweep.subdir=${hydra.job.num}"]
    files = [override for override in overrides if override.startswith("config=")]
    swept = [override for override in overrides if override not in files]
    if any("sweeper=optuna" in override for override in swept):
        place.append("hydra.sweeper.direction=maximize")
    GlobalHydra.instance().clear()  # of this process, which is ours: the command line's
    hydra = Hydra.create_main_hydra2("spectramind", create_config_search_path("pkg://spectramind_kit.conf"))
    job = partial(_run, [word for word in command if word != MULTIRUN], files, str(work))
    try:
        hydra.multirun("config", job, [*_OWN_PLACE, *place, *swept], with_log_configuration=False)
    finally:
        GlobalHydra.instance().clear()
    return read_sweep(folder)


def read_sweep(folder: Path) -> list[SweptRun]:
    """Return the runs of a sweep, in order.

    Args:
        folder: of the sweep.
    """
    from pydantic import TypeAdapter

    found = sorted(folder.glob("*/swept.json"), key=lambda path: int(path.parent.name))
    return [TypeAdapter(SweptRun).validate_json(path.read_text()) for path in found]


def _run(command: Sequence[str], files: Sequence[str], work: str, composed: "DictConfig") -> float:
    """Run one combination in a process of its own; return its score, which a sweeper may strive for."""
    from hydra.core.hydra_config import HydraConfig
    from pydantic import TypeAdapter

    from spectramind_kit.files import reuse_files
    from spectramind_kit.ledger.recorded_runs import find_runs
    from spectramind_kit.work_folder.layout import OF_VISITS

    hydra: Any = HydraConfig.get()
    own = Path(hydra.sweep.dir) / str(hydra.sweep.subdir)
    for product in OF_VISITS:
        if (Path(work) / product).is_dir():
            reuse_files(Path(work) / product, own / product, link=True)
    overrides = [*files, *hydra.overrides.task]
    words = [str(own) if word == work and command[i - 1] == "--work" else word for i, word in enumerate(command)]
    status = execute([*words, *overrides])
    scores = [run.score for run in find_runs([own]) if run.score is not None]
    score = scores[-1] if scores and status == 0 else None
    run = SweptRun(int(hydra.job.num), tuple(overrides), str(own), status, score)
    own.mkdir(parents=True, exist_ok=True)
    (own / "swept.json").write_bytes(TypeAdapter(SweptRun).dump_json(run, indent=2))
    return _NO_SCORE if score is None else score


def _work_of(command: Sequence[str]) -> Path:
    places = [i for i, word in enumerate(command[:-1]) if word == "--work"]
    if len(places) != 1:
        raise ConfigurationError(
            f"{MULTIRUN} of {' '.join(command[:1]) or 'no command'}",
            wanted="a command with --work, below which each run has a folder",
            got=f"{len(places)} of --work",
        )
    return Path(command[places[0] + 1])


def _check_values(overrides: Sequence[str]) -> None:
    """Refuse a value that does not fit before the first run, one by one: combinations may still not fit together."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    from spectramind_kit.config import load_config

    files = [override for override in overrides if override.startswith("config=")]
    load_config(files)
    try:
        parsed = OverridesParser.create().parse_overrides([each for each in overrides if each not in files])
    except HydraException as error:
        got = str(error).splitlines()[0]
        raise ConfigurationError("values of a sweep", wanted="KEY=VALUE,VALUE", got=got) from error
    for override in parsed:
        if not override.is_sweep_override():
            load_config([str(override.input_line)])
        elif override.is_choice_sweep() or override.is_range_sweep():
            for value in override.sweep_string_iterator():
                load_config([f"{override.get_key_element()}={value}"])
