"""What the tests of real wheels need: a package index within reach."""

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels.package_index import run_pip


@pytest.fixture(scope="session", autouse=True)
def package_index(tmp_path_factory) -> None:
    """Skip where pip finds no index; a wheel that then does not build is a failure."""
    try:
        run_pip(["download", "--no-deps", "--dest", str(tmp_path_factory.mktemp("probe")), "hydra-core==1.3.8"])
    except PackagingError:
        pytest.skip("pip finds no package index here")
