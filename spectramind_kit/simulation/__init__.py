"""A simulator that writes competition folders: systems, spectra and the detectors of ExoSim, in our own code."""
