"""Networks that learn what the light-curve fit leaves: selective scans over time, graphs over wavelength."""
