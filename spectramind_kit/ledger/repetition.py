"""A run again, from the same inputs with the same settings in a fresh folder: bit-identical, or how far off."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spectramind_kit import runs
from spectramind_kit.config import Config, load_config
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.files import sha256_of
from spectramind_kit.ledger.comparison import compare
from spectramind_kit.ledger.file_distance import IDENTICAL, distance
from spectramind_kit.ledger.recorded_runs import RecordedRun, find_runs
from spectramind_kit.ledger.verification import SAME, verify
from spectramind_kit.work_folder.manifest import NOT_SHOWN
from spectramind_kit.work_folder.provenance import code_hash
from spectramind_kit.work_folder.run_record import CODE, DONE, PLANETS

Repeat = Callable[[dict[str, Any], Path, Config, RecordedRun], object]


@dataclass(frozen=True)
class Repetition:
    """A run, and the same once more.

    Attributes:
        run: that was repeated.
        work: where its repetition lies.
        apart: how far each output is from the recorded one, by its place in the work folder.
        code_differs: True if the sources are not those of the run.
        surroundings: versions, device and threads, where they are not those of the run: then and now.
    """

    run: RecordedRun
    work: Path
    apart: dict[str, str]
    code_differs: bool
    surroundings: dict[str, tuple[Any, Any]]

    @property
    def identical(self) -> bool:
        """True if every output is the same to the last bit."""
        return all(words == IDENTICAL for words in self.apart.values())


def repeat(run: RecordedRun, work: Path) -> Repetition:
    """Run what a record says once more.

    Args:
        run: the run.
        work: fresh folder for everything that is made.

    Raises:
        SpectraMindError: if it did not end well, its inputs or outputs are not there any more, or its command writes
            no products of its own.
    """
    again = _REPEATABLE.get(run.command)
    if again is None or run.status != DONE:
        raise SpectraMindError(
            f"run {run.name}",
            wanted=f"one that is done, of {', '.join(_REPEATABLE)}",
            got=f"{run.command}, {run.status}",
        )
    if work.is_dir() and any(work.iterdir()):
        raise SpectraMindError(f"folder {work}", wanted="an empty one", got="files in it", remedy="give another --keep")
    lost = [f"{each.place} {each.state}" for each in verify(run) if each.kind == "input" and each.state != SAME]
    if lost:
        raise SpectraMindError(
            f"inputs of run {run.name}",
            wanted="all as they were",
            got="; ".join(lost[:4]),
            remedy="what another run wrote over can be made again by repeating the run that made it, with --keep",
        )
    with _threads(run.manifest.get("environment", {}).get("threads")):
        again(run.manifest.get("arguments", {}), work, config_of(run), run)
    apart = {place: _apart(run, place, sha256, work) for place, sha256 in run.manifest["outputs"].items()}
    return Repetition(run, work, apart, run.manifest.get("code") != code_hash(CODE), _surroundings(run, work))


def config_of(run: RecordedRun) -> Config:
    """Return the configuration of a run; a user's free text, which is not recorded, is as shipped.

    Args:
        run: the run.
    """
    recorded = run.manifest["config"]
    frozen = recorded.get("training", {}).get("folds_file") == NOT_SHOWN
    paths = [f"training.folds_file='{run.folder / PLANETS}'"] if frozen else []
    if weights := run.manifest.get("start_from"):
        paths.append(f"training.start_from='{run.path_of(weights['place'])}'")
    return load_config(paths, settings=recorded)


@contextmanager
def _threads(n: int | None) -> Iterator[None]:
    """Let torch compute with as many threads as the run had, whose sums it adds up in that order; None for any."""
    if n is None:
        yield
        return
    import torch  # here: a run that had no use for it is repeated without

    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _surroundings(run: RecordedRun, work: Path) -> dict[str, tuple[Any, Any]]:
    """Return what surrounded the repetition otherwise than the run, by its own record; code is compared by itself."""
    again = [each for each in find_runs([work]) if each.command == run.command]
    differing = compare(run, again[-1]).surroundings if again else {}
    return {name: values for name, values in differing.items() if name not in ("code", "sources")}


def _apart(run: RecordedRun, place: str, sha256: str, work: Path) -> str:
    """Return how far an output of the repetition is from the recorded one."""
    old, new = run.path_of(place), (work / place).resolve()
    if not new.is_file():
        return "missing"
    if sha256_of(new) == sha256:
        return IDENTICAL
    if not old.is_file() or sha256_of(old) != sha256:
        return "differs, and the recorded file is not there any more to say how far"
    return distance(old, new)


def _data(arguments: dict[str, Any], run: RecordedRun) -> Path:
    return run.path_of(arguments["data"])


def _simulate(arguments: dict[str, Any], work: Path, config: Config, run: RecordedRun) -> object:
    n_train, n_test = arguments["train"], arguments["test"]
    return runs.simulate(work, n_train, n_test, config, edition=arguments["edition"], seed=arguments["seed"])


def _calibrate(arguments: dict[str, Any], work: Path, config: Config, run: RecordedRun) -> object:
    return runs.calibrate(_data(arguments, run), work, arguments["split"], config)


def _train(arguments: dict[str, Any], work: Path, config: Config, run: RecordedRun) -> object:
    return runs.train(_data(arguments, run), work, config)


def _predict(arguments: dict[str, Any], work: Path, config: Config, run: RecordedRun) -> object:
    model = run.path_of(arguments["model"])
    return runs.predict(_data(arguments, run), work, arguments["split"], config, model=model)


def _submit(arguments: dict[str, Any], work: Path, config: Config, run: RecordedRun) -> object:
    return runs.submit(_data(arguments, run), work, config, model=run.path_of(arguments["model"]))


_REPEATABLE: dict[str, Repeat] = {
    "simulate": _simulate,
    "calibrate": _calibrate,
    "train": _train,
    "predict": _predict,
    "submit": _submit,
}
