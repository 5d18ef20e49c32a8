"""What the network sees of a planet: a sequence in time, a node per wavelength, a context of single numbers."""
