"""Tables damaged in every way: what is still in them is used, and a folder that names its planets has a submission."""

import sys
from pathlib import Path

import numpy as np
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.work_folder.submission import wanted_rows

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
PLANETS = [34983, 4294967311]


@pytest.fixture(scope="module")
def faults_of():
    """The kinds of damage that a table can have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import damaged_tables

        yield damaged_tables.faults_of
    sys.modules.pop("damaged_tables", None)


def rows(folder):
    sample, _ = wanted_rows(folder)
    return sample.columns, sample["planet_id"].to_list()


def stars(folder):
    planets = [folder.planet("test", planet) for planet in PLANETS]
    return [(planet.star, planet.orbit, planet.mass) for planet in planets]


def labels(folder):
    planets, spectra = folder.labels()
    return dict(zip(planets.tolist(), spectra.tolist()))


SAYS = {
    "sample_submission.csv": rows,
    "test_star_info.csv": stars,
    "adc_info.csv": lambda folder: [o.files["FGS1"].gain for o in folder.observations("test", PLANETS[0])],
    "wavelengths.csv": lambda folder: folder.wavelength.tolist(),
    "train.csv": labels,
    "axis_info.parquet": lambda folder: folder.axis.wavelength.tolist(),
}
"""What each table is asked for."""


@pytest.fixture
def data(write_competition):
    """A folder whose planets are test planets."""
    root = write_competition()
    (root / "train").rename(root / "test")
    return root


def restore(path, content):
    """Write a file as it was, whatever lies there."""
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.write_bytes(content)


@pytest.mark.parametrize("table", SAYS)
def test_no_harmless_damage_changes_what_a_table_says(table, faults_of, data):
    content, before = (data / table).read_bytes(), SAYS[table](open_competition(data))
    for fault in (fault for fault in faults_of(table) if fault.harmless):
        fault.damage(data / table, np.random.default_rng(1))
        assert SAYS[table](open_competition(data)) == before, fault.name
        restore(data / table, content)


@pytest.mark.parametrize("table", SAYS)
def test_harmful_damage_is_refused_in_words_and_costs_no_row_of_the_submission(table, faults_of, data):
    content = (data / table).read_bytes()
    for fault in (fault for fault in faults_of(table) if not fault.harmless):
        fault.damage(data / table, np.random.default_rng(1))
        folder = open_competition(data)
        try:
            says = SAYS[table](folder)
        except CompetitionDataError:
            assert table != "sample_submission.csv", fault.name
        else:
            assert table != "sample_submission.csv" or sorted(says[1]) == PLANETS, fault.name
        restore(data / table, content)


def test_a_damaged_line_of_labels_costs_one_planet(write_competition):
    data = write_competition()
    lines = (data / "train.csv").read_text().splitlines()
    lines[1] = lines[1].replace("0.0145", "0.01q5", 1)
    (data / "train.csv").write_text("\n".join(lines))
    planets, spectra = open_competition(data).labels()
    assert planets.tolist() == [int(lines[2].split(",")[0])] and spectra.shape == (1, 283)


def test_a_folder_that_names_no_planet_is_refused(write_competition):
    data = write_competition()
    (data / "sample_submission.csv").write_text("nothing\n")
    with pytest.raises(CompetitionDataError, match="test"):
        wanted_rows(open_competition(data))
    (data / "test").mkdir()
    with pytest.raises(CompetitionDataError, match="planet_id"):
        wanted_rows(open_competition(data))
