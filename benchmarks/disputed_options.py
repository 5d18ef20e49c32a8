"""What each disputed or optional correction does to light curves and depths, on both editions' detectors.

One full-size simulated visit an edition, the same frames for every option, so that differences from the nominal
configuration are not noise. The simulator follows the official sign of the converter, the linearity of the tables
and dark current by time since reset; hot pixels keep their light. Changes are in ppm of the star's light, of
the scatter and of the depth.

    python benchmarks/disputed_options.py [--real DIR] [--json FILE]

With --real, the real frames of one planet are calibrated with each option too: there only light and scatter show.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from known_visit import bin_known, simulate_known_visit, visit_edges
from photometry import depth_error

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.competition.frames import decode_pixels
from spectramind_kit.config import Config, load_config
from spectramind_kit.instruments import AIRS, CHANNELS, FGS1
from spectramind_kit.photometry.extraction import extract
from spectramind_kit.photometry.light_curves import bin_channel
from spectramind_kit.photometry.window import photometric_pixels
from spectramind_kit.products import PlanetObservation

OPTIONS = (
    "calibration.adc_sign=inverse",
    "calibration.dark_time_base=integration",
    "calibration.dark=false",
    "calibration.hot_pixels=mask",
    "calibration.linearity=false",
    "calibration.flat=false",
    "calibration.cosmic_rays=false",
    "photometry.background=false",
    "photometry.extraction=sum",
)
COLUMNS = ("FGS1 light", "AIRS light", "FGS1 scatter", "AIRS scatter", "FGS1 depth", "AIRS depth", "depth spread")
SEED = 11
REAL_PLANET = 342072318


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, help="competition folder with real frames")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    figures = {}
    for edition in ("2025", "2024"):
        figures |= simulated_figures(edition)
    if options.real:
        (visit,) = open_competition(options.real).observations("train", REAL_PLANET)
        nominal = real_light(visit, load_config())
        rows = {option: _change(real_light(visit, load_config([option])), nominal) for option in OPTIONS}
        figures |= _print("real frames, 25 exposures of each channel", rows)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def simulated_figures(edition: str) -> dict[str, float]:
    """Calibrate one visit with every option and print how light, scatter and depths change."""
    base = load_config(["simulation=full"])
    visit = simulate_known_visit(base, SEED, edition)
    nominal = simulated_light(visit, base)
    rows = {
        option: _change(simulated_light(visit, load_config(["simulation=full", option])), nominal) for option in OPTIONS
    }
    return _print(f"{edition} edition, simulated full-size visit", rows)


def simulated_light(visit, config: Config) -> dict[str, dict[str, np.ndarray]]:
    """Return mean light, relative scatter and relative depth error (n_wavelength,) of each channel."""
    edges = visit_edges(visit, config)
    found = {}
    for name, known in visit.items():
        light = extract(bin_known(known, edges, config), config.photometry)
        star, transit = known.binned_truth(edges)
        ratio = light.flux / star
        error, _ = depth_error(ratio * transit, transit, np.ones(len(ratio)))
        scatter = ratio.std(axis=1, ddof=1) / ratio.mean(axis=1)
        found[name] = {"light": light.flux.mean(axis=1), "scatter": scatter, "depth": error}
    return found


def real_light(visit: PlanetObservation, config: Config) -> dict[str, dict[str, np.ndarray]]:
    """Return mean light and relative scatter per exposure (n_wavelength,) of each channel."""
    found = {}
    for name in CHANNELS:
        pixels = decode_pixels(visit, name, *photometric_pixels(name, config.photometry))
        every = np.append(pixels.time[::2], np.inf)
        flux = extract(bin_channel(visit, pixels, every, config.calibration, config.photometry), config.photometry).flux
        found[name] = {"light": flux.mean(axis=1), "scatter": flux.std(axis=1, ddof=1) / flux.mean(axis=1)}
    return found


def _change(found: dict, nominal: dict) -> dict[str, float]:
    """Return the changes from the nominal configuration [ppm]: of light and scatter relative, of depths as they are."""
    row = {}
    for name, label in ((FGS1.name, "FGS1"), (AIRS.name, "AIRS")):
        row[f"{label} light"] = 1e6 * (found[name]["light"].sum() / nominal[name]["light"].sum() - 1.0)
        row[f"{label} scatter"] = 1e6 * float(np.median(found[name]["scatter"] / nominal[name]["scatter"]) - 1.0)
        if "depth" in nominal[name]:
            change = 1e6 * (found[name]["depth"] - nominal[name]["depth"])
            row[f"{label} depth"] = float(np.mean(change))
            if name == AIRS.name:
                row["depth spread"] = float(np.std(change))
    return row


def _print(title: str, rows: dict[str, dict[str, float]]) -> dict[str, float]:
    columns = [column for column in COLUMNS if column in next(iter(rows.values()))]
    print(f"\n{title}: change from the nominal configuration [ppm]")
    print(f"{'':40}" + "".join(f"{column:>14}" for column in columns))
    for option, row in rows.items():
        print(f"{option:40}" + "".join(f"{row[column]:14.1f}" for column in columns))
    place = title.split(",")[0].replace(" ", "_")
    return {f"{place}/{o}/{c}".replace(" ", "_"): float(row[c]) for o, row in rows.items() for c in columns}


if __name__ == "__main__":
    main()
