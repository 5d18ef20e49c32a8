"""Whatever bytes lie in a file, readers read or refuse in words; whatever is asked of validators, they know."""

import contextlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spectramind_kit.competition.folder import open_competition, read_spectra
from spectramind_kit.competition.frames import read_calibration_frames
from spectramind_kit.competition.tables import read_table, read_text_table, rows_of_planets
from spectramind_kit.config import Config, load_config
from spectramind_kit.errors import CompetitionDataError, ConfigurationError, ProductError, SubmissionError
from spectramind_kit.work_folder.model_record import is_model
from spectramind_kit.work_folder.store import UNREADABLE, load_or_make, load_product, save_product, stored_key
from spectramind_kit.work_folder.submission import COLUMNS, read_submission, validate_submission

few = settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""The same examples on every machine; each example overwrites the file of the one before."""


@st.composite
def damage(draw):
    """A change of bytes: some replaced, some put in, the end cut off."""
    places = st.floats(0.0, 1.0, exclude_max=True)
    flips = draw(st.lists(st.tuples(places, st.integers(1, 255)), max_size=6))
    inserted = draw(st.tuples(places, st.binary(max_size=12)))
    kept = draw(st.one_of(st.just(1.0), places))

    def apply(content):
        damaged = bytearray(content)
        for place, change in flips:
            damaged[int(place * len(damaged))] ^= change
        cut = int(inserted[0] * len(damaged))
        damaged[cut:cut] = inserted[1]
        return bytes(damaged[: int(kept * len(damaged))])

    return apply


def parquet(table):
    file = BytesIO()
    table.write_parquet(file)
    return file.getvalue()


@few
@given(damage())
def test_a_parquet_table_is_read_or_refused(tmp_path, change):
    content = parquet(
        pl.DataFrame({"planet_id": [7, 8, 2**40], "dead": [True, False, None], "dark": [0.1, None, -1.0]})
    )
    (tmp_path / "t.parquet").write_bytes(change(content))
    with contextlib.suppress(CompetitionDataError):
        assert isinstance(read_table(tmp_path / "t.parquet"), pl.DataFrame)


@few
@given(st.sampled_from(["dark", "dead", "flat", "read", "linear_corr"]), damage())
def test_calibration_is_read_or_refused_and_what_is_read_is_usable(tables, name, change):
    observation, originals = tables
    path = observation.files["FGS1"].calibration / f"{name}.parquet"
    path.write_bytes(change(originals[name]))
    with contextlib.suppress(CompetitionDataError):
        frames = read_calibration_frames(observation, "FGS1")
        for values in (frames.dark, frames.flat, frames.read_noise, frames.linearity):
            assert np.isfinite(values).all()
    path.write_bytes(originals[name])


@pytest.fixture
def tables(write_competition):
    """A visit, and its calibration tables as they were."""
    (observation,) = open_competition(write_competition()).observations("train", 34983)
    folder = observation.files["FGS1"].calibration
    return observation, {path.stem: path.read_bytes() for path in folder.glob("*.parquet")}


@few
@given(st.one_of(st.binary(max_size=200), damage()))
def test_a_csv_table_is_read_or_refused_and_rows_are_planets(tmp_path, content):
    whole = b"planet_id,Rs,Ms\n7,1.0,1.1\n8,0.9,1.0\n1099511627776,1.2,0.8\n"
    path = tmp_path / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content(whole))
    for read in (read_table, read_text_table):
        try:
            rows = rows_of_planets(read(path), "t.csv")
        except CompetitionDataError:
            continue
        assert all(isinstance(planet, int) and row["planet_id"] == planet for planet, row in rows.items())
    for read in (read_spectra, read_submission):
        with pytest.raises((CompetitionDataError, SubmissionError)):
            read_spectra(path) if read is read_spectra else validate_submission(
                read(path), pl.DataFrame(schema=COLUMNS)
            )


@few
@given(st.lists(st.text(max_size=30), max_size=8))
def test_lines_that_are_no_rows_cost_no_row(tmp_path, lines):
    rows = [f"{planet},1.0,1.1,2.2" for planet in (7, 8, 9, 10)]
    others = [
        line
        for line in lines
        if line.count(",") != 3 and not set(line) & set("\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
    ]
    table = ["planet_id,Rs,Ms,Ts", *rows[:2], *others, *rows[2:]]
    (tmp_path / "t.csv").write_text("\n".join(table), encoding="utf-8", errors="replace")
    found = rows_of_planets(read_text_table(tmp_path / "t.csv"), "t.csv")
    assert {7, 8, 9, 10} <= found.keys() and all(found[planet]["Ts"] == "2.2" for planet in (7, 8, 9, 10))


@dataclass(frozen=True, eq=False)
class Stored:
    """Something to store."""

    values: np.ndarray
    name: str
    numbers: tuple[float, ...]


THING = Stored(np.arange(12.0), "a thing", (1.0, 2.5))


@few
@given(damage())
def test_a_stored_product_is_what_was_stored_or_made_anew(tmp_path, change):
    path = tmp_path / "p.npz"
    save_product(path, THING, "key")
    path.write_bytes(change(path.read_bytes()))
    assert stored_key(path) is None or isinstance(stored_key(path), str)
    with contextlib.suppress(*UNREADABLE):
        assert isinstance(load_product(path, Stored), Stored)
    found = load_or_make(path, "key", Stored, lambda: THING)
    assert (found.name, found.numbers) == (THING.name, THING.numbers)
    np.testing.assert_array_equal(found.values, THING.values)


VALUES = st.floats(width=64)


@few
@given(st.lists(VALUES, max_size=4), st.text(max_size=8), VALUES)
def test_what_is_stored_comes_back(tmp_path, numbers, name, value):
    path = tmp_path / "p.npz"
    thing = Stored(np.array([value, *numbers]), name, tuple(numbers))
    try:
        save_product(path, thing)
    except (ProductError, UnicodeEncodeError):
        return
    found = load_product(path, Stored)
    assert found.name == thing.name
    np.testing.assert_array_equal(found.values, thing.values)
    np.testing.assert_array_equal(found.numbers, thing.numbers)


@few
@given(st.one_of(st.binary(max_size=80), st.sampled_from([b"[]", b"1", b"null", b'{"kit_version": 1}', b"\xff"])))
def test_a_model_s_record_is_one_or_none(tmp_path, content):
    (tmp_path / "model.json").write_bytes(content)
    assert is_model(tmp_path) in (True, False)


@few
@given(st.integers(0, 1), st.integers(1, 566), st.floats(width=64))
def test_a_submission_is_valid_if_every_number_is_a_depth(row, column, value):
    table = pl.DataFrame(np.full((2, 566), 0.01), schema=list(COLUMNS[1:]))
    table = table.insert_column(0, pl.Series("planet_id", [7, 8]))
    values = table[COLUMNS[column]].to_list()
    values[row] = value
    changed = table.with_columns(pl.Series(COLUMNS[column], values, dtype=pl.Float64))
    if 0.0 < value <= 1.0:
        validate_submission(changed, table)
    else:
        with pytest.raises(SubmissionError, match=f"planet {[7, 8][row]}, column {COLUMNS[column]}"):
            validate_submission(changed, table)


@settings(few, max_examples=6)
@given(
    st.sampled_from(["seed", "workers", "planet_seconds", "fit.drift_order", "uncertainty.conformal", "executor"]),
    st.one_of(st.integers(-5, 5).map(str), st.floats().map(str), st.text("abc.[]{}=:, '\"$", max_size=6)),
)
def test_a_configuration_fits_or_is_refused_in_words(key, value):
    with contextlib.suppress(ConfigurationError):
        assert isinstance(load_config([f"{key}={value}"]), Config)
