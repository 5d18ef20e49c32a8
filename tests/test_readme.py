"""The README's promises: its example runs, the commands and files it names exist."""

import re
from pathlib import Path

import pytest

from spectramind_kit.cli import app

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text()


def test_python_example_gives_the_printed_numbers_and_a_picture(real_data, tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"```python\n(import numpy.*?)```", README, flags=re.DOTALL)
    (tmp_path / "ariel-data-challenge-2025").symlink_to(real_data)
    (tmp_path / "light_curves_1103775.npy").symlink_to(real_data / "light_curves_1103775.npy")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    printed = capsys.readouterr().out.strip()
    (promised,) = re.findall(r"It prints `(.*?)`", README)
    for got, wanted in zip(
        re.findall(r"[\d.]+", printed.split("depth")[1]), re.findall(r"[\d.]+", promised.split("depth")[1])
    ):
        assert float(got) == pytest.approx(float(wanted), rel=5e-3)
    assert (tmp_path / "fit_1103775.png").stat().st_size > 10_000


def test_commands_of_the_readme_exist():
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    commands |= {group.name for group in app.registered_groups}
    named = set(re.findall(r"^spectramind ([a-z-]+)", README, flags=re.MULTILINE))
    assert named and named <= commands


def test_module_map_names_what_exists_and_all_of_it():
    (table,) = re.findall(r"## Module map\n(.*?)\n## ", README, flags=re.DOTALL)
    rows = "\n".join(line for line in table.splitlines() if line.startswith("|"))
    named = re.findall(r"`([a-z_/]+?)(?:/|\.py)`", rows)
    package = PROJECT / "spectramind_kit"
    missing = [name for name in named if not ((package / name).is_dir() or (package / f"{name}.py").is_file())]
    assert len(named) > 20 and not missing
    parts = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert parts - {name.split("/")[0] for name in named} == {"__init__", "__main__"}
