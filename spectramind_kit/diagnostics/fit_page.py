"""One visit's fit on one page: light curves, model and residuals; depths with error bars; corner of the parameters.

The corner is that of the Laplace approximation: ellipses of one and two sigma with the errors and the correlation
that the fit states, so that degeneracies (a/Rs with b, b with limb darkening) can be seen. Samples of the white light
alone are points and histograms.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure, SubFigure

from spectramind_kit.diagnostics.plots import AIRS_COLOUR, FGS1_COLOUR, PERCENT, draw_fit
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.fitting.sampled_transit import SampledTransit
from spectramind_kit.flags import flag_sentences
from spectramind_kit.products import Estimate, TransitFit

CORNER = {
    "mid_time": "mid-time [s]",
    "semi_major_axis": "a / Rs",
    "impact_parameter": "b",
    "fgs1_u1": "u1 FGS1",
    "airs_u1": "u1 AIRS",
}
"""Parameters of the corner and what the axes say."""
UNITS = {
    **{"mid_time": "s", "duration": "s", "fgs1_lag": "s"},
    **{"semi_major_axis": "R_star", "impact_parameter": "R_star"},
}
"""Units of the parameters that have one; limb-darkening coefficients are ratios."""
_DPI = 130
_SIGMAS_SHOWN = 3.0
"""Half-width of a corner's axis [sigma]."""


def describe_fit(fit: TransitFit) -> str:
    """Return the fit in a few lines: depths, parameters with errors and units, flags."""
    depth, sigma = PERCENT * fit.depth, PERCENT * fit.sigma
    lines = [
        f"planet {fit.planet_id}, visit {fit.visit}",
        f"  depth FGS1       {depth[0]:.4f} +- {sigma[0]:.4f} %",
        f"  depth AIRS-CH0   {depth[1:].mean():.4f} %, sigma of a wavelength {np.median(sigma[1:]):.4f} %",
    ]
    lines += [f"  {name:<16} {_with_error(e)} {UNITS.get(name, '')}".rstrip() for name, e in fit.parameters.items()]
    lines += [f"  flag: {sentence}" for sentence in flag_sentences(fit.flags)]
    return "\n".join(lines)


def fit_facts(fit: TransitFit) -> dict[str, object]:
    """Return what ``describe_fit`` says as numbers."""
    parameters = {
        name: {"value": float(e.value), "error": float(e.error), "unit": UNITS.get(name, "")}
        for name, e in fit.parameters.items()
    }
    depths = {"depth": fit.depth.tolist(), "sigma": fit.sigma.tolist(), "wavelength": fit.wavelength.tolist()}
    facts = {"planet": fit.planet_id, "visit": fit.visit, "flags": flag_sentences(fit.flags)}
    return facts | {"parameters": parameters} | depths


def draw_into(path: Path, sampled: Sequence[SampledTransit] = ()) -> Callable[[TransitFit, int], Path]:
    """Return what draws the page of a visit into a picture; refuse one that could not be written, before the work.

    Args:
        path: of the picture of the first visit; its folder is made if it is not there.
        sampled: samples of the visits, looked at when a page is drawn; empty without any.

    Raises:
        SpectraMindError: if its name ends in no kind of picture.
    """
    kinds = FigureCanvasBase.filetypes
    if path.suffix[1:].lower() not in kinds:
        wanted = f"a name that ends in one of {', '.join(f'.{kind}' for kind in sorted(kinds))}"
        raise SpectraMindError(f"picture {path}", wanted=wanted, got=path.suffix or "none")
    path.parent.mkdir(parents=True, exist_ok=True)

    def draw(fit: TransitFit, place: int) -> Path:
        picture, samples = path_of_visit(path, place), sampled[place] if len(sampled) > place else None
        plot_fit_page(fit, samples).savefig(picture, dpi=_DPI)
        return picture

    return draw


def path_of_visit(path: Path, place: int) -> Path:
    """Return the path of a visit's picture: a second visit adds _1 to the name of the first."""
    return path.with_stem(f"{path.stem}_{place}") if place else path


def _with_error(estimate: Estimate) -> str:
    """Return an estimate to the second significant digit of its error."""
    if not (np.isfinite(estimate.error) and estimate.error > 0):
        return f"{estimate.value:.5g}"
    decimals = max(0, 1 - int(np.floor(np.log10(estimate.error))))
    return f"{estimate.value:.{decimals}f} +- {estimate.error:.{decimals}f}"


