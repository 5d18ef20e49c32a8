"""Optional packages: each is in the extra that setup.cfg says, and one that is missing is named with what needs it."""

import configparser
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from spectramind_kit.commands.shell import message_of
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.extras import EXTRAS, needed_for, remedy_for

SETUP = Path(__file__).parents[1] / "setup.cfg"


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_table_is_that_of_the_set_up(extra):
    parsed = configparser.ConfigParser()
    parsed.read(SETUP)
    lines = parsed["options.extras_require"][extra].splitlines()
    required = {canonical(re.split(r"[<>=; ]", line)[0]) for line in lines if line and not line.startswith("#")}
    owners = packages_distributions()
    for package in EXTRAS[extra]:
        installed = {canonical(owner) for owner in owners.get(package, ())}
        assert canonical(package) in required or not installed or installed & required, package
    assert len(EXTRAS[extra]) <= len(required)


def test_a_missing_package_is_named_with_its_purpose_and_its_extra():
    said = r"package astropy.*for FITS files.*'spectramind-kit\[science\]'"
    with pytest.raises(SpectraMindError, match=said), needed_for("FITS files"):
        raise ModuleNotFoundError("No module named 'astropy.io'", name="astropy.io")
    assert "spectramind-kit[kaggle]" in message_of(ModuleNotFoundError("no", name="papermill.execute"))
    assert remedy_for("numba").startswith("`pip install numba`")


def test_what_breaks_for_another_reason_is_not_hidden():
    with pytest.raises(ImportError, match="circular"), needed_for("anything"):
        raise ImportError("circular import")
