"""The network's input: a sequence in time, a node per wavelength, a context of single numbers."""
