"""Configuration: Hydra composes the YAML files of ``conf/``, the dataclasses here give them types and meaning.

Every number lives once, in ``conf/``. ``load_config(["fit.drift_order=4"])`` is what the command line,
the notebooks and the tests call. Hydra is imported by what composes: a worker process, which is handed a ``Config``,
does without it.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError

from spectramind_kit.errors import ConfigurationError
from spectramind_kit.settings.calibration import CalibrationConfig
from spectramind_kit.settings.diagnostics import DiagnosticsConfig
from spectramind_kit.settings.fit import FitConfig
from spectramind_kit.settings.kaggle import KaggleConfig
from spectramind_kit.settings.loss import LossConfig
from spectramind_kit.settings.model import ModelConfig
from spectramind_kit.settings.photometry import PhotometryConfig
from spectramind_kit.settings.quantities import NotNegative, Positive, Whole
from spectramind_kit.settings.simulation import SimulationConfig
from spectramind_kit.settings.training import TrainingConfig
from spectramind_kit.settings.uncertainty import UncertaintyConfig

FILE = "config"
"""``config=FILE`` among overrides names a file of settings."""
NOT_SHOWN = "not shown"
"""Stands for a user's free text in a recorded configuration; settings that are read leave it out."""
_HYDRA_RULES = "1.3"
"""The Hydra release whose rules of composition ``conf/`` is written for."""


@dataclass(frozen=True)
class Config:
    """The whole configuration.

    Attributes:
        profile: set of values for one purpose: "kaggle_rerun" (the hidden planets on Kaggle, in 8.5 h), "laptop" (two
            processes, the fit alone), "ci_fast" (coarse frames and the smallest network, for tests), "overfit_small" (a
            network that must learn a few planets by heart, to see that it learns at all), or "nominal" (none of it).
        seed: rules every random draw.
        workers: processes that work on planets side by side; 0 is one per core, and no more than the memory allows.
        planet_seconds: that a process may work on one planet [s]; then it is ended and the planet falls a rung.
        planet_gb: memory that a process may take [GB]; 0 is no limit.
        budget_hours: wall-clock limit of ``submit`` [h]; 0 is none. What does not fit in is left out, planet by planet.
        executor: "processes" of this machine, or "dask".
        scheduler: address of a dask scheduler; empty starts a cluster of ``workers`` processes on this machine.
    """

    profile: Literal["nominal", "kaggle_rerun", "laptop", "ci_fast", "overfit_small"]
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)]
    workers: Annotated[Whole, Field(le=1024)]
    planet_seconds: Annotated[Positive, Field(le=86400)]
    planet_gb: Annotated[NotNegative, Field(le=10000)]
    budget_hours: Annotated[NotNegative, Field(le=1000)]
    executor: Literal["processes", "dask"]
    scheduler: str
    simulation: SimulationConfig
    calibration: CalibrationConfig
    photometry: PhotometryConfig
    fit: FitConfig
    model: ModelConfig
    training: TrainingConfig
    loss: LossConfig
    uncertainty: UncertaintyConfig
    diagnostics: DiagnosticsConfig
    kaggle: KaggleConfig


def load_config(overrides: Sequence[str] = (), *, settings: Mapping[str, Any] | None = None) -> Config:
    """Compose the configuration.

    Args:
        overrides: Hydra overrides such as ``calibration.linearity=false`` or ``simulation=full``; ``config=FILE`` takes
            the settings of a file.
        settings: nested values by key, as a file or the record of a run has them: they count more than the groups'
            files, and less than overrides of single keys. Where a group should be is the name of one of its files, or
            values.

    Raises:
        ConfigurationError: on an unknown key (named with the nearest known one) or a value of the wrong type or range.
    """
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    settings, overrides = _with_files(_shown(settings or {}), overrides)
    _refuse_unknown_keys([*overrides, *(f"{key}=" for key in _keys_in(settings))])
    _refuse_unknown_choices(overrides, settings)
    try:
        return TypeAdapter(Config).validate_python(_compose(overrides, settings))
    except ValidationError as error:
        raise _explain_value(error) from error
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(
            f"configuration overrides {list(overrides)}", wanted="values that fit", got=reason
        ) from error


def read_settings(path: Path) -> dict[str, Any]:
    """Read settings from a YAML or JSON file, or from the record of a run.

    Args:
        path: of the file, of a run's ``manifest.json``, or of its folder.

    Raises:
        ConfigurationError: if it holds no settings.
    """
    from omegaconf import OmegaConf

    path = path / "manifest.json" if path.is_dir() else path
    wanted = "settings in YAML, or the record of a run"
    try:
        found = OmegaConf.to_container(OmegaConf.load(path))
    except Exception as error:  # of the file system, of the text's encoding, or whatever YAML's parser raises
        reason = getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigurationError(f"configuration file {path}", wanted=wanted, got=reason) from error
    if isinstance(found, dict) and "config_hash" in found:
        found = found.get("config")
    if not isinstance(found, dict):
        raise ConfigurationError(f"configuration file {path}", wanted=wanted, got=type(found).__name__)
    return {str(key): value for key, value in found.items()}


@lru_cache(maxsize=1)
def known_keys() -> tuple[str, ...]:
    """Return every dotted key of the configuration."""
    return tuple(sorted(_keys_of(Config)))