def plot_fit_page(fit: TransitFit, sampled: SampledTransit | None = None) -> Figure:
    """Show light curves, spectrum and corner of one visit; samples of its white light as points beneath the corner."""
    with matplotlib.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(13.0, 7.6), layout="constrained")
        left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[1.0, 1.05])[0]
        axes = left.subplots(5, 1, height_ratios=[3, 1, 3, 1, 3])
        draw_fit(axes, fit)
        for axis in axes[:4:2]:
            axis.tick_params(labelbottom=False)
        for axis in axes[1:4:2]:
            axis.set_xlabel("time [h]")
        _spectrum(axes[4], fit)
        _corner(right, fit, [name for name in CORNER if name in fit.correlation_names], sampled)
        figure.suptitle("\n".join([f"planet {fit.planet_id}, visit {fit.visit}", *flag_sentences(fit.flags)[:3]]))
    return figure


def _spectrum(axis: Axes, fit: TransitFit) -> None:
    depth, sigma = PERCENT * fit.depth, PERCENT * fit.sigma
    for part, colour, size in ((slice(0, 1), FGS1_COLOUR, 4), (slice(1, None), AIRS_COLOUR, 2)):
        axis.errorbar(fit.wavelength[part], depth[part], sigma[part], fmt="o", ms=size, color=colour, lw=0.6, alpha=0.8)
    axis.set(xlabel="wavelength [um]", ylabel="transit depth [%]")


def _corner(figure: SubFigure, fit: TransitFit, names: list[str], sampled: SampledTransit | None) -> None:
    axes = figure.subplots(len(names), len(names), squeeze=False)
    places = [fit.correlation_names.index(name) for name in names]
    for i, below in enumerate(names):
        for j, across in enumerate(names):
            axis, x = axes[i, j], fit.parameters[across]
            if j > i:
                axis.set_axis_off()
                continue
            if i == j:
                z = np.linspace(-_SIGMAS_SHOWN, _SIGMAS_SHOWN, 121)
                axis.plot(x.value + x.error * z, np.exp(-0.5 * z**2), color=AIRS_COLOUR)
                axis.set_yticks([])
                axis.set_title(f"{x.value:.5g}\n+- {x.error:.2g}", fontsize=8)
                _histogram(axis, sampled, across)
            else:
                _points(axis, sampled, across, below)
                _ellipses(axis, x, fit.parameters[below], fit.correlation[places[i], places[j]])
            axis.set_xlim(x.value - _SIGMAS_SHOWN * x.error, x.value + _SIGMAS_SHOWN * x.error)
            axis.tick_params(labelsize=6, labelbottom=i == len(names) - 1, labelleft=j == 0 and i > 0)
            axis.locator_params(nbins=3)
            if i == len(names) - 1:
                axis.set_xlabel(CORNER[across], fontsize=8)
            if j == 0 and i > 0:
                axis.set_ylabel(CORNER[below], fontsize=8)


def _histogram(axis: Axes, sampled: SampledTransit | None, name: str) -> None:
    """Draw the samples of a parameter below its curve, the highest bar as high as that."""
    if sampled is None or name not in sampled.names:
        return
    density, edges = np.histogram(sampled.samples[:, sampled.names.index(name)], bins=30)
    axis.stairs(density / density.max(), edges, color=FGS1_COLOUR, label="white light, sampled")


def _points(axis: Axes, sampled: SampledTransit | None, across: str, below: str) -> None:
    """Draw the samples of two parameters."""
    if sampled is None or not {across, below} <= set(sampled.names):
        return
    x, y = (sampled.samples[:, sampled.names.index(name)] for name in (across, below))
    axis.plot(x, y, ".", ms=1.5, alpha=0.35, color=FGS1_COLOUR)


def _ellipses(axis: Axes, x: Estimate, y: Estimate, correlation: float) -> None:
    """Draw the ellipses of one and two sigma."""
    angle = np.linspace(0.0, 2.0 * np.pi, 121)
    across = np.cos(angle)
    up = correlation * across + np.sqrt(max(0.0, 1.0 - correlation**2)) * np.sin(angle)
    for width in (1.0, 2.0):
        axis.plot(x.value + width * x.error * across, y.value + width * y.error * up, color=AIRS_COLOUR, lw=1.0)
    axis.set_ylim(y.value - _SIGMAS_SHOWN * y.error, y.value + _SIGMAS_SHOWN * y.error)
