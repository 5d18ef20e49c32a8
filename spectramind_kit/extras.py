"""Optional packages: which extra of the kit brings each, said where one is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from spectramind_kit.errors import SpectraMindError

EXTRAS = {
    "kaggle": (
        *("jupytext", "kaggle", "kagglesdk", "nbconvert", "nbformat", "packaging", "papermill", "psutil"),
        *("requests", "six", "slugify", "uv", "yaml"),
    ),
    "scale": ("distributed",),
    "dvc": ("dvc",),
    "loggers": ("tensorboard", "wandb"),
    "science": ("astropy", "dynesty", "pandas", "xarray"),
    "sweep": ("hydra_plugins",),
}
"""Importable packages by extra, as setup.cfg has them."""


def remedy_for(package: str) -> str:
    """Return how a package that is missing is installed.

    Args:
        package: as it is imported.
    """
    extra = next((extra for extra, packages in EXTRAS.items() if package in packages), "")
    wanted = f"'spectramind-kit[{extra}]'" if extra else package
    return f"`pip install {wanted}`, or do without what needs it"


@contextmanager
def needed_for(purpose: str) -> Iterator[None]:
    """Say in words what a package is needed for, where importing it within the block fails.

    Args:
        purpose: what needs it, such as "ECSV and FITS files".

    Raises:
        SpectraMindError: naming package, purpose and extra.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise SpectraMindError(
            f"package {package}", wanted=f"it installed, for {purpose}", got="none", remedy=remedy_for(package)
        ) from error
