"""The products that flow through the kit: frozen dataclasses, shapes checked when made.

Order of wavelengths everywhere: FGS1 first, then AIRS-CH0 ascending. Depths are (Rp/Rs)^2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from spectramind_kit.errors import ProductError
from spectramind_kit.exchange.light_curves import TimeSeriesProduct
from spectramind_kit.exchange.spectra import Depths, SpectralProduct
from spectramind_kit.flags import Flags
from spectramind_kit.likelihood import VisitLikelihood
from spectramind_kit.shapes import Product, require_shape

LARGEST_DEPTH = 1.0
"""Depth of a planet that covers its star; no mean or sigma of a prediction may exceed it."""


@dataclass(frozen=True)
class Star:
    """Host star: radius [R_sun], mass [M_sun], effective temperature [K]."""

    radius: float
    mass: float
    temperature: float


@dataclass(frozen=True)
class Orbit:
    """Published orbit: period [d], semi-major axis [R_star], inclination [deg], eccentricity.

    The values are a loose prior only: durations of real transits differ from theirs by up to a factor of two.
    """

    period: float
    semi_major_axis: float
    inclination: float
    eccentricity: float = 0.0


@dataclass(frozen=True)
class Planet:
    """What the star table holds of a planet.

    Attributes:
        planet_id: of the planet.
        star: None where the table has no usable numbers of it.
        orbit: likewise.
        mass: [M_Jupiter] (inferred); None where the table has none.
        flags: what is missing in the table.
    """

    planet_id: int
    star: Star | None = None
    orbit: Orbit | None = None
    mass: float | None = None
    flags: Flags = field(default_factory=dict)


@dataclass(frozen=True)
class ChannelFiles:
    """Where one visit's files of one channel lie, and its ADC constants.

    Attributes:
        signal: parquet file of the counts.
        calibration: folder of the calibration tables.
        gain: [ADU/e-], as in the competition's table.
        offset: [e-], likewise.
    """

    signal: Path
    calibration: Path
    gain: float
    offset: float


@dataclass(frozen=True, repr=False)
class AxisInfo(Product):
    """``axis_info.parquet``: start time of every frame [s] by channel, AIRS wavelength of each column [um].

    ``wavelength`` (356,) descends with the column, as in the file.
    """

    frame_time: Mapping[str, np.ndarray]
    wavelength: np.ndarray


@dataclass(frozen=True)
class PlanetObservation:
    """One visit of one planet: who, which visit, where the files are. No pixels."""

    planet: Planet
    visit: int
    files: Mapping[str, ChannelFiles]
    axis: AxisInfo

    @property
    def name(self) -> str:
        """Planet and visit, as errors and logs name it."""
        return f"planet {self.planet.planet_id}, visit {self.visit}"


@dataclass(frozen=True, repr=False)
class RawCube(Product):
    """Raw counts of the pixels that were read, pixel-major.

    Attributes:
        channel: "AIRS-CH0" or "FGS1".
        counts: (n_pixel, n_frame) uint16 [ADU].
        row: (n_pixel,) detector row.
        column: (n_pixel,) detector column.
        time: (n_frame,) [s] since the start of the observation.
    """

    channel: str
    counts: np.ndarray
    row: np.ndarray
    column: np.ndarray
    time: np.ndarray

    def __post_init__(self):
        n_pixel, n_frame = len(self.row), len(self.time)
        require_shape("RawCube", "counts", self.counts, (n_pixel, n_frame))
        require_shape("RawCube", "column", self.column, (n_pixel,))


@dataclass(frozen=True, repr=False)
class CalibrationFrames(Product):
    """Calibration tables of one channel and visit, (n_row, n_column) each.

    Attributes:
        dark: dark current [e-/s].
        dead: bool, pixels that show no light.
        flat: response relative to the mean [1].
        read_noise: [e-] per read.
        linearity: (n_coefficient, n_row, n_column), ascending powers: measured e- -> linear e-.
        gain: [ADU/e-].
        offset: [e-].
        flags: what is wrong with the tables.
    """

    dark: np.ndarray
    dead: np.ndarray
    flat: np.ndarray
    read_noise: np.ndarray
    linearity: np.ndarray
    gain: float
    offset: float
    flags: Flags = field(default_factory=dict)

    def __post_init__(self):
        for name in ("dead", "flat", "read_noise"):
            require_shape("CalibrationFrames", name, getattr(self, name), self.dark.shape)
        require_shape("CalibrationFrames", "linearity", self.linearity, (None, *self.dark.shape))

    def at(self, row: np.ndarray, column: np.ndarray) -> "CalibrationFrames":
        """Return the same tables at some pixels: every (n_row, n_column) becomes (n_pixel,)."""
        pick = {n: getattr(self, n)[row, column] for n in ("dark", "dead", "flat", "read_noise")}
        return CalibrationFrames(**pick, linearity=self.linearity[:, row, column], gain=self.gain, offset=self.offset)


@dataclass(frozen=True, repr=False)
class CalibratedCube(Product):
    """Calibrated exposures (CDS differences), pixel-major.

    Attributes:
        channel: "AIRS-CH0" or "FGS1".
        signal: (n_pixel, n_exposure) [e-] per exposure.
        variance: (n_pixel, n_exposure) [e-^2] of the signal.
        row: (n_pixel,) detector row.
        column: (n_pixel,) detector column.
        good: (n_pixel,) bool, False where the pixel's light must not be trusted.
        saturated: (n_pixel,) bool, of the pixels that are not good those with nothing wrong but that they were full.
        mid_time: (n_exposure,) [s], middle of the light-collecting time.
        applied: names of the corrections made, in order.
    """

    channel: str
    signal: np.ndarray
    variance: np.ndarray
    row: np.ndarray
    column: np.ndarray
    good: np.ndarray
    saturated: np.ndarray
    mid_time: np.ndarray
    applied: tuple[str, ...] = ()

    def __post_init__(self):
        shape = (len(self.row), len(self.mid_time))
        for name in ("signal", "variance"):
            require_shape("CalibratedCube", name, getattr(self, name), shape)
        for name in ("good", "saturated"):
            require_shape("CalibratedCube", name, getattr(self, name), shape[:1])


@dataclass(frozen=True, repr=False)
class LightCurves(TimeSeriesProduct):
    """Light curves of one visit.

    Attributes:
        planet_id: of the planet.
        visit: its number.
        time: (n_time,) [s], middle of each bin, ascending.
        bin_seconds: time that a bin spans [s].
        flux: (n_time, n_wavelength) [e- per exposure], mean over the bin.
        flux_err: (n_time, n_wavelength), its standard error from photon and read noise; infinite where no light is.
        wavelength: (n_wavelength,) [um], FGS1 first, then AIRS ascending.
        regressors: (n_time, n_regressor), centroids and widths of the image [pixel].
        regressor_names: (n_regressor,).
        flags: what is wrong with star table, calibration or photometry.
        applied: names of the corrections made, in order, from counts to light curves.
        saturated: (n_wavelength,) saturated pixels in each wavelength's aperture, whose light is modelled; empty where
            nobody counted.
    """

    planet_id: int
    visit: int
    time: np.ndarray
    bin_seconds: float
    flux: np.ndarray
    flux_err: np.ndarray
    wavelength: np.ndarray
    regressors: np.ndarray
    regressor_names: tuple[str, ...] = ()
    flags: Flags = field(default_factory=dict)
    applied: tuple[str, ...] = ()
    saturated: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self):
        shape = (len(self.time), len(self.wavelength))
        require_shape("LightCurves", "flux", self.flux, shape)
        require_shape("LightCurves", "flux_err", self.flux_err, shape)
        require_shape("LightCurves", "regressors", self.regressors, (shape[0], len(self.regressor_names)))
        if self.saturated.size:
            require_shape("LightCurves", "saturated", self.saturated, shape[1:])


@dataclass(frozen=True)
class Estimate:
    """A fitted number and its standard error, in the unit of the number."""

    value: float
    error: float


@dataclass(frozen=True, repr=False)
class TransitFit(SpectralProduct):
    """What the fit of one visit found.

    Attributes:
        planet_id: of the planet.
        visit: its number.
        wavelength: (n_wavelength,) [um].
        depth: (n_wavelength,) [(Rp/Rs)^2].
        covariance: (n_wavelength, n_wavelength) of the depths, with the uncertainty of orbit and drift in it.
        parameters: orbit and limb darkening by name: "mid_time" [s], "semi_major_axis" [R_star], and so on.
        time: (n_time,) [s].
        flux: (n_time, n_wavelength), data over star and drift [1]; NaN where a point was not used.
        model: (n_time, n_wavelength), the transit [1].
        noise_scale: (n_wavelength,) [1], measured scatter over the expected one (>= 1 enters the covariance).
        flags: what is wrong with light curves or fit; empty when all is well.
        correlation_names: (n_name,), some of the parameters.
        correlation: (n_name, n_name) of their errors.
        depth_bias: (2, 2), FGS1 and AIRS-CH0: by how much correlated noise raised the mean depth, and its variance.
        likelihood: of the light curves; None where a fit comes from elsewhere.
    """

    planet_id: int
    visit: int
    wavelength: np.ndarray
    depth: np.ndarray
    covariance: np.ndarray
    parameters: Mapping[str, Estimate]
    time: np.ndarray
    flux: np.ndarray
    model: np.ndarray
    noise_scale: np.ndarray
    flags: Flags = field(default_factory=dict)
    correlation_names: tuple[str, ...] = ()
    correlation: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    depth_bias: np.ndarray = field(default_factory=lambda: np.zeros((2, 2)))
    likelihood: VisitLikelihood | None = None

    def __post_init__(self):
        n = len(self.wavelength)
        require_shape("TransitFit", "depth", self.depth, (n,))
        require_shape("TransitFit", "covariance", self.covariance, (n, n))
        for name in ("flux", "model"):
            require_shape("TransitFit", name, getattr(self, name), (len(self.time), n))
        require_shape("TransitFit", "correlation", self.correlation, (len(self.correlation_names),) * 2)

    @property
    def residual(self) -> np.ndarray:
        """(n_time, n_wavelength) [1]."""
        return self.flux - self.model

    @property
    def sigma(self) -> np.ndarray:
        """Standard errors of the depths, (n_wavelength,)."""
        return np.sqrt(np.diag(self.covariance))

    def depths(self) -> Depths:
        """Return the depths of the visit."""
        about = {"planet_id": self.planet_id, "visit": self.visit}
        return Depths(self.wavelength, self.depth, self.covariance, about)


@dataclass(frozen=True, repr=False)
class DepthEstimate(SpectralProduct):
    """All visits of a planet together.

    Attributes:
        planet_id: of the planet.
        depth: (n_wavelength,) [(Rp/Rs)^2].
        covariance: (n_wavelength, n_wavelength) of the depths.
        n_visit: visits that were joined.
        flags: those of the visits, and where the visits disagree.
        fits: that were joined.
    """

    planet_id: int
    depth: np.ndarray
    covariance: np.ndarray
    n_visit: int
    flags: Flags = field(default_factory=dict)
    fits: tuple[TransitFit, ...] = ()

    def __post_init__(self):
        n = len(self.depth)
        require_shape("DepthEstimate", "covariance", self.covariance, (n, n))
        if not (np.isfinite(self.depth).all() and np.isfinite(self.covariance).all()):
            raise ProductError(f"depths of planet {self.planet_id}", wanted="finite numbers", got="NaN or inf")

    def depths(self) -> Depths:
        """Return the depths of all visits; wavelengths are NaN where no fit is kept."""
        wavelength = self.fits[0].wavelength if self.fits else np.full(len(self.depth), np.nan)
        return Depths(wavelength, self.depth, self.covariance, {"planet_id": self.planet_id, "visits": self.n_visit})


@dataclass(frozen=True, repr=False)
class Spectrum(SpectralProduct):
    """The prediction for one planet.

    Attributes:
        planet_id: of the planet.
        wavelength: (n_wavelength,) [um].
        mean: (n_wavelength,) [(Rp/Rs)^2].
        sigma: (n_wavelength,) standard deviations, above 0 [(Rp/Rs)^2].
        source: "network", "fit" or "population".
        problems: sentences about what failed on the way; empty if nothing did.
        flags: of the depths that the prediction rests on.
    """

    planet_id: int
    wavelength: np.ndarray
    mean: np.ndarray
    sigma: np.ndarray
    source: str
    problems: tuple[str, ...] = ()
    flags: Flags = field(default_factory=dict)

    def __post_init__(self):
        n = len(self.wavelength)
        for name in ("mean", "sigma"):
            values = getattr(self, name)
            require_shape("Spectrum", name, values, (n,))
            bad = ~(np.isfinite(values) & (values > 0) & (values <= LARGEST_DEPTH))
            if bad.any():
                wanted = f"finite, above 0 and at most {LARGEST_DEPTH:g}"
                got = f"{values[bad][0]:g} at wavelength {int(np.argmax(bad)) + 1}"
                raise ProductError(f"Spectrum.{name} of planet {self.planet_id}", wanted=wanted, got=got)

    def depths(self) -> Depths:
        """Return the prediction, its covariance a diagonal."""
        return Depths(
            self.wavelength, self.mean, np.diag(self.sigma**2), {"planet_id": self.planet_id, "source": self.source}
        )
