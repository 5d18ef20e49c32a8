"""A star table in the competition's form that lies outside a competition folder."""

from pathlib import Path

import polars as pl

from spectramind_kit.products import Orbit, Planet, Star


def star_table(path: Path) -> dict[int, Planet]:
    """Return what a star table holds of every planet.

    Args:
        path: table ``planet_id, Rs, Ms, Ts, Mp, e, P, sma, i``, complete.
    """
    return {
        int(row["planet_id"]): Planet(
            int(row["planet_id"]),
            Star(row["Rs"], row["Ms"], row["Ts"]),
            Orbit(row["P"], row["sma"], row["i"], row["e"]),
            row["Mp"],
        )
        for row in pl.read_csv(path).iter_rows(named=True)
    }