@lru_cache(maxsize=1)
def choices() -> dict[str, tuple[str, ...]]:
    """Return the names that each group can be set to, by group."""
    conf = resources.files("spectramind_kit.conf")
    return {
        folder.name: tuple(sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if ".yaml" in file.name))
        for folder in conf.iterdir()
        if folder.is_dir() and folder.name[0] not in "_."
    }


def _with_files(settings: dict[str, Any], overrides: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Return settings with those of the files that overrides name, and the other overrides."""
    others = []
    for override in overrides:
        key, _, path = override.partition("=")
        if key == FILE:
            settings = _merged(settings, _shown(read_settings(Path(path))))
        else:
            others.append(override)
    return settings, others


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values, those of the second where both have one."""
    both = {
        key: _merged(first[key], value)
        for key, value in second.items()
        if isinstance(value, Mapping) and isinstance(first.get(key), Mapping)
    }
    return {**first, **second, **both}


def _shown(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without those that a record does not show."""
    return {
        key: _shown(value) if isinstance(value, Mapping) else value
        for key, value in settings.items()
        if value != NOT_SHOWN
    }


def _compose(overrides: Sequence[str], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Compose ``conf/`` without Hydra's global instance, which belongs to the caller.

    Hydra's public ``compose`` goes through that instance: it fails where the caller has initialized one, and clearing
    it would take the caller's away. The loader below it needs no instance.
    """
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra._internal.utils import create_config_search_path
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.types import RunMode
    from omegaconf import OmegaConf, open_dict

    groups = [override for override in overrides if override.partition("=")[0] in choices()]
    chosen = {override.partition("=")[0] for override in groups}
    groups += [f"{key}={value}" for key, value in _named(settings).items() if key not in chosen]
    values = OverridesParser.create().parse_overrides([each for each in overrides if each not in groups])
    with _hydra_rules():
        loader = ConfigLoaderImpl(create_config_search_path("pkg://spectramind_kit.conf"))
        composed = loader.load_configuration("config", groups, RunMode.RUN, from_shell=False)
        with open_dict(composed):
            del composed["hydra"]  # settings of Hydra's own launcher
        composed.merge_with({key: value for key, value in settings.items() if key not in _named(settings)})
        ConfigLoaderImpl._apply_overrides_to_config(values, composed)
    container = OmegaConf.to_container(composed, resolve=True)
    assert isinstance(container, dict), "conf/config.yaml is a mapping"
    return {str(key): value for key, value in container.items()}


def _named(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the groups that settings choose by name."""
    return {key: value for key, value in settings.items() if key in choices() and isinstance(value, str)}


@contextmanager
def _hydra_rules() -> Iterator[None]:
    """Compose by the rules of one release of Hydra within the block; the caller's choice stands again after it."""
    from hydra import version as hydra_version

    chosen = hydra_version.VersionBase.instance()
    before = chosen.version_base
    hydra_version.setbase(_HYDRA_RULES)
    try:
        yield
    finally:
        chosen.version_base = before  # not setbase, which refuses the value that stands for "not chosen yet"


def _keys_of(group: type, prefix: str = "") -> Iterable[str]:
    """Return the dotted keys of a dataclass; ``conf/`` has the same ones, or it would not fit."""
    for name, kind in get_type_hints(group).items():
        yield f"{prefix}{name}"
        if isinstance(kind, type) and is_dataclass(kind):
            yield from _keys_of(kind, f"{prefix}{name}.")


def _keys_in(settings: Mapping[str, Any], prefix: str = "") -> Iterable[str]:
    """Return the dotted keys of nested values."""
    for key, value in settings.items():
        yield f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _keys_in(value, f"{prefix}{key}.")


def _refuse_unknown_keys(overrides: Sequence[str]) -> None:
    """Name the first override whose key does not exist, and the nearest key that does."""
    for override in overrides:
        key = override.lstrip("+~").partition("=")[0]
        if key not in known_keys():
            near = difflib.get_close_matches(key, known_keys(), n=1, cutoff=0.0)
            raise ConfigurationError(
                f"configuration override {override!r}",
                wanted="a known key",
                got=key,
                remedy=f"did you mean {near[0]!r}?" if near else "",
            )


def _refuse_unknown_choices(overrides: Sequence[str], settings: Mapping[str, Any]) -> None:
    """Name what a group can be set to, where it is set to anything else."""
    for override in (*overrides, *(f"{key}={value}" for key, value in _named(settings).items())):
        key, _, name = override.partition("=")
        if key in choices() and name and name not in choices()[key]:
            near = difflib.get_close_matches(name, choices()[key], n=1)
            raise ConfigurationError(
                f"configuration override {override!r}",
                wanted=" or ".join(choices()[key]),
                got=name,
                remedy=f"did you mean {near[0]!r}?"
                if near
                else f"single values are set by their keys, {key}.KEY=VALUE",
            )


def _explain_value(error: ValidationError) -> ConfigurationError:
    """Name the key whose value does not fit, and what would."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    wanted = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    remedy = f"`spectramind config explain {key}` says more"
    if isinstance(first["input"], Mapping):  # of a group, whose values do not fit each other
        return ConfigurationError(f"configuration of {key!r}", wanted=wanted, remedy=remedy)
    return ConfigurationError(f"configuration key {key!r}", wanted=wanted, got=repr(first["input"]), remedy=remedy)
