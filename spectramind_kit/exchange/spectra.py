"""What every product that holds a spectrum can become: a data frame, a dataset, an ECSV or FITS file, a likelihood.

pandas, xarray and astropy come with the extra ``science``.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spectramind_kit.errors import ProductError
from spectramind_kit.exchange.retrieval import SpectrumLikelihood, spectrum_likelihood
from spectramind_kit.extras import needed_for
from spectramind_kit.files import replacing
from spectramind_kit.shapes import Product

if TYPE_CHECKING:
    import pandas
    import xarray

DEPTH_UNIT = "(Rp/Rs)^2"
FORMATS = {".ecsv": "ascii.ecsv", ".fits": "fits"}
"""Of files, by the end of their names, as astropy calls them."""
COVARIANCE = "COVARIANCE"
"""Extension of a FITS file that holds the covariance."""


@dataclass(frozen=True, eq=False)
class Depths:
    """Depths of a product, whatever it is.

    Attributes:
        wavelength: (n_wavelength,) [um].
        depth: (n_wavelength,) [(Rp/Rs)^2].
        covariance: (n_wavelength, n_wavelength) of the depths; a diagonal where a product has sigmas alone.
        about: planet and the like, by name.
    """

    wavelength: np.ndarray
    depth: np.ndarray
    covariance: np.ndarray
    about: dict[str, Any]

    @property
    def sigma(self) -> np.ndarray:
        """Standard errors of the depths, (n_wavelength,)."""
        return np.sqrt(np.diag(self.covariance))

    def __str__(self) -> str:
        """Return number and range of wavelengths, level and sigma, in a few words."""
        n, (low, high) = len(self.wavelength), (self.wavelength.min(), self.wavelength.max())
        depth, sigma = 100 * np.median(self.depth), 100 * np.median(self.sigma)
        return f"{n} wavelengths {low:.2f}-{high:.2f} um, median depth {depth:.4f} %, median sigma {sigma:.4f} %"


class SpectralProduct(Product, ABC):
    """A product that holds a spectrum."""

    @abstractmethod
    def depths(self) -> Depths:
        """Return wavelengths, depths and their covariance."""

    def __repr__(self) -> str:
        depths = self.depths()
        about = ", ".join(f"{name.removesuffix('_id')} {value}" for name, value in depths.about.items())
        return f"{type(self).__name__}({about}: {depths})"

    def to_pandas(self) -> "pandas.DataFrame":
        """Return wavelength [um], depth and sigma [(Rp/Rs)^2] as a data frame; covariance: ``to_xarray``.

        Raises:
            SpectraMindError: if pandas is not installed.
        """
        with needed_for("data frames"):
            import pandas
        found = self.depths()
        return pandas.DataFrame({"wavelength": found.wavelength, "depth": found.depth, "sigma": found.sigma})

    def to_xarray(self) -> "xarray.Dataset":
        """Return depth, sigma and covariance over wavelength as a dataset.

        Raises:
            SpectraMindError: if xarray is not installed.
        """
        with needed_for("datasets"):
            import xarray
        found = self.depths()
        values = {
            "depth": ("wavelength", found.depth, {"units": DEPTH_UNIT}),
            "sigma": ("wavelength", found.sigma, {"units": DEPTH_UNIT}),
            "covariance": (("wavelength", "other_wavelength"), found.covariance),
        }
        axis = found.wavelength, {"units": "um"}
        places = {"wavelength": ("wavelength", *axis), "other_wavelength": ("other_wavelength", *axis)}
        return xarray.Dataset(values, coords=places, attrs=found.about)

    def write(self, path: Path | str) -> Path:
        """Write spectrum and covariance, an ECSV or FITS file by the end of its name; returns the path.

        ECSV: columns wavelength, depth, sigma, and covariance with a row of the matrix in each. FITS: the table with
        the first three, and the matrix as the image COVARIANCE.

        Args:
            path: that ends in .ecsv or .fits; a file there is replaced.

        Raises:
            ProductError: if it ends in anything else.
            SpectraMindError: if astropy is not installed.
        """
        path = Path(path)
        if path.suffix not in FORMATS:
            wanted = f"a name that ends in {' or '.join(FORMATS)}"
            raise ProductError(f"spectrum to write, {path}", wanted=wanted, got=path.suffix or "none")
        with needed_for("ECSV and FITS files"):
            from astropy.io import fits
            from astropy.table import QTable
        found = self.depths()
        columns = {"wavelength": found.wavelength, "depth": found.depth, "sigma": found.sigma}
        if path.suffix == ".ecsv":
            columns["covariance"] = found.covariance
        table = QTable(columns, units={"wavelength": "um"}, meta={**found.about, "unit of depths": DEPTH_UNIT})
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            if path.suffix == ".ecsv":
                table.write(temporary, format=FORMATS[path.suffix], overwrite=True)
                return path
            table.meta = {name[:8].replace(" ", "_").upper(): value for name, value in found.about.items()}
            extensions = [fits.table_to_hdu(table), fits.ImageHDU(found.covariance, name=COVARIANCE)]
            fits.HDUList([fits.PrimaryHDU(), *extensions]).writeto(temporary, overwrite=True)
        return path

    def spectrum_likelihood(self, rank: int | None = None) -> SpectrumLikelihood:
        """Return the Gaussian likelihood of a spectrum that a model predicts, for retrieval codes.

        Args:
            rank: of the low-rank part of the covariance; None for the smallest that no retrieval could tell from all.

        Raises:
            ProductError: if the covariance is not positive definite.
        """
        found = self.depths()
        return spectrum_likelihood(found.wavelength, found.depth, found.covariance, rank)
