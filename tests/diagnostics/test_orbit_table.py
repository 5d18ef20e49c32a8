"""Numbers beside the star table's: two significant digits of the error, units, and how far they differ."""

import pytest

from spectramind_kit.diagnostics.orbit_table import orbit_rows, with_error
from spectramind_kit.products import Estimate, Orbit, Planet, Star


@pytest.mark.parametrize(
    "value, error, shown",
    [
        (10.21412, 0.06234, "10.214 ± 0.062"),
        (0.42168, 0.02, "0.422 ± 0.020"),
        (-6.4, 11.2, "-6 ± 11"),
        (13946.3, 443.0, "13950 ± 440"),
        (1.0, 0.0996, "1.00 ± 0.10"),
        (1.0, 9.96, "1 ± 10"),
        (0.3, 0.0, "0.3 (held)"),
        (float("nan"), 1.0, "not finite"),
    ],
)
def test_errors_have_two_significant_digits(value, error, shown):
    assert with_error(Estimate(value, error)) == shown


def test_fitted_numbers_stand_beside_the_star_tables(fitted, white_noise):
    fits = (fitted(white_noise)[0], fitted(white_noise, visit=1)[0])
    planet = Planet(7, Star(1.1, 1.0, 5600.0), Orbit(3.3, 8.5, 88.0), 0.9)
    rows = {row.name: row for row in orbit_rows(planet, fits)}
    axis = rows["semi-major axis"]
    assert (axis.unit, axis.table, axis.fitted) == ("R★", "8.5", ("10.030 ± 0.032",) * 2)
    assert axis.differs == "+18.0 %" and rows["impact parameter"].table == "0.2966"
    assert rows["duration, first to fourth contact"].fitted[0] == "2.500 ± 0.011"
    assert rows["stellar temperature"].table == "5600" and rows["stellar temperature"].unit == "K"
    assert rows["planet mass"].fitted == ("", "")


def test_a_planet_without_a_row_in_the_table_has_its_fit_alone(fitted, white_noise):
    rows = orbit_rows(Planet(7), (fitted(white_noise)[0],))
    assert [row.table for row in rows] == [""] * len(rows) and rows[0].fitted[0].endswith("± 0.00083")
    assert orbit_rows(Planet(7), ()) == []
