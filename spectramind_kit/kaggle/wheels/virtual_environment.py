"""A virtual environment by its folder: where its interpreter and its packages lie."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class VirtualEnvironment:
    """A virtual environment.

    Attributes:
        folder: where it lies.
    """

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where its distributions lie."""
        return next(self.folder.glob("lib/python*/site-packages"))
