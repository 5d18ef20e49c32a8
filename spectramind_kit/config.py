"""Configuration: Hydra composes the YAML files of ``conf/``, the dataclasses here give them types and meaning.

Every number lives once, in ``conf/``. ``load_config(["fit.drift_order=4"])`` is what the command line,
the notebooks and the tests call.
"""

import difflib
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from functools import lru_cache
from typing import Literal

from hydra import compose, initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import TypeAdapter, ValidationError

from spectramind_kit.errors import ConfigurationError
from spectramind_kit.settings.learning import ModelConfig, TrainingConfig
from spectramind_kit.settings.loss import LossConfig
from spectramind_kit.settings.quantities import Count, NotNegative, Positive, Range, Share, Whole
from spectramind_kit.settings.simulation import SimulationConfig


@dataclass(frozen=True)
class CalibrationConfig:
    """Which detector corrections are made, and how the disputed ones are.

    Attributes:
        adc_sign: "official" (counts / gain + offset) or "inverse" (counts / gain - offset).
        full_well: a pixel is full where a read tells more, before linearity [e-].
        linearity, dark, flat, cosmic_rays: make the correction or not.
        dark_time_base: "since_reset" (read times measured on real frames) or "integration" (nominal times).
        hot_pixels: "keep" or "mask".
        hot_pixel_sigma: clipping threshold for hot pixels in the dark map [standard deviations].
        flat_minimum: pixels whose flat lies below are treated as dead [1].
        cosmic_ray_sigma: an exposure that rises above its pixel's running median by more is a hit [sigma].
    """

    adc_sign: Literal["official", "inverse"]
    full_well: Positive
    linearity: bool
    dark: bool
    dark_time_base: Literal["since_reset", "integration"]
    flat: bool
    flat_minimum: float
    hot_pixels: Literal["keep", "mask"]
    hot_pixel_sigma: Positive
    cosmic_rays: bool
    cosmic_ray_sigma: Positive


@dataclass(frozen=True)
class PhotometryConfig:
    """How pixels become light curves.

    Attributes:
        airs_rows: half-open range of detector rows summed into each wavelength.
        airs_background_rows: rows the background is measured on: outside this half-open range.
        airs_wing_slope, fgs1_wing_slope: the star's light in the wings falls as distance^-slope, per row on
            AIRS-CH0 and per pixel on FGS1.
        airs_wing_width, fgs1_wing_width: distance within which the wings are flat [pixel]; for AIRS-CH0 from the first
            (red) to the last (blue) science column, evenly spaced. Slopes and widths are where the fit starts.
        fgs1_rows, fgs1_columns: half-open window summed for FGS1; the background is measured around it.
        airs_background_step: of the background rows, every n-th science column is read.
        fgs1_background_step: of the pixels around FGS1's window, every n-th of a row is read.
        extraction: "sum" (every pixel of the aperture counts alike) or "optimal" (pixels count by their share of
            the light over their variance, kept blind to jitter).
        path: how light curves are computed: "fused" (compiled), "readable" (plain NumPy), "gpu" (torch), or "auto":
            the compiled one where it works, else the readable one. The result is the same.
        background: subtract the foreground light or leave it in.
        bin_seconds: wanted length of a time bin [s]; never shorter than the exposure spacing.
    """

    airs_rows: Range
    airs_background_rows: Range
    airs_wing_slope: Positive
    fgs1_wing_slope: Positive
    airs_wing_width: tuple[Positive, ...]
    fgs1_wing_width: Positive
    fgs1_rows: Range
    fgs1_columns: Range
    airs_background_step: Count
    fgs1_background_step: Count
    extraction: Literal["sum", "optimal"]
    path: Literal["auto", "fused", "readable", "gpu"]
    background: bool
    bin_seconds: Positive


