"""A planet's numbers side by side: what the star table says, what the light curves say, and how far they differ.

A fitted number is given to two significant digits of its error, and its error likewise.
"""

import math
from dataclasses import dataclass

from spectramind_kit.products import Estimate, Planet, TransitFit
from spectramind_kit.transit.orbit import transit_duration

SECONDS_PER_HOUR, SECONDS_PER_DAY = 3600.0, 86400.0
_LABELS = {
    "mid_time": ("mid-transit after the first frame", "h", 1.0 / SECONDS_PER_HOUR),
    "duration": ("duration, first to fourth contact", "h", 1.0 / SECONDS_PER_HOUR),
    "semi_major_axis": ("semi-major axis", "R★", 1.0),
    "impact_parameter": ("impact parameter", "R★", 1.0),
    "fgs1_lag": ("mid-transit of FGS1 after AIRS-CH0", "s", 1.0),
    "fgs1_u1": ("limb darkening u1, FGS1", "", 1.0),
    "fgs1_u2": ("limb darkening u2, FGS1", "", 1.0),
    "airs_u1": ("limb darkening u1, middle of AIRS-CH0", "", 1.0),
    "airs_u2": ("limb darkening u2, middle of AIRS-CH0", "", 1.0),
    "airs_u1_slope": ("its change to the end of the band, u1", "", 1.0),
    "airs_u2_slope": ("its change to the end of the band, u2", "", 1.0),
}
"""Words, unit and factor of each fitted number, in the order of the table."""


@dataclass(frozen=True)
class OrbitRow:
    """One number of a planet.

    Attributes:
        name: in words.
        unit: of both; "" without one.
        table: what the star table says; "" where it says nothing.
        fitted: of each visit, with its error; "" where it was not fitted.
        differs: fitted less table's, in per cent of the table's; "" where there are not both.
    """

    name: str
    unit: str
    table: str
    fitted: tuple[str, ...]
    differs: str = ""


def orbit_rows(planet: Planet, fits: tuple[TransitFit, ...]) -> list[OrbitRow]:
    """Return the numbers of a planet: what was fitted, and what the star table alone knows.

    Args:
        planet: of the star table.
        fits: of its visits.
    """
    table, rows = _table_values(planet, fits), []
    for name, (words, unit, factor) in _LABELS.items():
        found = [fit.parameters.get(name) for fit in fits]
        if not any(found) and name not in table:
            continue
        fitted = tuple("" if e is None else with_error(Estimate(factor * e.value, factor * e.error)) for e in found)
        known = table.get(name)
        differs = ""
        if known and found and found[0] is not None:
            differs = f"{100.0 * (factor * found[0].value / known - 1.0):+.1f} %"
        rows.append(OrbitRow(words, unit, "" if known is None else f"{known:.4g}", fitted, differs))
    return rows + [OrbitRow(*each, ("",) * len(fits)) for each in _table_alone(planet)]


def with_error(estimate: Estimate) -> str:
    """Return a number and its error to two significant digits of the error, such as "10.214 ± 0.062"."""
    value, error = estimate.value, estimate.error
    if not (math.isfinite(value) and math.isfinite(error)):
        return "not finite"
    if error <= 0.0:
        return f"{value:.4g} (held)"
    decimals = 1 - math.floor(math.log10(error))
    if round(error, decimals) >= 10.0 ** (2 - decimals):  # .0996 rounds to .10, which has a digit less behind the point
        decimals -= 1
    if decimals < 0:
        return f"{round(value, decimals):.0f} ± {round(error, decimals):.0f}"
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"


def _table_values(planet: Planet, fits: tuple[TransitFit, ...]) -> dict[str, float]:
    """Return what the published orbit says of fitted numbers, in the units of the table."""
    if planet.orbit is None:
        return {}
    orbit = planet.orbit
    impact = orbit.semi_major_axis * abs(math.cos(math.radians(orbit.inclination)))
    values = {"semi_major_axis": orbit.semi_major_axis, "impact_parameter": impact}
    ratio = math.sqrt(max(0.0, float(fits[0].depth.mean()))) if fits else 0.0
    if impact < 1.0 + ratio and ratio > 0.0:
        seconds = transit_duration(orbit.period * SECONDS_PER_DAY, orbit.semi_major_axis, impact, ratio)
        values["duration"] = float(seconds) / SECONDS_PER_HOUR
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _table_alone(planet: Planet) -> list[tuple[str, str, str]]:
    """Return name, unit and value of what no light curve tells."""
    rows = []
    if planet.orbit is not None:
        rows += [
            ("period", "d", f"{planet.orbit.period:.6g}"),
            ("inclination", "°", f"{planet.orbit.inclination:.4g}"),
            ("eccentricity", "", f"{planet.orbit.eccentricity:.3g}"),
        ]
    if planet.star is not None:
        rows += [
            ("stellar radius", "R☉", f"{planet.star.radius:.4g}"),
            ("stellar mass", "M☉", f"{planet.star.mass:.4g}"),
            ("stellar temperature", "K", f"{planet.star.temperature:.0f}"),
        ]
    if planet.mass is not None:
        rows.append(("planet mass", "M♃", f"{planet.mass:.3g}"))
    return rows
