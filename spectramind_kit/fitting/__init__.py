"""The light-curve fit: systematics, prior on spectra, posterior of the depths, joining of visits."""