@dataclass(frozen=True)
class FitConfig:
    """The light-curve fit.

    Attributes:
        drift_order: polynomial order of the drift in time.
        drift_wavelength_order: polynomial order with which the drift's shape varies over AIRS wavelengths.
        semi_major_axis_scatter: prior scatter of ln(a/Rs) around the published value [1].
        impact_parameter_scatter: prior scatter of b around the published value [R_star].
        limb_darkening_scatter: prior scatter of the quadratic coefficients [1].
        fgs1_mid_time_scatter: prior scatter of FGS1's mid-time around that of AIRS-CH0 [s]; 0: they share one.
        drift_scatter: prior scatter of the drift's lowest degree and of jitter, relative to the star's flux [1].
        outlier_sigma: residuals farther off are left out [standard deviations].
        supersample: model evaluations averaged over each time bin.
        max_iterations: Gauss-Newton steps at most.
    """

    drift_order: Whole
    drift_wavelength_order: Whole
    semi_major_axis_scatter: Positive
    impact_parameter_scatter: Positive
    limb_darkening_scatter: Positive
    fgs1_mid_time_scatter: NotNegative
    drift_scatter: Positive
    outlier_sigma: Positive
    supersample: Count
    max_iterations: Count


@dataclass(frozen=True)
class UncertaintyConfig:
    """Final sigmas.

    Attributes:
        scale_sigma: recalibrate sigmas on held-out training planets.
        minimum_scale: the factor of a usual planet is never smaller, however many planets ask for it.
        prior_scale: the factor assumed before any planet is seen.
        prior_planets: how many planets that assumption weighs as much as.
        fallback_inflation: sigma of a planet that fell back to the population, in population spreads.
        sigma_floor: no submitted sigma is smaller [(Rp/Rs)^2].
        conformal: coverage of held-out planets that sigmas are scaled to at last, by wavelength; 0 is not at all.
    """

    scale_sigma: bool
    minimum_scale: Positive
    prior_scale: Positive
    prior_planets: Positive
    fallback_inflation: Positive
    sigma_floor: Positive
    conformal: Share


@dataclass(frozen=True)
class DiagnosticsConfig:
    """The HTML report: how many planets get pictures of their own."""

    planets_shown: Whole
    dpi: Count


@dataclass(frozen=True)
class KaggleConfig:
    """The platform's limits, for packaging and rehearsal.

    Attributes:
        target: image generation the wheel dataset is made for (a folder of ``wheels/``).
        owner: Kaggle user who owns datasets and kernels.
        dataset: slug of the wheel dataset.
        competition: slug of the competition.
        layout: how a rehearsal mounts what is attached: "owner" (datasets/<owner>/<slug>, competitions/<slug>) or
            "flat" (<slug>); Kaggle does both.
        hours: wall-clock limit of the hidden rerun [h].
        rerun_planets: planets the hidden rerun is projected to.
        cores: processor cores of a session; the projection is to so many.
        memory_gb: memory of a session [GB]; disk_gb: what its working folder may hold [GB].
    """

    target: str
    owner: str
    dataset: str
    competition: str
    layout: Literal["owner", "flat"]
    hours: Positive
    rerun_planets: Count
    cores: Count
    memory_gb: Positive
    disk_gb: Positive


@dataclass(frozen=True)
class Config:
    """Everything.

    Attributes:
        seed: rules every random draw.
        workers: processes that planets are shared out to; 0 is one per core, and no more than the memory allows.
        executor: "processes" of this machine, or "dask".
        scheduler: address of a dask scheduler; empty starts a cluster of ``workers`` processes on this machine.
    """

    seed: int
    workers: Whole
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


def config_hash(*parts: object) -> str:
    """Return a short SHA-256 of configuration dataclasses, strings and numbers, the same in every session."""
    plain = [asdict(part) if is_dataclass(part) else part for part in parts]
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def known_keys() -> tuple[str, ...]:
    """Return every dotted key of the configuration."""
    return tuple(sorted(_flatten(_compose(()))))


def _compose(overrides: Sequence[str]) -> dict:
    GlobalHydra.instance().clear()
    with initialize_config_module("spectramind_kit.conf", version_base="1.3"):
        return OmegaConf.to_container(compose("config", overrides=list(overrides)), resolve=True)


def _flatten(tree: dict, prefix: str = "") -> Iterable[str]:
    for key, value in tree.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")


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
