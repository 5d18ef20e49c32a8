"""Pictures of products: each function takes one product, or arrays, and returns a matplotlib figure."""

import base64
import io
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectramind_kit.diagnostics.residuals import inverse_variance, weighted_mean
from spectramind_kit.exchange.spectra import SpectralProduct
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.prediction.held_out_coverage import coverage
from spectramind_kit.products import LightCurves, TransitFit

FGS1_COLOUR, AIRS_COLOUR, TRUTH_COLOUR = "#b3541e", "#1f5a94", "#222222"
PPM, PERCENT, SECONDS_PER_HOUR = 1e6, 1e2, 3600.0


def plot_light_curves(curves: LightCurves) -> Figure:
    """Show the white light of each channel, and the AIRS-CH0 light curves as a map of time and wavelength."""
    mapped = ~is_fgs1(curves.wavelength)
    several = mapped.sum() > 1
    figure, (top, *rest) = _panels(2 if several else 1, height=5.2 if several else 2.8, sharex=True)
    hours, level = curves.time / SECONDS_PER_HOUR, np.nanmedian(curves.flux, axis=0).clip(1e-9)
    for name, colour, channel in _channels(curves.wavelength):
        flux = np.where(np.isfinite(curves.flux), curves.flux, 0.0)[:, channel].sum(axis=1)
        expected = np.where(np.isfinite(curves.flux), level, 0.0)[:, channel].sum(axis=1)
        top.plot(hours, np.where(expected > 0, flux / expected.clip(1e-9), np.nan), ".", ms=3, color=colour, label=name)
    top.set_ylabel("relative flux")
    top.legend(loc="lower left", frameon=False)
    for bottom in rest:
        relative = (curves.flux / level)[:, mapped]
        low, high = np.nanpercentile(relative, [2, 98])
        mesh = bottom.pcolormesh(hours, curves.wavelength[mapped], relative.T, vmin=low, vmax=high, cmap="viridis")
        bottom.set_ylabel("wavelength [um]")
        figure.colorbar(mesh, ax=(top, bottom), label="relative flux", shrink=0.5, anchor=(0, 0))
    (top, *rest)[-1].set_xlabel("time [h]")
    figure.suptitle(f"planet {curves.planet_id}, visit {curves.visit}")
    return figure


def _channels(wavelength: np.ndarray) -> list[tuple[str, str, np.ndarray]]:
    """Return name, colour and places of the channels that wavelengths belong to."""
    fgs1 = is_fgs1(wavelength)
    found = (("FGS1", FGS1_COLOUR, fgs1), ("AIRS-CH0, all wavelengths", AIRS_COLOUR, ~fgs1))
    return [channel for channel in found if channel[2].any()]


def plot_fit(fit: TransitFit) -> Figure:
    """Show data without star and drift, the fitted transit, and the residuals, for FGS1 and white AIRS-CH0."""
    figure, axes = _panels(4, height=5.6, sharex=True, height_ratios=[3, 1, 3, 1])
    draw_fit(axes, fit)
    axes[-1].set_xlabel("time [h]")
    figure.suptitle(f"planet {fit.planet_id}, visit {fit.visit}: data over star and drift, fitted transit, residuals")
    return figure


def draw_fit(axes: Sequence[Axes], fit: TransitFit) -> None:
    """Draw data, model and residuals into four axes: FGS1 and its residuals, white AIRS-CH0 and its residuals.

    Axes of a channel that was not observed stay empty.
    """
    fgs1 = is_fgs1(fit.wavelength)
    for data, residual, name, colour, part in (
        (*axes[:2], "FGS1", FGS1_COLOUR, fgs1),
        (*axes[2:4], "AIRS-CH0, weighted mean", AIRS_COLOUR, ~fgs1),
    ):
        if not part.any():
            data.set_axis_off()
            residual.set_axis_off()
            continue
        hours, weights = fit.time / SECONDS_PER_HOUR, inverse_variance(fit.residual[:, part])
        flux, model = (weighted_mean(x[:, part], weights) for x in (fit.flux, fit.model))
        data.plot(hours, flux, ".", ms=3, color=colour, label=name)
        data.plot(hours, model, "-", lw=1.2, color=TRUTH_COLOUR)
        data.legend(loc="lower left", frameon=False)
        data.set_ylabel("relative flux")
        residual.plot(hours, PPM * (flux - model), ".", ms=2.5, color=colour)
        residual.axhline(0, lw=0.8, color=TRUTH_COLOUR)
        residual.set_ylabel("ppm")


