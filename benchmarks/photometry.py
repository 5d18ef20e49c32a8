"""How close light curves come to the noise that the detector put in, and whether depths are biased.

Simulated visits in memory, so that the light on every pixel is known. Three ways of summing pixels are compared:
"dropped" (plain sum that leaves bad pixels out), "sum" (their light is modelled) and "optimal" (weighted by light
over variance). Scatter is in units of the photon and read noise of the whole aperture; depths of injected
transits are compared with the truth, in units of their own error. The simulator's wings are those of the
configuration; how depths fare where they are not comes last.

    python benchmarks/photometry.py [--visits 2] [--injections 200] [--json FILE]
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from known_visit import KnownChannel, bin_known, simulate_known_visit, visit_edges
from tqdm import tqdm

from spectramind_kit.calibration.pixel_bins import PixelBins
from spectramind_kit.config import Config, load_config
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.photometry.extraction import extract, foreground_of
from spectramind_kit.photometry.window import aperture, on_grid
from spectramind_kit.settings.photometry import PhotometryConfig

KINDS = ("dropped", "sum", "optimal")
QUIET = ("simulation.airs_jitter=0", "simulation.fgs1_jitter=0", "simulation.cosmic_rays=0")
WINGS = {
    f"{what} {change:+d} %": (what, 1.0 + change / 100)
    for what in ("slopes", "widths")
    for change in (-20, -10, 10, 20)
}
"""How the configured wings are made to differ from the simulated ones."""
BRIGHT_ROWS = slice(13, 19)
"""Rows of the trace in which a bad pixel costs light."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visits", type=int, default=2, help="full-size visits for the scatter")
    parser.add_argument(
        "--injections",
        type=int,
        default=200,
        help="small visits for the bias of depths; a tenth as many for wrong wings",
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    figures = (
        scatter_figures(options.visits) | bias_figures(options.injections) | wing_figures(options.injections // 10)
    )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def scatter_figures(visits: int) -> dict[str, float]:
    """Measure and print the scatter over the aperture's noise, with and without jitter and cosmic rays."""
    figures = {}
    for label, overrides in (("jitter and cosmic rays", ()), ("neither", QUIET)):
        config = load_config(["simulation=full", *overrides])
        rows = [
            measure_scatter(simulate_known_visit(config, seed), config)
            for seed in tqdm(range(visits), label, disable=None)
        ]
        names = rows[0]["sum"].keys()
        table = {kind: {n: float(np.nanmean([row[kind][n] for row in rows])) for n in names} for kind in KINDS}
        print(f"\nscatter / (photon + read noise of the aperture), {label}, {visits} full-size visits")
        _print_table(table)
        figures |= {f"{label}/{k}/{n}".replace(" ", "_"): v for k, row in table.items() for n, v in row.items()}
    return figures


def bias_figures(injections: int) -> dict[str, float]:
    """Measure and print the mean error of injected depths in units of their own error.

    Every two injections have noise of opposite sign, so that the bias shows far below the noise of one; its own
    error is estimated from how much the pairs differ.
    """
    config = load_config(["simulation=small"])
    pairs: dict[str, list] = {kind: [] for kind in KINDS}
    for seed in tqdm(range(1000, 1000 + injections // 2), "pairs of injections", disable=None):
        pair = [
            measure_depths(simulate_known_visit(config, seed, mirrored=mirrored), config) for mirrored in (False, True)
        ]
        for kind in KINDS:
            pairs[kind].append([visit[kind] for visit in pair])
    table = {kind: _bias_row(pairs[kind]) for kind in KINDS}
    print(f"\ndepths of {injections} injected transits against the truth [sigma of one depth; ppm of the depth]")
    _print_table(table)
    return {
        f"depth/{kind}/{name}".replace(" ", "_"): float(v) for kind, row in table.items() for name, v in row.items()
    }


def _bias_row(pairs: list[list[dict]]) -> dict[str, float]:
    """Return means of the errors in all pairs of visits, their standard errors, and the spread of one error."""
    fgs1, airs, white, ppm = (
        np.array([[visit[name] for visit in pair] for pair in pairs]) for name in ("FGS1", "AIRS", "white", "white_ppm")
    )
    row = {}
    for name, errors in (("FGS1", fgs1), ("AIRS", airs), ("white", white), ("white ppm", ppm)):
        of_pair = errors.reshape(len(pairs), 2, -1).mean(axis=(1, 2))
        row |= {f"{name} bias": of_pair.mean(), f"{name} +-": of_pair.std(ddof=1) / np.sqrt(len(pairs))}
    eighths = np.array_split(airs, 8, axis=2)
    return row | {"worst eighth": np.abs([part.mean() for part in eighths]).max(), "AIRS spread": airs.std()}


def wing_figures(visits: int) -> dict[str, float]:
    """Measure and print how far depths move when the configured wings are not those of the star."""
    config = load_config(["simulation=small"])
    known = [
        simulate_known_visit(config, seed) for seed in tqdm(range(3000, 3000 + visits), "wrong wings", disable=None)
    ]
    table = {}
    for label in WINGS:
        moved = [depths_moved(visit, config, label) for visit in known]
        table[label] = {
            f"{name}, {how}": float(function([change[name] for change in moved]))
            for name in ("FGS1", "white", "white_ppm")
            for how, function in (("mean", np.mean), ("worst", lambda changes: np.abs(changes).max()))
        }
    print(f"\nchange of depths with other wings configured, {visits} visits [sigma of one depth; ppm of the depth]")
    _print_table(table)
    return {f"wings/{label}/{name}".replace(" ", "_"): v for label, row in table.items() for name, v in row.items()}


def depths_moved(visit: dict[str, KnownChannel], config: Config, label: str) -> dict[str, float]:
    """Return how optimally extracted depths move when wings differ as ``WINGS[label]`` says, by name of the depth."""
    what, factor = WINGS[label]
    nominal = config.photometry
    changed = {
        "slopes": {
            "airs_wing_slope": factor * nominal.airs_wing_slope,
            "fgs1_wing_slope": factor * nominal.fgs1_wing_slope,
        },
        "widths": {
            "airs_wing_width": tuple(factor * width for width in nominal.airs_wing_width),
            "fgs1_wing_width": factor * nominal.fgs1_wing_width,
        },
    }[what]
    other = replace(config, photometry=replace(nominal, **changed))
    before, after = (measure_depths(visit, c, ("optimal",))["optimal"] for c in (config, other))
    return {name: float(after[name] - before[name]) for name in ("FGS1", "white", "white_ppm")}


def measure_scatter(visit: dict[str, KnownChannel], config: Config) -> dict[str, dict[str, float]]:
    """Return the scatter of the light over the truth, in units of the aperture's noise."""
    edges = visit_edges(visit, config)
    result: dict[str, dict[str, float]] = {kind: {} for kind in KINDS}
    for name, known in visit.items():
        bins, noise = bin_known(known, edges, config), known.aperture_noise(config)
        star, _ = known.binned_truth(edges)
        for kind in KINDS:
            ratio = extract_as(kind, bins, config.photometry)[0] / star
            expected = noise / np.sqrt(bins.count.mean())
            spread = ratio.std(axis=1, ddof=1) / ratio.mean(axis=1) / expected
            if name == FGS1.name:
                result[kind]["FGS1"] = spread[0]
                continue
            weight = star.mean(axis=1)
            white = (ratio * weight[:, None]).sum(axis=0)
            result[kind] |= {
                "AIRS white": white.std(ddof=1)
                / white.mean()
                / np.sqrt(((weight * expected) ** 2).sum())
                * weight.sum(),
                "AIRS median": np.median(spread),
                "red tenth": np.median(spread[:28]),
                "blue tenth": np.median(spread[-28:]),
                "columns with bad pixels": np.mean(spread[_damaged(bins, config.photometry)]),
            }
    return result


def measure_depths(
    visit: dict[str, KnownChannel], config: Config, kinds: Sequence[str] = KINDS
) -> dict[str, dict[str, np.ndarray]]:
    """Return errors of the depths in units of their sigma: FGS1, every AIRS wavelength, white light."""
    edges = visit_edges(visit, config)
    result: dict[str, dict] = {kind: {} for kind in kinds}
    for name, known in visit.items():
        bins = bin_known(known, edges, config)
        star, transit = known.binned_truth(edges)
        for kind in kinds:
            flux, variance = extract_as(kind, bins, config.photometry)
            level, sigma = flux.mean(axis=1), np.sqrt(variance / bins.count.mean())
            steady = flux / star * transit
            error, sigma = depth_error(steady, transit, sigma / level)
            if name == FGS1.name:
                result[kind]["FGS1"] = error[0] / sigma[0]
                continue
            best = 1.0 / sigma**2
            white = (best * error).sum() / best.sum()
            result[kind] |= {"AIRS": error / sigma, "white": white * np.sqrt(best.sum()), "white_ppm": 1e6 * white}
    return result


def extract_as(kind: str, bins: PixelBins, photometry: PhotometryConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return flux (n_wavelength, n_time) and variance (n_wavelength,) summed in one of the three ways."""
    if kind != "dropped":
        light = extract(bins, replace(photometry, extraction=kind))
        return light.flux, light.variance
    place = bins.row, bins.column, bins.channel
    good = on_grid(bins.good, *place, False)
    foreground = foreground_of(bins, photometry)
    used = aperture(bins.channel, photometry) & good
    index = on_grid(np.arange(len(bins.row)), *place, -1)
    flux = np.where(used[..., None], bins.light[index] - foreground[:, None], 0.0).sum(axis=0)
    variance = np.where(used, bins.variance[index], 0.0).sum(axis=0)
    if bins.channel == AIRS.name:
        return flux, variance
    return flux.sum(axis=0, keepdims=True), variance.sum(keepdims=True)


def depth_error(flux: np.ndarray, transit: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit flux = a (1 - s (1 - transit)); return s - 1 and its error, (n_wavelength,) each, relative to the depth."""
    dip = 1.0 - transit - (1.0 - transit).mean(axis=1, keepdims=True)
    power = (dip**2).sum(axis=1)
    slope = (flux * dip).sum(axis=1) / power
    level = flux.mean(axis=1) - slope * (1.0 - transit).mean(axis=1)
    return -slope / level - 1.0, sigma * flux.mean(axis=1) / level / np.sqrt(power)


def _damaged(bins: PixelBins, photometry: PhotometryConfig) -> np.ndarray:
    """Return the AIRS columns that have a bad pixel where the trace is bright, (n_column,) bool."""
    good = on_grid(bins.good, bins.row, bins.column, bins.channel, True)
    return ~good[BRIGHT_ROWS].all(axis=0)


def _print_table(table: dict[str, dict[str, float]]) -> None:
    names = list(next(iter(table.values())))
    width = max(16, *(len(name) + 2 for name in names))
    print(f"{'':10}" + "".join(f"{name:>{width}}" for name in names))
    for kind, row in table.items():
        print(f"{kind:10}" + "".join(f"{row[name]:>{width}.3f}" for name in names))


if __name__ == "__main__":
    main()
