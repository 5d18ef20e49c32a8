"""The README's promises: short enough to be read, and its examples run."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text()
PAGE = (PROJECT / "docs" / "from-python.md").read_text()
LONGEST_README = 150
LARGEST_PICTURE = 150_000
"""Every clone carries it [bytes]."""


def test_readme_is_short():
    assert len(README.splitlines()) <= LONGEST_README


def test_picture_is_drawn_from_a_demo_folder(competition, trained_work, tmp_path):
    (tmp_path / "data").symlink_to(competition.data)
    for name in ("fits", "submission.csv"):
        (tmp_path / name).symlink_to(trained_work / name)
    picture = tmp_path / "demo.png"
    runpy.run_path(str(PROJECT / "docs" / "picture.py"))["main"](tmp_path, picture)
    assert picture.stat().st_size > 10_000
    assert (PROJECT / "docs" / "demo.png").stat().st_size < LARGEST_PICTURE


def test_python_example_gives_the_printed_numbers_and_a_picture(real_data, tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"```python\n(import numpy.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "ariel-data-challenge-2025").symlink_to(real_data)
    (tmp_path / "light_curves_1103775.npy").symlink_to(real_data / "light_curves_1103775.npy")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "from-python.md", "exec"), {})
    printed = capsys.readouterr().out.strip()
    (promised,) = re.findall(r"It prints `(.*?)`", PAGE)
    for got, wanted in zip(
        re.findall(r"[\d.]+", printed.split("depth")[1]), re.findall(r"[\d.]+", promised.split("depth")[1])
    ):
        assert float(got) == pytest.approx(float(wanted), rel=5e-3)
    assert (tmp_path / "fit_1103775.png").stat().st_size > 10_000


def test_light_curves_of_ones_own_become_a_table():
    (example,) = re.findall(r"```python\n(import spectramind_kit.*?)```", README, flags=re.DOTALL)
    rng, time = np.random.default_rng(1), np.arange(0.0, 25200.0, 180.0)
    dip = 0.01 * np.clip((5400.0 - np.abs(time - time.mean())) / 1200.0, 0.0, 1.0)  # flanks as long as a planet's
    flux = 1.0 - dip[:, None] + 1e-4 * rng.standard_normal((len(time), 3))
    names = {"time": time, "flux": flux, "wavelength": np.array([0.7, 2.0, 3.0])}
    lines = example.strip().splitlines()
    last = lines.pop().partition("#")[0]
    exec("\n".join(lines), names)
    table = eval(last, names)
    assert table.columns == ["wavelength", "depth", "sigma"]
    assert table["depth"].to_numpy() == pytest.approx(0.01, rel=0.2)


def test_model_of_ones_own_expects_the_mean_error():
    (example,) = re.findall(r"```python\n# mine.py\n(.*?)```", README, flags=re.DOTALL)
    names: dict = {}
    exec(example, names)
    mine, rng = names["Mine"](), np.random.default_rng(1)
    targets = rng.standard_normal((6, 283))
    mine.fit(rng.standard_normal((6, 4)), targets)
    predicted = mine.predict(np.ones((2, 4)))
    assert predicted == pytest.approx(np.tile(targets.mean(axis=0), (2, 1)))