def plot_spectrum(spectrum: SpectralProduct, truth: np.ndarray | None = None) -> Figure:
    """Show depth against wavelength with its one-sigma band, and the truth (n_wavelength,) where it is known."""
    figure, (axis,) = _panels(1, height=3.0)
    found = spectrum.depths()
    wavelength, mean, sigma = found.wavelength, PERCENT * found.depth, PERCENT * found.sigma
    fgs1 = is_fgs1(wavelength)
    if (airs := ~fgs1).any():
        low, high = (mean - sigma)[airs], (mean + sigma)[airs]
        axis.fill_between(wavelength[airs], low, high, color=AIRS_COLOUR, alpha=0.25, lw=0)
        axis.plot(wavelength[airs], mean[airs], color=AIRS_COLOUR, lw=1.2, label="AIRS-CH0, one sigma")
    if fgs1.any():
        axis.errorbar(wavelength[fgs1], mean[fgs1], sigma[fgs1], fmt="o", ms=4, color=FGS1_COLOUR, label="FGS1")
    if truth is not None:
        axis.plot(wavelength, PERCENT * truth, ".", ms=2.5, color=TRUTH_COLOUR, label="truth")
    axis.set(xlabel="wavelength [um]", ylabel="transit depth [%]")
    planet, *about = found.about.values()
    axis.set_title(f"planet {planet} ({', '.join(map(str, about))})")
    axis.legend(frameon=False, ncols=3, fontsize=8)
    return figure


def plot_parity(truth: np.ndarray, mean: np.ndarray, sigma: np.ndarray) -> Figure:
    """Show the error of each planet's mean depth against the true one, (n_planet, n_wavelength) each."""
    figure, axes = _panels(2, height=4.2, sharex=True)
    for axis, name, colour, group in zip(
        axes, ("FGS1", "AIRS-CH0 (mean)"), (FGS1_COLOUR, AIRS_COLOUR), (slice(0, 1), slice(1, None))
    ):
        true_depth = truth[:, group].mean(axis=1)
        error = mean[:, group].mean(axis=1) - true_depth
        axis.errorbar(
            PERCENT * true_depth, PPM * error, PPM * sigma[:, group].mean(axis=1), fmt=".", color=colour, lw=0.8
        )
        axis.axhline(0, color=TRUTH_COLOUR, lw=0.8)
        axis.set_ylabel(f"{name}\nerror [ppm]")
    axes[-1].set_xlabel("true depth [%]")
    return figure


def plot_calibration(z: np.ndarray) -> Figure:
    """Show how often the truth lies within the predicted interval, against the promised fraction.

    Args:
        z: standardised errors (n_planet, n_wavelength).
    """
    promised = np.linspace(0.02, 0.98, 49).tolist()
    return plot_coverage(promised, coverage(z, promised))


def plot_coverage(promised: Sequence[float], observed: Mapping[str, Sequence[float]]) -> Figure:
    """Show how often the truth lies within the predicted interval, from counts.

    Args:
        promised: fractions within the intervals.
        observed: likewise, as they were found, by channel.
    """
    figure, (axis,) = _panels(1, height=3.4, width=4.2)
    for name, colour in (("FGS1", FGS1_COLOUR), ("AIRS-CH0", AIRS_COLOUR)):
        axis.plot(promised, observed[name], color=colour, label=name)
    axis.plot([0, 1], [0, 1], "--", color=TRUTH_COLOUR, lw=0.8)
    axis.set(xlabel="promised fraction", ylabel="observed fraction", xlim=(0, 1), ylim=(0, 1))
    axis.legend(frameon=False)
    return figure


def plot_errors_by_wavelength(wavelength: np.ndarray, truth: np.ndarray, mean: np.ndarray, sigma: np.ndarray) -> Figure:
    """Show rms error and rms predicted sigma over planets at each wavelength."""
    figure, (axis,) = _panels(1, height=3.0)
    error, promised = (PPM * np.sqrt(np.square(x).mean(axis=0)) for x in (mean - truth, sigma))
    axis.plot(wavelength[1:], error[1:], color=AIRS_COLOUR, label="rms error")
    axis.plot(wavelength[1:], promised[1:], "--", color=TRUTH_COLOUR, lw=1, label="rms sigma")
    axis.plot(wavelength[:1], error[:1], "o", color=FGS1_COLOUR, label="FGS1 error")
    axis.plot(wavelength[:1], promised[:1], "x", color=TRUTH_COLOUR)
    axis.set(xlabel="wavelength [um]", ylabel="ppm", ylim=(0, None))
    axis.legend(frameon=False, ncols=3, fontsize=8)
    return figure


def _panels(n: int, *, height: float, width: float = 7.5, **options) -> tuple[Figure, list[Axes]]:
    """Return a figure outside pyplot (no global state, no leak) and its axes, one below the other."""
    with matplotlib.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(n, 1, squeeze=False, **options)
    return figure, list(axes[:, 0])


def png_in_text(figure: Figure, dots_per_inch: int) -> str:
    """Return a figure as PNG in base64, as a page holds it that needs no other file."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=dots_per_inch)
    return base64.b64encode(picture.getvalue()).decode()
