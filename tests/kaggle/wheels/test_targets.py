"""The real targets: what an image has, and what its dataset must bring."""

import configparser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from spectramind_kit.kaggle.wheels.targets import load_target

PROJECT = Path(__file__).parents[3]
TARGETS = sorted(path.parent.name for path in (PROJECT / "wheels").glob("*/target.toml"))


@pytest.mark.parametrize("name", TARGETS)
def test_image_and_dataset_hold_all_that_the_kit_requires(name):
    """By name: what comes with another package of an image is not there where a rehearsal lacks that one."""
    target = load_target(PROJECT / "wheels", name)
    setup = configparser.ConfigParser()
    setup.read(PROJECT / "setup.cfg")
    lines = setup["options"]["install_requires"].split("\n")
    required = {canonicalize_name(Requirement(line).name) for line in lines if line.strip()}
    held = {canonicalize_name(each) for each in (*target.image, *target.lacks, *target.compiled, "torch")}
    assert not required - held
