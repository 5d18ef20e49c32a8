"""Configuration: Hydra composes the YAML files of ``conf/``, the dataclasses here give them types and meaning.

Every number lives once, in ``conf/``. ``load_config(["fit.drift_order=4"])`` is what the command line,
the notebooks and the tests call. Hydra is imported by what composes: a worker process, which is handed a ``Config``,
does without it.
"""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from functools import lru_cache
from typing import Any, Literal, get_type_hints

from pydantic import TypeAdapter, ValidationError

from spectramind_kit.errors import ConfigurationError
from spectramind_kit.settings.detector import CalibrationConfig, PhotometryConfig
from spectramind_kit.settings.diagnostics import DiagnosticsConfig
from spectramind_kit.settings.fit import FitConfig
from spectramind_kit.settings.kaggle import KaggleConfig
from spectramind_kit.settings.loss import LossConfig
from spectramind_kit.settings.model import ModelConfig
from spectramind_kit.settings.quantities import NotNegative, Positive, Whole
from spectramind_kit.settings.simulation import SimulationConfig
from spectramind_kit.settings.training import TrainingConfig
from spectramind_kit.settings.uncertainty import UncertaintyConfig

_HYDRA_RULES = "1.3"
"""The Hydra release whose rules of composition ``conf/`` is written for."""


@dataclass(frozen=True)
class Config:
    """The whole configuration.

    Attributes:
        seed: rules every random draw.
        workers: processes that work on planets side by side; 0 is one per core, and no more than the memory allows.
        planet_seconds: that a process may work on one planet [s]; then it is ended and the planet falls a rung.
        planet_gb: memory that a process may take [GB]; 0 is no limit.
        budget_hours: wall-clock limit of ``submit`` [h]; 0 is none. What does not fit in is left out, planet by planet.
        executor: "processes" of this machine, or "dask".
        scheduler: address of a dask scheduler; empty starts a cluster of ``workers`` processes on this machine.
    """

    seed: int
    workers: Whole
    planet_seconds: Positive
    planet_gb: NotNegative
    budget_hours: NotNegative
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


def load_config(overrides: Sequence[str] = ()) -> Config:
    """Compose the configuration.

    Args:
        overrides: Hydra overrides such as ``calibration.linearity=false`` or ``simulation=full``.

    Raises:
        ConfigurationError: on an unknown key (named with the nearest known one) or a value of the wrong type or range.
    """
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    _refuse_unknown_keys(overrides)
    try:
        return TypeAdapter(Config).validate_python(_compose(overrides))
    except ValidationError as error:
        raise _explain_value(error) from error
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(
            f"configuration overrides {list(overrides)}", wanted="values that fit", got=reason
        ) from error


@lru_cache(maxsize=1)
def known_keys() -> tuple[str, ...]:
    """Return every dotted key of the configuration."""
    return tuple(sorted(_keys_of(Config)))


def _compose(overrides: Sequence[str]) -> dict[str, Any]:
    """Compose ``conf/`` without Hydra's global instance, which belongs to the caller.

    Hydra's public ``compose`` goes through that instance: it fails where the caller has initialized one, and clearing
    it would take the caller's away. The loader below it needs no instance.
    """
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra._internal.utils import create_config_search_path
    from hydra.types import RunMode
    from omegaconf import OmegaConf, open_dict

    with _hydra_rules():
        loader = ConfigLoaderImpl(create_config_search_path("pkg://spectramind_kit.conf"))
        composed = loader.load_configuration("config", list(overrides), RunMode.RUN, from_shell=False)
    with open_dict(composed):
        del composed["hydra"]  # settings of Hydra's own launcher
    container = OmegaConf.to_container(composed, resolve=True)
    assert isinstance(container, dict), "conf/config.yaml is a mapping"
    return {str(key): value for key, value in container.items()}


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


def _explain_value(error: ValidationError) -> ConfigurationError:
    """Name the key whose value does not fit, and what would."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    return ConfigurationError(f"configuration key {key!r}", wanted=first["msg"], got=repr(first["input"]))
