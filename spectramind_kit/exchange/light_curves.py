"""What light curves can become: a data frame of fluxes, a dataset of everything."""

from typing import TYPE_CHECKING

import numpy as np

from spectramind_kit.extras import needed_for
from spectramind_kit.shapes import Product

if TYPE_CHECKING:
    import pandas
    import xarray

_SECONDS_PER_HOUR = 3600.0


class TimeSeriesProduct(Product):
    """A product that holds light curves."""

    planet_id: int
    visit: int
    time: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    wavelength: np.ndarray
    regressors: np.ndarray
    regressor_names: tuple[str, ...]

    def __repr__(self) -> str:
        n, hours = len(self.time), np.ptp(self.time) / _SECONDS_PER_HOUR if len(self.time) else 0.0
        words = f"{n} times in {hours:.2f} h, {len(self.wavelength)} wavelengths"
        regressors = f", regressors {', '.join(self.regressor_names)}" if self.regressor_names else ""
        return f"{type(self).__name__}(planet {self.planet_id}, visit {self.visit}: {words}{regressors})"

    def to_pandas(self) -> "pandas.DataFrame":
        """Return fluxes as a data frame, a row a time [s], a column a wavelength [um]; errors: ``to_xarray``.

        Raises:
            SpectraMindError: if pandas is not installed.
        """
        with needed_for("data frames"):
            import pandas
        index = pandas.Index(self.time, name="time")
        return pandas.DataFrame(self.flux, index=index, columns=pandas.Index(self.wavelength, name="wavelength"))

    def to_xarray(self) -> "xarray.Dataset":
        """Return flux and its error over time and wavelength, and the regressors, as a dataset.

        Raises:
            SpectraMindError: if xarray is not installed.
        """
        with needed_for("datasets"):
            import xarray
        values = {name: (("time", "wavelength"), getattr(self, name)) for name in ("flux", "flux_err")}
        values |= {name: ("time", self.regressors[:, place]) for place, name in enumerate(self.regressor_names)}
        places = {"time": ("time", self.time, {"units": "s"}), "wavelength": ("wavelength", self.wavelength)}
        return xarray.Dataset(values, coords=places, attrs={"planet_id": self.planet_id, "visit": self.visit})
