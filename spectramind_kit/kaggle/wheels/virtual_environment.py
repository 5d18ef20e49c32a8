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

    @property
    def base(self) -> Path:
        """Where the Python lies that it was made with: the folder above its ``bin``."""
        return Path(self._settings()["home"]).resolve().parent

    @property
    def python_version(self) -> str:
        """The version of its Python, such as "3.12.1"."""
        return self._settings()["version"]

    def _settings(self) -> dict[str, str]:
        lines = (self.folder / "pyvenv.cfg").read_text().splitlines()
        return dict(line.split(" = ", 1) for line in lines if " = " in line)
